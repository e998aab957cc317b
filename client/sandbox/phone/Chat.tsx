import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from 'react'
import type { BubbleView, HandsetView, SandboxChannel } from '../../../server/sandbox/protocol.ts'
import { appOf } from '../apps.tsx'
import { chatKey, type State } from '../state.ts'
import type { Doings } from '../useSandbox.ts'
import { Bubble } from './Bubble.tsx'
import { ChatHeader } from './ChatHeader.tsx'
import { Composer, type Intent } from './Composer.tsx'
import { DaySeparator, isNewDay } from './DaySeparator.tsx'
import { useTyping } from './useTyping.ts'

interface Props {
  state: State
  phone: HandsetView
  doings: Doings
}

/** The conversation with the business, as the app shows it. */
export function Chat({ state, phone, doings }: Props) {
  const { channel, accounts } = state
  const bubbles = phone.chats[channel]
  const typing = useTyping(state.typing[chatKey(phone.id, channel)])
  const [intent, setIntent] = useState<Intent>({ kind: 'write' })
  const [file, setFile] = useState<File>()
  const [dragging, setDragging] = useState(false)
  const log = useFollow(bubbles)
  const title = accounts?.[channel].title ?? ''
  const { rich } = appOf(channel)
  const started = channel !== 'telegram' || bubbles.length > 0

  useEffect(() => {
    document.title = `${title} · Sandbox`
  }, [title])

  const offer = (files: FileList | undefined): void => {
    const [first] = files ?? []
    if (first && !phone.blocked[channel]) setFile(first)
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the attach button is the first
    <div
      className="chat"
      data-dragging={dragging}
      onDragOver={(event: DragEvent) => {
        event.preventDefault()
        setDragging(true)
      }}
      onDragLeave={() => setDragging(false)}
      onDrop={(event: DragEvent) => {
        event.preventDefault()
        setDragging(false)
        offer(event.dataTransfer.files)
      }}
      onPaste={(event: ClipboardEvent) => {
        if (event.clipboardData.files.length > 0) offer(event.clipboardData.files)
      }}
    >
      <ChatHeader state={state} phone={phone} title={title} typing={typing} doings={doings} />
      <div className="log" role="log" aria-label={`Messages with ${title}`} ref={log}>
        <div className="log-inner">
          {bubbles.length === 0 && <Opening channel={channel} title={title} />}
          {bubbles.map((bubble, index) => (
            <div key={bubble.id} className="log-entry">
              {isNewDay(bubble, bubbles[index - 1]) && <DaySeparator at={bubble.at} />}
              <Bubble
                bubble={bubble}
                channel={channel}
                title={title}
                repliedTo={bubble.replyTo ? bubbles.find(({ id }) => id === bubble.replyTo) : undefined}
                tail={isLastOfGroup(bubble, bubbles[index + 1])}
                last={index === bubbles.findLastIndex(({ mine }) => mine)}
                newest={index === bubbles.length - 1}
                onReply={() => setIntent({ kind: 'reply', bubble })}
                onEdit={() => setIntent({ kind: 'edit', bubble })}
                onReact={(emoji) => doings.react(bubble.id, emoji)}
                onChoose={(choice) => doings.choose(bubble.id, choice)}
                onRemove={() => doings.remove(bubble.id)}
              />
            </div>
          ))}
          {typing && rich && (
            <div className="typing" role="status">
              <span className="hidden">{title} is typing</span>
              <i />
              <i />
              <i />
            </div>
          )}
        </div>
      </div>
      <Composer
        channel={channel}
        title={title}
        started={started}
        blocked={phone.blocked[channel]}
        intent={intent}
        file={file}
        onFile={setFile}
        onIntent={setIntent}
        doings={doings}
      />
      {dragging && <div className="drop-here">Drop to attach</div>}
    </div>
  )
}

function Opening({ channel, title }: { channel: SandboxChannel; title: string }) {
  switch (channel) {
    case 'sms':
      return <p className="opening-sms">Text Message · RCS</p>
    case 'telegram':
      return (
        <div className="opening">
          <span className="opening-face" aria-hidden="true">
            🤖
          </span>
          <strong>What can this bot do?</strong>
          <p>It brings what you write to the people at {title}, and their answers to you.</p>
        </div>
      )
    case 'whatsapp':
    case 'messenger':
      return (
        <div className="opening">
          <strong>{title}</strong>
          <p>Write first: a business may answer for 24 hours after that.</p>
        </div>
      )
  }
}

const GROUP_MS = 120_000

/** The last of several in a row by one side has a tail. */
const isLastOfGroup = (bubble: BubbleView, next: BubbleView | undefined): boolean =>
  !next || next.mine !== bubble.mine || Date.parse(next.at) - Date.parse(bubble.at) > GROUP_MS

/** Keeps the newest in sight as things come and pictures load, unless the visitor scrolled up to read. */
function useFollow(bubbles: BubbleView[]) {
  const log = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    const element = log.current
    if (!element) return
    const toEnd = (): void => element.scrollTo({ top: element.scrollHeight })
    const note = (): void => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 80
    }
    const grown = new ResizeObserver(() => {
      if (atEnd.current) toEnd()
    })
    for (const watched of [element, ...element.children]) grown.observe(watched)
    element.addEventListener('scroll', note, { passive: true })
    return () => {
      grown.disconnect()
      element.removeEventListener('scroll', note)
    }
  }, [])
  const ownLast = bubbles.at(-1)?.mine ? bubbles.at(-1)?.id : undefined
  useEffect(() => {
    if (ownLast) log.current?.scrollTo({ top: log.current.scrollHeight })
  }, [ownLast])
  return log
}
