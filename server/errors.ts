import type { Problem } from './realtime/protocol.ts'

/**
 * Every error a client can meet: HTTP status, a title, whether the same request may succeed later. `docs/errors.md` is
 * held equal to this table by a test.
 */
export const ERRORS = {
  invalid_request: { status: 400, title: 'The request is not valid', retryable: false },
  unreadable_body: { status: 400, title: 'The body cannot be read', retryable: false },
  unauthenticated: { status: 401, title: 'Sign in first', retryable: false },
  wrong_credentials: { status: 401, title: 'E-mail or password is wrong', retryable: false },
  forged: { status: 403, title: 'The signature is missing or wrong', retryable: false },
  forbidden: { status: 403, title: 'Your role does not allow this', retryable: false },
  not_found: { status: 404, title: 'There is nothing here', retryable: false },
  stale_reply: { status: 409, title: 'The conversation moved on', retryable: false },
  conflict: { status: 409, title: 'It is in another state', retryable: false },
  already_exists: { status: 409, title: 'It exists already', retryable: false },
  too_large: { status: 413, title: 'It is too large', retryable: false },
  cannot_carry: { status: 422, title: 'The channel cannot carry this', retryable: false },
  window_closed: { status: 422, title: 'The channel takes no such message now', retryable: false },
  opted_out: { status: 422, title: 'This person wants no messages', retryable: false },
  rate_limited: { status: 429, title: 'Too many requests', retryable: true },
  internal: { status: 500, title: 'Something went wrong on our side', retryable: true },
  provider_refused: { status: 502, title: 'The provider refused', retryable: false },
  unavailable: { status: 503, title: 'Not available right now', retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>

export type ErrorCode = keyof typeof ERRORS

/** Thrown anywhere on a request's way; becomes the answer. `detail` is a sentence for a person, free of secrets. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: ErrorCode
  readonly extra: Partial<Pick<Problem, 'errors' | 'unseen'>>
  /** Seconds after which it is worth trying again, where that is known. */
  readonly retryAfter: number | undefined

  constructor(
    code: ErrorCode,
    detail: string,
    extra: Partial<Pick<Problem, 'errors' | 'unseen'>> & { retryAfter?: number } = {},
  ) {
    super(detail)
    const { retryAfter, ...rest } = extra
    this.code = code
    this.extra = rest
    this.retryAfter = retryAfter
  }

  get problem(): Problem {
    const { status, title, retryable } = ERRORS[this.code]
    return {
      type: `about:blank#${this.code}`,
      title,
      status,
      code: this.code,
      detail: this.message,
      retryable,
      ...this.extra,
    }
  }
}

export const notFound = (what: string): Refusal => new Refusal('not_found', `There is no such ${what}.`)
