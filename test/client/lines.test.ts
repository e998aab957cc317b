import { describe, expect, it } from 'vitest'
import { linesOf } from '../../client/app/conversation/lines.ts'
import type { PendingMessage } from '../../client/app/live/state.ts'
import type { ClientMessageId, ContactId, MessageId } from '../../models/ids.ts'
import type { AgentView, MessageView } from '../../server/realtime/protocol.ts'
import { conversationId, KIM } from './world.ts'

const A = conversationId('a')
const kim: AgentView = { id: KIM, name: 'Kim', email: 'kim@example.com', role: 'agent' }

const at = (minute: number, day = 1) => new Date(2026, 0, day, 12, minute).toISOString()
const message = (rev: number, part: Partial<MessageView> = {}): MessageView => ({
  id: `m${rev}` as MessageId,
  conversation: A,
  rev,
  changedRev: rev,
  direction: 'inbound',
  author: { kind: 'contact', id: 'ada' as ContactId, name: 'Ada' },
  content: { type: 'text', text: `line ${rev}` },
  note: false,
  reactions: [],
  edits: [],
  createdAt: at(rev),
  ...part,
})
const ours = { direction: 'outbound' as const, author: { kind: 'agent' as const, id: KIM, name: 'Kim' } }

describe('lines', () => {
  it('group the turns of one author, and part notes from answers', () => {
    const lines = linesOf(
      [message(1), message(2), message(3, ours), message(4, { ...ours, note: true }), message(20)],
      [],
      kim,
      null,
    )
    expect(lines.map(({ first, last }) => `${first ? '[' : ' '}${last ? ']' : ' '}`)).toEqual([
      '[ ',
      ' ]',
      '[]',
      '[]',
      '[]',
    ])
  })

  it('begin each day, and draw the unread line once, before the first unread of the contact', () => {
    const lines = linesOf(
      [message(1), message(2, ours), message(3), message(4), message(5, { createdAt: at(0, 2) })],
      [],
      kim,
      'm3' as MessageId,
    )
    expect(lines.map(({ day }) => day)).toEqual([true, false, false, false, true])
    expect(lines.map(({ unread }) => unread)).toEqual([false, false, true, false, false])
  })

  it('keep an echo’s key when the server’s message takes its place', () => {
    const echo: PendingMessage = {
      clientId: 'mine' as ClientMessageId,
      conversation: A,
      author: KIM,
      content: { type: 'text', text: 'hello' },
      note: false,
      createdAt: at(2),
      state: 'sending',
    }
    const before = linesOf([message(1)], [echo], kim, null)
    const after = linesOf([message(1), message(2, { ...ours, clientId: echo.clientId })], [], kim, null)
    expect(before.map(({ key }) => key)).toEqual(after.map(({ key }) => key))
  })

  it('show a reaction or an edit as itself only where it did not get there', () => {
    const reaction = (state: 'sent' | 'failed') =>
      message(2, {
        ...ours,
        content: { type: 'reaction', message: 'm1' as MessageId, emoji: '👍' },
        delivery: { state, attempts: [] },
      })
    expect(linesOf([message(1), reaction('sent')], [], kim, null)).toHaveLength(1)
    expect(linesOf([message(1), reaction('failed')], [], kim, null)).toHaveLength(2)
  })
})
