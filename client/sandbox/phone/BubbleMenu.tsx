import { IconArrowBackUp, IconCopy, IconPencil, IconTrash } from '@tabler/icons-react'
import { type KeyboardEvent, useEffect, useRef } from 'react'
import type { BubbleView } from '../../../server/sandbox/protocol.ts'

const REACTIONS = ['👍', '❤', '🔥', '🎉', '😁', '😢', '🙏']

interface Props {
  bubble: BubbleView
  onClose: () => void
  onReply: () => void
  onEdit: () => void
  onReact: (emoji: string) => void
  /** Absent where the app cannot take a message back. */
  onRemove: (() => void) | undefined
}

/** What can be done with a bubble. Arrow keys move, Escape closes, focus goes back to where it was. */
export function BubbleMenu({ bubble, onClose, onReply, onEdit, onReact, onRemove }: Props) {
  const menu = useRef<HTMLDivElement>(null)
  const { content, mine, reactions } = bubble

  useEffect(() => {
    const before = document.activeElement
    menu.current?.querySelector('button')?.focus()
    menu.current?.scrollIntoView({ block: 'nearest' })
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [])

  useEffect(() => {
    const leave = (event: PointerEvent): void => {
      if (event.target instanceof Node && !menu.current?.contains(event.target)) onClose()
    }
    document.addEventListener('pointerdown', leave)
    return () => document.removeEventListener('pointerdown', leave)
  }, [onClose])

  const choose = (deed: () => void) => () => {
    onClose()
    deed()
  }

  const move = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose()
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const buttons = [...(menu.current?.querySelectorAll('button') ?? [])]
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
    buttons.at((at + step) % buttons.length)?.focus()
  }

  return (
    <div className="bubble-menu" role="menu" ref={menu} tabIndex={-1} onKeyDown={move}>
      <div className="quick-reactions">
        {REACTIONS.map((emoji) => (
          <button
            key={emoji}
            type="button"
            role="menuitemradio"
            aria-checked={reactions.mine === emoji}
            aria-label={`React ${emoji}`}
            onClick={choose(() => onReact(reactions.mine === emoji ? '' : emoji))}
          >
            {emoji}
          </button>
        ))}
      </div>
      <button type="button" role="menuitem" onClick={choose(onReply)}>
        <IconArrowBackUp size={18} stroke={1.7} /> Reply
      </button>
      {mine && content.type === 'text' && (
        <button type="button" role="menuitem" onClick={choose(onEdit)}>
          <IconPencil size={18} stroke={1.7} /> Edit
        </button>
      )}
      {onRemove && (
        <button type="button" role="menuitem" onClick={choose(onRemove)}>
          <IconTrash size={18} stroke={1.7} /> Delete for everyone
        </button>
      )}
      {content.type === 'text' && (
        <button
          type="button"
          role="menuitem"
          onClick={choose(() => void navigator.clipboard?.writeText(content.text))}
        >
          <IconCopy size={18} stroke={1.7} /> Copy
        </button>
      )}
    </div>
  )
}
