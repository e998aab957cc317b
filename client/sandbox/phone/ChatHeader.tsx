import { IconBan, IconChevronLeft, IconCircleCheck } from '@tabler/icons-react'
import type { HandsetView } from '../../../server/sandbox/protocol.ts'
import { phoneOf } from '../format.ts'
import type { State } from '../state.ts'
import type { Doings } from '../useSandbox.ts'
import { Avatar } from './Avatar.tsx'

interface Props {
  state: State
  phone: HandsetView
  title: string
  typing: boolean
  doings: Doings
}

export function ChatHeader({ state, phone, title, typing, doings }: Props) {
  const { channel, accounts } = state
  const blocked = phone.blocked[channel]
  const below =
    channel === 'sms'
      ? phoneOf(accounts?.sms.number ?? '')
      : typing
        ? 'typing…'
        : `@${accounts?.telegram.botName ?? ''} · bot`
  return (
    <header className="chat-header">
      <button type="button" className="back" aria-label="All chats" onClick={() => doings.show('list')}>
        <IconChevronLeft size={26} stroke={1.8} />
      </button>
      <Avatar name={title} />
      <div className="chat-title">
        <h2>{title}</h2>
        <p data-typing={typing && channel === 'telegram'}>{below}</p>
      </div>
      {channel === 'telegram' && phone.chats.telegram.length > 0 && (
        <button
          type="button"
          className="chat-tool"
          aria-label={blocked ? 'Unblock the bot' : 'Block the bot'}
          title={blocked ? 'Unblock the bot' : 'Block the bot'}
          onClick={() => doings.block(!blocked)}
        >
          {blocked ? <IconCircleCheck size={20} stroke={1.7} /> : <IconBan size={20} stroke={1.7} />}
        </button>
      )}
    </header>
  )
}
