import type { ProviderMessageId } from '../models/ids.ts'

/**
 * How a send can end, in five words. Only `unavailable` and `rate-limited` say for certain that nothing was sent, so only
 * they may be tried again or move on to another route.
 */
export type Outcome = Accepted | Rejected | RateLimited | Unavailable | Uncertain

/** The provider has it and named it. */
export interface Accepted {
  outcome: 'accepted'
  providerId: ProviderMessageId
}
/** Final for this recipient or content: no other route would do better. */
export interface Rejected {
  outcome: 'rejected'
  code: string
  /** A sentence an agent can read. */
  reason: string
}
/** Not sent: the provider asks us to wait. */
export interface RateLimited {
  outcome: 'rate-limited'
  /** Milliseconds the provider asked for, where it said. */
  retryAfterMs?: number
  code: string
  reason: string
}
/** Surely not sent: a refused connection, a 5xx that says so, our own account or settings refused. */
export interface Unavailable {
  outcome: 'unavailable'
  code: string
  reason: string
  /** True where only a person can mend it (a revoked token, a wrong sender): the same route need not be tried again. */
  needsAttention?: boolean
}
/** May have been sent: the connection ended after the request left, or the answer made no sense. */
export interface Uncertain {
  outcome: 'uncertain'
  code: string
  reason: string
}

export const accepted = (providerId: string): Accepted => ({
  outcome: 'accepted',
  providerId: providerId as ProviderMessageId,
})
export const rejected = (code: string, reason: string): Rejected => ({ outcome: 'rejected', code, reason })
export const rateLimited = (code: string, reason: string, retryAfterMs?: number): RateLimited => ({
  outcome: 'rate-limited',
  code,
  reason,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
})
export const unavailable = (code: string, reason: string): Unavailable => ({
  outcome: 'unavailable',
  code,
  reason,
})
export const needsAttention = (code: string, reason: string): Unavailable => ({
  outcome: 'unavailable',
  code,
  reason,
  needsAttention: true,
})
export const uncertain = (code: string, reason: string): Uncertain => ({ outcome: 'uncertain', code, reason })
