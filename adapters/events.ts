import type { Content } from '../models/content.ts'
import type { ReceiptStatus } from '../models/delivery.ts'
import type { Address, AttemptKey, ProviderMessageId } from '../models/ids.ts'

/** What the provider tells of the person who wrote. */
export interface Profile {
  name?: string
  username?: string
  /** E.164, where the channel shows it. */
  phone?: string
  language?: string
}

/** The contact wrote. What we cannot show is a message too, of content `unsupported`. */
export interface MessageEvent {
  kind: 'message'
  from: Address
  profile: Profile
  providerId: ProviderMessageId
  content: Content
  /** The message it answers, by the provider's name for it. */
  replyTo?: ProviderMessageId
  /** When the provider says it was written; order never leans on it. */
  writtenAt?: Date
}
/** The contact changed what was written. A lower or equal `version` than the last one seen is old news. */
export interface EditEvent {
  kind: 'edit'
  from: Address
  providerId: ProviderMessageId
  version: number
  content: Content
}
/** The contact's reactions on one message, as they now stand; none means taken back. */
export interface ReactionEvent {
  kind: 'reaction'
  from: Address
  providerId: ProviderMessageId
  emojis: string[]
  version: number
}
/** A delivery receipt. It names the attempt by our key, by the provider's id, or by both. */
export interface StatusEvent {
  kind: 'status'
  providerId?: ProviderMessageId
  attemptKey?: AttemptKey
  status: ReceiptStatus
  code?: string
  reason?: string
}
export interface TypingEvent {
  kind: 'typing'
  from: Address
}
/** The contact shut or reopened the door to us. */
export interface ReachabilityEvent {
  kind: 'reachability'
  from: Address
  reachable: boolean
}
/** Something that asks nothing of us; named so that a log can count it. */
export interface IgnoredEvent {
  kind: 'ignored'
  what: string
}

export type ProviderEvent =
  | MessageEvent
  | EditEvent
  | ReactionEvent
  | StatusEvent
  | TypingEvent
  | ReachabilityEvent
  | IgnoredEvent
