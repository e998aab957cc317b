import type { AgentId, InboxId } from '../../../models/ids.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import type { ListQuery } from '../api/endpoints.ts'
import type { LiveState } from '../live/state.ts'

export type View =
  | { name: 'mine' | 'unassigned' | 'open' | 'snoozed' | 'resolved' }
  | { name: 'inbox'; inbox: InboxId }

export const NAMED_VIEWS = ['mine', 'unassigned', 'open', 'snoozed', 'resolved'] as const

/** The view an address names; null for none of ours. */
export function viewOf(name: string | undefined, inbox?: string): View | null {
  if (name === 'inbox') return inbox ? { name, inbox: inbox as InboxId } : null
  const known = NAMED_VIEWS.find((candidate) => candidate === name)
  return known ? { name: known } : null
}

export const viewKey = (view: View): string => (view.name === 'inbox' ? `inbox/${view.inbox}` : view.name)

/** What to ask the server for. It must name the same rows as `belongs`, or live rows and loaded rows disagree. */
export function viewQuery(view: View): ListQuery {
  switch (view.name) {
    case 'mine':
      return { status: 'open', assignee: 'me' }
    case 'unassigned':
      return { status: 'open', assignee: 'none' }
    case 'inbox':
      return { status: 'open', inbox: view.inbox }
    default:
      return { status: view.name }
  }
}

export function belongs(conversation: ConversationView, view: View, me: AgentId): boolean {
  switch (view.name) {
    case 'mine':
      return conversation.status === 'open' && conversation.assignee === me
    case 'unassigned':
      return conversation.status === 'open' && conversation.assignee === null
    case 'inbox':
      return conversation.status === 'open' && conversation.inbox === view.inbox
    default:
      return conversation.status === view.name
  }
}

/** A view's rows, newest activity first, down to where it has been loaded. */
export function rowsOf(
  { conversations, lists }: Pick<LiveState, 'conversations' | 'lists'>,
  view: View,
  me: AgentId,
): ConversationView[] {
  const list = lists[viewKey(view)]
  if (!list) return []
  const { until } = list
  return Object.values(conversations)
    .filter((row) => belongs(row, view, me) && (until === null || row.lastActivityAt >= until))
    .sort(newestFirst)
}

const newestFirst = (a: ConversationView, b: ConversationView): number =>
  a.lastActivityAt === b.lastActivityAt
    ? b.id < a.id
      ? -1
      : 1
    : b.lastActivityAt < a.lastActivityAt
      ? -1
      : 1

/** Lines of the contact's that this agent has not read. */
export function unreadOf(conversation: ConversationView, readings: LiveState['readings']): number {
  const reading = readings[conversation.id]
  // Until a catch-up brings the reading, one is the only number that is surely not too high.
  if (!reading) return conversation.waitingSince ? 1 : 0
  return Math.max(0, conversation.inbound - reading.inbound)
}

/** Open conversations with something unread that are this agent's to answer, now or by taking them. */
export const unreadIn = (
  { conversations, readings }: Pick<LiveState, 'conversations' | 'readings'>,
  view: View,
  me: AgentId,
): number =>
  Object.values(conversations).filter((row) => belongs(row, view, me) && unreadOf(row, readings) > 0).length
