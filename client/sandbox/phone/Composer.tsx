import { IconArrowUp, IconPaperclip, IconPlus, IconSend2, IconX } from '@tabler/icons-react'
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { BubbleView, SandboxChannel } from '../../../server/sandbox/protocol.ts'
import { appOf } from '../apps.tsx'
import { sizeOf } from '../format.ts'
import type { Doings } from '../useSandbox.ts'
import { AttachSheet } from './AttachSheet.tsx'
import { previewOf } from './ChatList.tsx'

/** What the next press of Send does. */
export type Intent =
  | { kind: 'write' }
  | { kind: 'reply'; bubble: BubbleView }
  | { kind: 'edit'; bubble: BubbleView }

interface Props {
  channel: SandboxChannel
  title: string
  started: boolean
  blocked: boolean
  intent: Intent
  file: File | undefined
  onFile: (file: File | undefined) => void
  onIntent: (intent: Intent) => void
  doings: Doings
}

export function Composer(props: Props) {
  const { channel, started, blocked, doings } = props
  if (channel === 'telegram' && !started)
    return (
      <button type="button" className="start-bot" onClick={() => doings.start()}>
        Start
      </button>
    )
  if (appOf(channel).rich && blocked)
    return (
      <button type="button" className="start-bot" onClick={() => doings.block(false)}>
        Unblock
      </button>
    )
  return <Writing {...props} />
}

function Writing({ channel, title, intent, file, onFile, onIntent, doings }: Props) {
  const [text, setText] = useState('')
  const [sheet, setSheet] = useState(false)
  const input = useRef<HTMLTextAreaElement>(null)
  const { rich } = appOf(channel)

  useEffect(() => {
    if (intent.kind === 'edit' && intent.bubble.content.type === 'text') setText(intent.bubble.content.text)
    if (intent.kind !== 'write') input.current?.focus()
  }, [intent])
  useGrowing(input, text)

  const reset = (): void => {
    setText('')
    onFile(undefined)
    onIntent({ kind: 'write' })
  }

  const send = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault()
    const words = text.trim()
    if (!words && !file) return
    const replyTo = intent.kind === 'reply' ? intent.bubble.id : undefined
    const kept = { text, file }
    reset()
    input.current?.focus()
    const done =
      intent.kind === 'edit'
        ? await doings.edit(intent.bubble.id, words)
        : await doings.write({
            ...(words && { text: words }),
            ...(file && { file }),
            ...(replyTo && { replyTo }),
          })
    if (done) return
    setText(kept.text)
    onFile(kept.file)
    onIntent(intent)
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault()
      void send()
    }
    if (event.key === 'Escape' && (intent.kind !== 'write' || file)) {
      event.stopPropagation()
      reset()
    }
  }

  return (
    <form className="composer" onSubmit={send}>
      {intent.kind !== 'write' && (
        <div className="intent">
          <span className="intent-text">
            <strong>
              {intent.kind === 'edit'
                ? 'Edit message'
                : `Reply to ${intent.bubble.mine ? 'yourself' : title}`}
            </strong>
            <span className="sub">{previewOf(intent.bubble.content)}</span>
          </span>
          <button type="button" aria-label="Never mind" onClick={reset}>
            <IconX size={18} />
          </button>
        </div>
      )}
      {file && (
        <div className="intent">
          <span className="intent-text">
            <strong>{file.name}</strong>
            <span className="sub">{sizeOf(file.size)}</span>
          </span>
          <button type="button" aria-label="Take the file off" onClick={() => onFile(undefined)}>
            <IconX size={18} />
          </button>
        </div>
      )}
      {sheet && (
        <AttachSheet
          channel={channel}
          onClose={() => setSheet(false)}
          onFile={onFile}
          onSend={(draft) => void doings.write(draft)}
        />
      )}
      <div className="composer-row">
        <button
          type="button"
          className="attach"
          aria-label="Attach"
          aria-expanded={sheet}
          onClick={() => setSheet(!sheet)}
        >
          {rich ? <IconPaperclip size={23} stroke={1.7} /> : <IconPlus size={20} />}
        </button>
        <textarea
          ref={input}
          rows={1}
          value={text}
          maxLength={4096}
          aria-label={rich ? 'Message' : 'Text message'}
          placeholder={rich ? 'Message' : 'Text Message · RCS'}
          enterKeyHint="send"
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="send" aria-label="Send" disabled={!text.trim() && !file}>
          {rich ? <IconSend2 size={24} stroke={1.7} /> : <IconArrowUp size={18} stroke={2.6} />}
        </button>
      </div>
    </form>
  )
}

const MOST_LINES_PX = 120

/** The field grows with its text, up to a few lines. */
function useGrowing(input: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what makes it grow
  useEffect(() => {
    const field = input.current
    if (!field) return
    field.style.height = 'auto'
    field.style.height = `${Math.min(field.scrollHeight, MOST_LINES_PX)}px`
  }, [text])
}
