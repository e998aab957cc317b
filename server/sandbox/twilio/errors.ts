import type { Response } from 'express'

/** A refusal in Twilio's words. @see https://www.twilio.com/docs/usage/twilios-response */
export class TwilioRefusal extends Error {
  override name = 'TwilioRefusal'
  readonly status: number
  readonly code: number
  constructor(status: number, code: number, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export function refuse(response: Response, { status, code, message }: TwilioRefusal): void {
  const more_info = `https://www.twilio.com/docs/errors/${code}`
  response.status(status).json({ code, message, more_info, status })
}

/** What Twilio says when it fails or is asked too often; a gateway's 502 and 504 come without Twilio's words. */
export function refuseWithStatus(response: Response, status: number, retryAfter: number | undefined): void {
  if (retryAfter !== undefined) response.set('retry-after', String(retryAfter))
  if (status === 502 || status === 504) {
    response.status(status).type('html').send('<html><body><h1>Bad Gateway</h1></body></html>')
    return
  }
  refuse(
    response,
    new TwilioRefusal(status, CODES[status] ?? 20500, TEXTS[status] ?? 'Internal Server Error'),
  )
}

const CODES: Record<number, number> = { 401: 20003, 404: 20404, 429: 20429, 503: 20503 }
const TEXTS: Record<number, string> = {
  401: 'Authenticate',
  404: 'The requested resource was not found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
}
