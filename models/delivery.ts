import type { AttemptKey, ProviderMessageId, RouteId } from './ids.ts'

/**
 * Where an outbound message stands. `queued` waits for its turn; `sending` has an attempt under way; `uncertain` may or
 * may not have left and only proof or a person moves it on; `failed` ends it unless the provider later proves otherwise.
 */
export const DELIVERY_STATES = [
  'queued',
  'sending',
  'uncertain',
  'sent',
  'failed',
  'delivered',
  'read',
] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** What a provider's receipt can say of a message. */
export type ReceiptStatus = Extract<DeliveryState, 'sent' | 'failed' | 'delivered' | 'read'>

const RANKS: Record<DeliveryState, number> = {
  queued: 0,
  sending: 1,
  uncertain: 2,
  sent: 3,
  failed: 4,
  delivered: 5,
  read: 6,
}

/**
 * A state's place on the ladder. A receipt moves a message only to a higher rank, so late and doubled receipts are
 * quiet, `failed` never follows `delivered`, and a carrier that corrects itself after `failed` is believed.
 */
export const rankOf = (state: DeliveryState): number => RANKS[state]

/** How one attempt ended; `pending` while it is under way. The words are those of `adapters/outcomes.ts`. */
export type AttemptOutcome =
  | 'pending'
  | 'accepted'
  | 'rejected'
  | 'rate-limited'
  | 'unavailable'
  | 'uncertain'

/** One line of the ledger under a message. */
export interface Attempt {
  /** Stored before the provider is called, and given to it where it takes one, so that an early receipt finds us. */
  key: AttemptKey
  route: RouteId
  provider: string
  startedAt: Date
  /** Milliseconds the provider took to answer. */
  tookMs?: number
  outcome: AttemptOutcome
  providerId?: ProviderMessageId
  /** The provider's own code and words, free of secrets and of what the message says. */
  code?: string
  reason?: string
}

/** Why a message did not get through, in a sentence an agent can read. */
export interface DeliveryProblem {
  code: string
  reason: string
}

/** The outbox inside an outbound message. */
export interface Delivery {
  state: DeliveryState
  rank: number
  /** True while the worker has something left to do; it is what the partial indexes select. */
  pending?: boolean
  /** When the worker should next look at it. While `sending`, the moment its sender is presumed dead. */
  dueAt?: Date
  /** After this it is not sent any more but fails, saying so: nobody wants Tuesday's answer on Thursday at 3 a.m. */
  expiresAt: Date
  /** Tries of the current round that surely did not send. An agent's retry starts a new round at 0. */
  tries: number
  attempts: Attempt[]
  /** The route of the last attempt, and the sentence that says why it was chosen. */
  route?: RouteId
  reason?: string
  problem?: DeliveryProblem
  sentAt?: Date
  deliveredAt?: Date
  readAt?: Date
}
