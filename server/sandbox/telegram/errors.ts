/** A refusal, as the Bot API words it. @see https://core.telegram.org/bots/api#making-requests */
export class BotApiError extends Error {
  override name = 'BotApiError'
  readonly code: number
  readonly parameters: { retry_after?: number } | undefined
  constructor(code: number, description: string, parameters?: { retry_after?: number }) {
    super(description)
    this.code = code
    this.parameters = parameters
  }
  body(): object {
    return {
      ok: false,
      error_code: this.code,
      description: this.message,
      ...(this.parameters && { parameters: this.parameters }),
    }
  }
}

export const badRequest = (what: string): BotApiError => new BotApiError(400, `Bad Request: ${what}`)
export const unauthorized = (): BotApiError => new BotApiError(401, 'Unauthorized')
export const notFound = (): BotApiError => new BotApiError(404, 'Not Found')
export const blocked = (): BotApiError => new BotApiError(403, 'Forbidden: bot was blocked by the user')
export const cannotInitiate = (): BotApiError =>
  new BotApiError(403, "Forbidden: bot can't initiate conversation with a user")

/** What the server says when it fails or is asked too often. */
export function errorOfStatus(status: number, retryAfter: number | undefined): BotApiError {
  if (status !== 429) return new BotApiError(status, TEXTS[status] ?? 'Internal Server Error')
  return retryAfter === undefined
    ? new BotApiError(429, 'Too Many Requests')
    : new BotApiError(429, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter })
}

const TEXTS: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
}
