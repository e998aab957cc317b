import type { ClientMessageId, ConversationId } from '../../../models/ids.ts'
import type { MessageView, Problem } from '../../../server/realtime/protocol.ts'
import type { LiveState, PendingMessage } from './state.ts'

/**
 * Local echo. A message shows at once under the name its client gave it; whatever first brings the server's own (the
 * answer, an event, a page, a catch-up) takes its place by that name, and never adds a second one.
 */
export function withoutAnswered(state: LiveState, messages: MessageView[]): LiveState {
  if (!state.pending.length) return state
  const answered = new Set(messages.map(({ conversation, clientId }) => `${conversation} ${clientId}`))
  const pending = state.pending.filter(
    ({ conversation, clientId }) => !answered.has(`${conversation} ${clientId}`),
  )
  return pending.length === state.pending.length ? state : { ...state, pending }
}

export function added(state: LiveState, messages: PendingMessage[]): LiveState {
  const known = new Set(state.pending.map(({ clientId }) => clientId))
  const fresh = messages.filter(({ conversation, clientId }) => {
    const answered = state.timelines[conversation]?.messages.some((message) => message.clientId === clientId)
    return !answered && !known.has(clientId)
  })
  return fresh.length ? { ...state, pending: [...state.pending, ...fresh] } : state
}

export const marked = (
  state: LiveState,
  clientId: ClientMessageId,
  mark: PendingMessage['state'],
  problem?: Problem,
): LiveState =>
  changed(state, clientId, ({ problem: _, ...message }) => ({
    ...message,
    state: mark,
    ...(problem ? { problem } : {}),
  }))

/** Its author has seen what came in between and sends it knowingly: it makes no demands on what was seen any more. */
export const freed = (state: LiveState, clientId: ClientMessageId): LiveState =>
  changed(state, clientId, ({ problem: _, seenRev: __, expectedAssignee: ___, ...message }) => ({
    ...message,
    state: 'unsent',
  }))

export const dropped = (state: LiveState, clientId: ClientMessageId): LiveState => ({
  ...state,
  pending: state.pending.filter((message) => message.clientId !== clientId),
})

const changed = (
  state: LiveState,
  clientId: ClientMessageId,
  change: (message: PendingMessage) => PendingMessage,
): LiveState => ({
  ...state,
  pending: state.pending.map((message) => (message.clientId === clientId ? change(message) : message)),
})

/** The next message of each conversation: in order, one at a time. A refused one waits for its author beside the line. */
export function sendable(pending: PendingMessage[]): PendingMessage[] {
  const first = new Map<ConversationId, PendingMessage>()
  for (const message of pending)
    if (message.state !== 'refused' && !first.has(message.conversation))
      first.set(message.conversation, message)
  return [...first.values()].filter(({ state }) => state === 'unsent')
}

export const isStale = ({ problem }: PendingMessage): boolean => problem?.code === 'stale_reply'
