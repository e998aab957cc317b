import type { Content } from '../../../models/content.ts'
import type { AgentId, ClientMessageId, ConversationId, MessageId } from '../../../models/ids.ts'
import type {
  Changes,
  ConversationRow,
  ConversationView,
  MessageView,
  Problem,
  ReadingView,
} from '../../../server/realtime/protocol.ts'

/** Everything the server told this tab, and what this tab still has to tell the server. */
export interface LiveState {
  /** Where the next catch-up starts; null until the first one has answered. */
  cursor: string | null
  /** Counts what was noticed missing: each is a reason to catch up, also one noticed while a catch-up is under way. */
  gaps: number
  /** Counts snapshots and sign-outs. What was asked for before one must not be applied after it. */
  epoch: number
  conversations: Record<ConversationId, ConversationView>
  /** This agent's own, beside the conversations because they change by events of their own. */
  readings: Record<ConversationId, Reading>
  lists: Record<string, ListWindow>
  timelines: Record<ConversationId, Timeline>
  /** In the order they were written. */
  pending: PendingMessage[]
}

/** How far this agent has read; whose it is goes without saying. */
export type Reading = Omit<ReadingView, 'agent'>

/**
 * How far down a view has been loaded. A view shows the held conversations that belong to it, down to here: below may
 * be some that another view brought, with holes between them.
 */
export interface ListWindow {
  /** The last loaded row's activity; null when the end has been reached. */
  until: string | null
  next: string | null
}

/** A run of messages without holes, ascending by rev. */
export interface Timeline {
  messages: MessageView[]
  ready: boolean
  hasOlder: boolean
  hasNewer: boolean
  /** A page is on its way. */
  busy: boolean
  failed: boolean
  /** What came while its place was not known yet; it finds it when the page is there. */
  early: MessageView[]
  /** The oldest rev of the first page: what scrolls stays where it is while older pages come in above. */
  anchor: number
}

/** A message of this agent's that the server has not answered for. It is an ordinary message without a rev. */
export interface PendingMessage {
  clientId: ClientMessageId
  conversation: ConversationId
  author: AgentId
  content: Content
  note: boolean
  replyTo?: MessageId
  seenRev?: number
  expectedAssignee?: AgentId
  createdAt: string
  /** `refused` waits for its author: sent again as it is, it would be refused again. */
  state: 'sending' | 'unsent' | 'refused'
  problem?: Problem
}

export type LiveEvent =
  | { type: 'message.added' | 'message.changed'; conversation: ConversationView; message: MessageView }
  | { type: 'conversation.changed'; conversation: ConversationView }
  | { type: 'reading.changed'; reading: ReadingView }
  | { type: 'changes'; changes: Changes }
  /** Rows that were asked for one by one, or that answered an action. */
  | { type: 'rows.loaded'; rows: ConversationRow[]; epoch: number }
  | { type: 'list.loaded'; key: string; rows: ConversationRow[]; next: string | null; epoch: number }
  | { type: 'message.answered'; message: MessageView }
  | { type: 'timeline.asked'; conversation: ConversationId }
  | { type: 'timeline.page'; conversation: ConversationId; page: TimelinePage; epoch: number }
  | { type: 'timeline.failed'; conversation: ConversationId; epoch: number }
  | { type: 'timeline.dropped'; conversation: ConversationId }
  | { type: 'pending.added'; messages: PendingMessage[] }
  | { type: 'pending.marked'; clientId: ClientMessageId; state: PendingMessage['state']; problem?: Problem }
  | { type: 'pending.freed'; clientId: ClientMessageId }
  | { type: 'pending.dropped'; clientId: ClientMessageId }

export interface TimelinePage {
  which: 'latest' | 'older' | 'newer'
  messages: MessageView[]
  /** Nothing more lies in that direction. */
  end: boolean
}

export const emptyState = (): LiveState => ({
  cursor: null,
  gaps: 0,
  epoch: 0,
  conversations: {},
  readings: {},
  lists: {},
  timelines: {},
  pending: [],
})
