import { IconAlertCircle, IconCheck, IconChecks, IconDots } from '@tabler/icons-react'
import { type KeyboardEvent, type MouseEvent, useState } from 'react'
import type { BubbleView, SandboxChannel } from '../../../server/sandbox/protocol.ts'
import { appOf } from '../apps.tsx'
import { timeOf } from '../format.ts'
import { BubbleMenu } from './BubbleMenu.tsx'
import { previewOf } from './ChatList.tsx'
import { Content } from './Content.tsx'
import { Offer } from './Offer.tsx'

interface Props {
  bubble: BubbleView
  channel: SandboxChannel
  title: string
  repliedTo: BubbleView | undefined
  tail: boolean
  /** The last of one's own, under which Messages shows how it stands. */
  last: boolean
  onReply: () => void
  onEdit: () => void
  onReact: (emoji: string) => void
  /** Nothing was said after it. */
  newest: boolean
  onChoose: (choice: string) => void
  onRemove: () => void
}

export function Bubble(props: Props) {
  const { bubble, channel, title, repliedTo, tail, last, newest, onReply, onEdit, onReact } = props
  const [menu, setMenu] = useState(false)
  const { mine, content, reactions, edited, at, mark } = bubble
  if (content.type === 'notice') return <p className="notice">{content.text}</p>
  const { rich, removes } = appOf(channel)
  const open = (event: MouseEvent | KeyboardEvent): void => {
    if (!rich) return
    event.preventDefault()
    setMenu(true)
  }
  const emojis = [reactions.theirs, reactions.mine].filter((emoji) => emoji !== undefined)
  return (
    <article
      className="turn"
      data-mine={mine}
      data-tail={tail}
      data-kind={content.type === 'file' ? content.kind : content.type}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button beside it does the same */}
      <div className="bubble" onContextMenu={open} onDoubleClick={rich ? onReply : undefined}>
        <span className="hidden">{mine ? 'You' : title}: </span>
        {repliedTo && (
          <div className="quote">
            <strong>{repliedTo.mine ? 'You' : title}</strong>
            <span className="sub">{previewOf(repliedTo.content)}</span>
          </div>
        )}
        <Content content={content} />
        <span className="bubble-end">
          {emojis.length > 0 && <Reactions emojis={emojis} />}
          <span className="meta">
            {edited && <span>edited</span>}
            <time dateTime={at}>{timeOf(at)}</time>
            {mine && rich && <Ticks mark={mark} />}
          </span>
        </span>
      </div>
      {rich && (
        <button
          type="button"
          className="more"
          aria-label="Reply, react, edit"
          aria-haspopup="menu"
          onClick={open}
        >
          <IconDots size={16} />
        </button>
      )}
      {menu && (
        <BubbleMenu
          bubble={bubble}
          onClose={() => setMenu(false)}
          onReply={onReply}
          onEdit={onEdit}
          onReact={onReact}
          onRemove={removes && mine ? props.onRemove : undefined}
        />
      )}
      {content.type === 'offer' && <Offer offer={content} last={newest} onChoose={props.onChoose} />}
      {!rich && mine && (last || mark === 'lost') && <SmsMark mark={mark} />}
    </article>
  )
}

function Reactions({ emojis }: { emojis: string[] }) {
  return (
    <span className="reactions">
      <span className="hidden">Reactions: </span>
      {emojis.map((emoji, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: at most two, by side
        <span key={index}>{emoji}</span>
      ))}
    </span>
  )
}

const LOST = 'The product did not take this message'

function Ticks({ mark }: { mark: BubbleView['mark'] }) {
  if (mark === 'lost')
    return (
      <span className="ticks lost" title={LOST}>
        <IconAlertCircle size={15} aria-label={LOST} />
      </span>
    )
  return (
    <span className="ticks" data-read={mark === 'read'}>
      {mark === 'received' || mark === 'read' ? (
        <IconChecks size={16} aria-label={mark === 'read' ? 'Read' : 'Received'} />
      ) : (
        <IconCheck size={16} aria-label="Sent" />
      )}
    </span>
  )
}

function SmsMark({ mark }: { mark: BubbleView['mark'] }) {
  return (
    <p className="sms-mark" data-lost={mark === 'lost'} title={mark === 'lost' ? LOST : undefined}>
      {mark === 'lost' ? 'Not delivered' : mark === 'received' ? 'Delivered' : 'Sending…'}
    </p>
  )
}
