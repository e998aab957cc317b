import { describe, expect, it } from 'vitest'
import { sendable } from '../../client/app/live/pending.ts'
import { apply } from '../../client/app/live/reducer.ts'
import {
  emptyState,
  type LiveEvent,
  type LiveState,
  type PendingMessage,
} from '../../client/app/live/state.ts'
import type { ClientMessageId, ConversationId } from '../../models/ids.ts'
import type { Problem } from '../../server/realtime/protocol.ts'
import { conversationId, KIM, World } from './world.ts'

const A = conversationId('a')
const B = conversationId('b')
const named = (name: string) => name as ClientMessageId

const written = (clientId: string, conversation: ConversationId = A): PendingMessage => ({
  clientId: named(clientId),
  conversation,
  author: KIM,
  content: { type: 'text', text: clientId },
  note: false,
  seenRev: 3,
  createdAt: '2026-01-01T00:00:00.000Z',
  state: 'unsent',
})

const stale: Problem = {
  type: 'about:blank',
  title: '',
  status: 409,
  code: 'stale_reply',
  detail: '',
  retryable: false,
}

const stateAfter = (events: LiveEvent[], from: LiveState = emptyState()) => events.reduce(apply, from)
const names = (messages: PendingMessage[]) => messages.map(({ clientId }) => clientId)

describe('local echo', () => {
  const opened = (world: World): LiveEvent[] => [
    { type: 'timeline.asked', conversation: A },
    {
      type: 'timeline.page',
      conversation: A,
      page: { which: 'latest', ...world.page(A, null, 50) },
      epoch: 0,
    },
  ]

  it('is replaced by the event, and by the answer that comes after it, never added to', () => {
    const world = new World()
    const start = stateAfter([...opened(world), { type: 'pending.added', messages: [written('one')] }])
    expect(start.pending).toHaveLength(1)
    const event = world.reply(A, named('one'))
    if (event.type !== 'message.added') throw new Error('not a message')
    const heard = stateAfter([event], start)
    expect(heard.pending).toEqual([])
    const answered = stateAfter([{ type: 'message.answered', message: event.message }], heard)
    expect(answered.timelines[A]?.messages).toHaveLength(1)
    expect(answered.pending).toEqual([])
  })

  it('is replaced by the answer where the event was lost', () => {
    const world = new World()
    const start = stateAfter([...opened(world), { type: 'pending.added', messages: [written('one')] }])
    const event = world.reply(A, named('one'))
    if (event.type !== 'message.added') throw new Error('not a message')
    const answered = stateAfter([{ type: 'message.answered', message: event.message }], start)
    expect(answered.pending).toEqual([])
    expect(answered.timelines[A]?.messages).toHaveLength(1)
  })

  it('is replaced by a page or a catch-up that brings it', () => {
    const world = new World()
    world.reply(A, named('one'))
    const kept: LiveEvent = { type: 'pending.added', messages: [written('one')] }
    expect(stateAfter([kept, ...opened(world)]).pending).toEqual([])
    expect(
      stateAfter([...opened(new World()), kept, { type: 'changes', changes: world.changes('0') }]).pending,
    ).toEqual([])
  })

  it('is not shown again where the message is already there', () => {
    const world = new World()
    world.reply(A, named('one'))
    expect(
      stateAfter([...opened(world), { type: 'pending.added', messages: [written('one')] }]).pending,
    ).toEqual([])
  })

  it('takes no place of a message of the same name in another conversation', () => {
    const world = new World()
    const event = world.reply(B, named('one'))
    expect(stateAfter([{ type: 'pending.added', messages: [written('one')] }, event]).pending).toHaveLength(1)
  })

  it('survives a snapshot: it is ours, not the server’s', () => {
    const world = new World()
    const state = stateAfter([
      { type: 'pending.added', messages: [written('one')] },
      { type: 'changes', changes: world.snapshot() },
    ])
    expect(names(state.pending)).toEqual(['one'])
  })

  it('keeps its name through failing and a second try', () => {
    const state = stateAfter([
      { type: 'pending.added', messages: [written('one')] },
      { type: 'pending.marked', clientId: named('one'), state: 'sending' },
      { type: 'pending.marked', clientId: named('one'), state: 'unsent' },
    ])
    expect(names(sendable(state.pending))).toEqual(['one'])
  })

  it('sent anyway, makes no demands on what was seen', () => {
    const state = stateAfter([
      { type: 'pending.added', messages: [written('one')] },
      { type: 'pending.marked', clientId: named('one'), state: 'refused', problem: stale },
      { type: 'pending.freed', clientId: named('one') },
    ])
    expect(state.pending[0]).toMatchObject({ clientId: 'one', state: 'unsent' })
    expect(state.pending[0]).not.toHaveProperty('seenRev')
    expect(state.pending[0]).not.toHaveProperty('problem')
  })
})

describe('the outbox', () => {
  it('sends one message of a conversation at a time, in order, and conversations beside each other', () => {
    const state = stateAfter([
      { type: 'pending.added', messages: [written('one'), written('two'), written('three', B)] },
    ])
    expect(names(sendable(state.pending))).toEqual(['one', 'three'])
    const sending = stateAfter([{ type: 'pending.marked', clientId: named('one'), state: 'sending' }], state)
    expect(names(sendable(sending.pending))).toEqual(['three'])
  })

  it('lets a refused message wait for its author without holding up the next', () => {
    const state = stateAfter([
      { type: 'pending.added', messages: [written('one'), written('two')] },
      { type: 'pending.marked', clientId: named('one'), state: 'refused', problem: stale },
    ])
    expect(names(sendable(state.pending))).toEqual(['two'])
  })
})
