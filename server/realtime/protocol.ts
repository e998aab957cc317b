import type { CredentialField } from '../../adapters/adapter.ts'
import type { Capabilities } from '../../adapters/capabilities.ts'
import type { Channel, Provider } from '../../models/channels.ts'
import type { Content } from '../../models/content.ts'
import type { AttemptOutcome, DeliveryProblem, DeliveryState } from '../../models/delivery.ts'
import type {
  AgentId,
  ApiKeyId,
  AttemptKey,
  ClientMessageId,
  ContactId,
  ConversationId,
  IdentityId,
  InboxId,
  MergeId,
  MessageId,
  RouteId,
} from '../../models/ids.ts'

/**
 * What server and clients say to each other, over REST and sockets alike. Types only: the browser imports this file, and
 * nothing else of the server's. Moments are ISO 8601 strings in UTC.
 */

export type Role = 'admin' | 'supervisor' | 'agent'
export type ConversationStatus = 'open' | 'snoozed' | 'resolved'

export interface AgentView {
  id: AgentId
  name: string
  email: string
  role: Role
}

export interface InboxView {
  id: InboxId
  name: string
  channel: Channel
  /** What the inbox's routes can carry; the composer obeys it. */
  capabilities: Capabilities
  routes: RouteView[]
}
export interface RouteView {
  id: RouteId
  provider: Provider
  sender: string
  /** Where the provider must post; for admins to paste where it cannot be set by us. */
  webhookUrl: string
}

/** What can be connected: the fields of a form, as the adapter asks for them. */
export interface ProviderView {
  provider: Provider
  channel: Channel
  title: string
  asks: CredentialField[]
  asksSender: Pick<CredentialField, 'label' | 'hint' | 'optional'> | null
}

/** How one route of an inbox is doing. */
export interface RouteHealthView {
  route: RouteId
  provider: Provider
  /** What the provider says of the account now; null where it cannot be asked without sending. */
  account: { ok: true; name: string } | { ok: false; reason: string } | null
  /**
   * Where the provider posts: `set` by us, to be `pasted` by a person, `failed` to be set, or `unreachable`, as nobody
   * outside can call us without a public address.
   */
  webhook: { url: string; state: 'set' | 'paste' | 'failed' | 'unreachable'; reason?: string }
  lastReceiptAt: string | null
  lastSentAt: string | null
  /** Since midnight, UTC. */
  sentToday: number
  errorsToday: { code: string; reason: string; count: number; lastAt: string }[]
}

export interface ConversationView {
  id: ConversationId
  inbox: InboxId
  channel: Channel
  /** `reachable` false: they blocked this inbox. `optedOut`: they asked to hear nothing more from us, on any channel. */
  contact: { id: ContactId; name: string; address: string; reachable: boolean; optedOut: boolean }
  status: ConversationStatus
  assignee: AgentId | null
  labels: string[]
  /** The last change's place in this conversation; every change takes the next. */
  rev: number
  /** How many messages the contact has written in all. */
  inbound: number
  lastMessage: {
    author: { id: string; name: string }
    preview: string
    direction: Direction
    note: boolean
    at: string
  } | null
  /** Since when the contact waits for an answer; null when nobody waits. */
  waitingSince: string | null
  theyWroteAt: string | null
  /** When the provider's window for free writing closes; null where there is none. What holds then: `models/windows.ts`. */
  windowClosesAt: string | null
  snoozedUntil: string | null
  resolution: { by: AgentId; at: string } | null
  createdAt: string
  lastActivityAt: string
}

/** How far one agent has read one conversation. Unread = conversation.inbound - inbound, never below 0. */
export interface ReadingView {
  conversation: ConversationId
  agent: AgentId
  rev: number
  inbound: number
}

/** A row of an agent's list: the conversation and that agent's own reading. */
export interface ConversationRow extends ConversationView {
  reading: ReadingView
}

export type Direction = 'inbound' | 'outbound'
export type Author =
  | { kind: 'contact'; id: ContactId; name: string }
  | { kind: 'agent'; id: AgentId; name: string }
  | { kind: 'api'; id: ApiKeyId; name: string }
  | { kind: 'system'; id: 'system'; name: string }

export interface MessageView {
  id: MessageId
  conversation: ConversationId
  /** Its place in the timeline. */
  rev: number
  /** The rev of its last change; a lower or equal one than the one held is old news. */
  changedRev: number
  direction: Direction
  author: Author
  content: Content
  clientId?: ClientMessageId
  /** True for a note that only agents see. */
  note: boolean
  replyTo?: MessageId
  delivery?: DeliveryView
  reactions: { by: 'contact' | 'agent'; emoji: string }[]
  /** When it was taken back. What it said is still here, to be shown as deleted. */
  deletedAt?: string
  /** What it said before, oldest first, where the contact or the agent edited it. */
  edits: { content: Content; at: string }[]
  createdAt: string
}

/** A message as the system that sent it sees it. */
export interface SentView {
  id: MessageId
  conversation: ConversationId
  createdAt: string
  delivery?: DeliveryView
}

/** Another system's key, without its secret. */
export interface ApiKeyView {
  id: ApiKeyId
  name: string
  createdBy: AgentId
  createdAt: string
  revokedAt: string | null
}

/** A person, on however many channels, as far as the asking agent may see them. */
export interface ContactView {
  id: ContactId
  name: string
  createdAt: string
  identities: { id: IdentityId; channel: Channel; address: string; name: string; optedOut: boolean }[]
  /** All conversations with them, the latest active first, at most fifty. */
  conversations: ConversationView[]
  /** Who was found to be them, and can be told apart again. */
  merges: { id: MergeId; from: string; at: string }[]
}

export interface DeliveryView {
  state: DeliveryState
  route?: RouteId
  /** Why this route. */
  reason?: string
  problem?: DeliveryProblem
  attempts: AttemptView[]
  sentAt?: string
  deliveredAt?: string
  readAt?: string
  /** When it will be tried again, while it waits after a try that surely did not send. */
  retryAt?: string
}
export interface AttemptView {
  key: AttemptKey
  provider: string
  startedAt: string
  tookMs?: number
  outcome: AttemptOutcome
  code?: string
  reason?: string
}

/** An agent in the presence list: here while any of their tabs is connected. */
export interface PresenceView {
  agent: AgentId
  name: string
}
/** Who has a conversation open, and who is writing an answer there now. */
export interface ViewersView {
  conversation: ConversationId
  viewers: { agent: AgentId; name: string; replying: boolean }[]
}

/** What happened since a cursor, or everything one needs to start afresh. */
export interface Changes {
  /** True: the cursor was too old or unknown. Drop what you hold; the rows are the first page of the list. */
  snapshot: boolean
  conversations: ConversationRow[]
  messages: MessageView[]
  readings: ReadingView[]
  /** Opaque; give it back next time. */
  cursor: string
  /** True: ask again at once with the new cursor. */
  more: boolean
}

export interface Problem {
  type: string
  title: string
  status: number
  code: string
  /** A sentence for a person. */
  detail: string
  retryable: boolean
  /** The fields that are wrong, as `{ field, message }`, for code `invalid_request`. */
  errors?: { field: string; message: string }[]
  /** For code `stale_reply`: the lines the author had not seen. */
  unseen?: MessageView[]
}

/** The acknowledgement of a client's event. */
export type Ack<T = undefined> = (answer: { ok: true; data: T } | { ok: false; problem: Problem }) => void

export interface ServerToClientEvents {
  /** A new turn. The conversation is as it stands after it: one event, one rev. */
  'message.added': (event: { conversation: ConversationView; message: MessageView }) => void
  /** A status, an edit, a reaction, a file that arrived. */
  'message.changed': (event: { conversation: ConversationView; message: MessageView }) => void
  /** Assignment, status, labels, snooze, the contact's name. */
  'conversation.changed': (event: { conversation: ConversationView }) => void
  /** To one agent's own tabs. */
  'reading.changed': (event: { reading: ReadingView }) => void
  /** Somebody is writing; volatile, and over after `TYPING_EXPIRES_MS` unless repeated. */
  typing: (event: {
    conversation: ConversationId
    by: { kind: 'contact' | 'agent'; id: string; name: string }
  }) => void
  /** Who is online in the workspace, whole. */
  presence: (event: { agents: PresenceView[] }) => void
  /** Who looks at a conversation that you have open, whole. */
  viewers: (event: ViewersView) => void
  /** The inboxes an agent may see changed: fetch them again. */
  'inboxes.changed': () => void
}

export interface ClientToServerEvents {
  'conversation.open': (event: { conversation: ConversationId }, ack: Ack<ViewersView>) => void
  'conversation.close': (event: { conversation: ConversationId }, ack: Ack) => void
  /** `replying: false` says that the draft is empty or sent. */
  typing: (event: { conversation: ConversationId; replying: boolean }, ack: Ack) => void
  'catch-up': (event: { cursor: string | null }, ack: Ack<Changes>) => void
  /** A fresh access token, before the one the socket came with runs out. */
  authenticate: (event: { token: string }, ack: Ack<{ expiresIn: number }>) => void
}

/** A typing mark is over after this, unless repeated. Clients repeat at most every half of it. */
export const TYPING_EXPIRES_MS = 5_000
