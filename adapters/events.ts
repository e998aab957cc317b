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
/** The contact took back what they had written. */
export interface DeletionEvent {
  kind: 'deletion'
  from: Address
  providerId: ProviderMessageId
}
/** Everything sent to them up to a moment was delivered or read: for providers that name a moment instead of messages. */
export interface WatermarkEvent {
  kind: 'watermark'
  from: Address
  status: 'delivered' | 'read'
  upTo: Date
  /** Messages that it names besides: they are meant whatever our clock says of them. */
  named?: ProviderMessageId[]
}
/** A message that went out in our name, but not by us: somebody answered in the provider's own app. */
export interface EchoEvent {
  kind: 'echo'
  to: Address
  providerId: ProviderMessageId
  content: Content
  writtenAt?: Date
}
/** A delivery receipt. It names the attempt by our key, by the provider's id, or by both. */
export interface StatusEvent {
  kind: 'status'
  /** Whose message it is, where what follows leans on it: news of one contact is taken in the order it came. */
  to?: Address
  providerId?: ProviderMessageId
  attemptKey?: AttemptKey
  status: ReceiptStatus
  code?: string
  reason?: string
  /** What the provider says it cost, as a decimal in `currency` (ISO 4217). */
  price?: { amount: string; currency: string }
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
/** We were put where no conversation of ours is: a group. It is declined. */
export interface InvitationEvent {
  kind: 'invitation'
  where: Address
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
  | DeletionEvent
  | StatusEvent
  | WatermarkEvent
  | EchoEvent
  | TypingEvent
  | ReachabilityEvent
  | InvitationEvent
  | IgnoredEvent
