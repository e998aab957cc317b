import type { BubbleContent, HandsetView } from '../../../server/sandbox/protocol.ts'
import { appOf } from '../apps.tsx'
import { timeOf } from '../format.ts'
import { type State, unread } from '../state.ts'
import type { Doings } from '../useSandbox.ts'
import { Avatar } from './Avatar.tsx'

interface Props {
  state: State
  phone: HandsetView
  doings: Doings
}

/** The app's conversations: there is one business to write to. */
export function ChatList({ state, phone, doings }: Props) {
  const { channel, accounts } = state
  const title = accounts?.[channel].title ?? ''
  const last = phone.chats[channel].at(-1)
  const count = unread(state, phone, channel)
  return (
    <div className="chat-list">
      <h2>{appOf(channel).list}</h2>
      <button type="button" className="chat-row" onClick={() => doings.show('chat')}>
        <Avatar name={title} size="large" />
        <span className="chat-row-text">
          <strong>{title}</strong>
          <span className="sub">
            {last ? (last.mine ? 'You: ' : '') + previewOf(last.content) : 'Say hello'}
          </span>
        </span>
        <span className="chat-row-end">
          {last && <time dateTime={last.at}>{timeOf(last.at)}</time>}
          {count > 0 && <span className="count">{count}</span>}
        </span>
      </button>
    </div>
  )
}

export function previewOf(content: BubbleContent): string {
  switch (content.type) {
    case 'text':
    case 'offer':
    case 'notice':
      return content.text
    case 'location':
      return content.name ?? 'Location'
    case 'contact':
      return `Contact: ${content.name}`
    case 'file':
      return (
        content.caption ||
        {
          image: 'Photo',
          video: 'Video',
          audio: 'Audio',
          voice: 'Voice message',
          document: content.file.name,
        }[content.kind]
      )
  }
}
