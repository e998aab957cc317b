import { IconBan, IconChevronLeft, IconCircleCheck } from '@tabler/icons-react'
import type { HandsetView } from '../../../server/sandbox/protocol.ts'
import { appOf } from '../apps.tsx'
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
  const { rich, address } = appOf(channel)
  const below = typing && rich ? 'typing…' : accounts ? address(accounts) : ''
  const who = channel === 'telegram' ? 'the bot' : title
  return (
    <header className="chat-header">
      <button type="button" className="back" aria-label="All chats" onClick={() => doings.show('list')}>
        <IconChevronLeft size={26} stroke={1.8} />
      </button>
      <Avatar name={title} />
      <div className="chat-title">
        <h2>{title}</h2>
        <p data-typing={typing && rich}>{below}</p>
      </div>
      {rich && phone.chats[channel].length > 0 && (
        <button
          type="button"
          className="chat-tool"
          aria-label={`${blocked ? 'Unblock' : 'Block'} ${who}`}
          title={`${blocked ? 'Unblock' : 'Block'} ${who}`}
          onClick={() => doings.block(!blocked)}
        >
          {blocked ? <IconCircleCheck size={20} stroke={1.7} /> : <IconBan size={20} stroke={1.7} />}
        </button>
      )}
    </header>
  )
}
