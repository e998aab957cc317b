import type { Response } from 'express'

/** A refusal in the Graph API's words. @see https://developers.facebook.com/docs/graph-api/guides/error-handling/ */
export class GraphRefusal extends Error {
  override name = 'GraphRefusal'
  readonly status: number
  readonly code: number
  readonly subcode: number | undefined
  constructor(status: number, code: number, message: string, subcode?: number) {
    super(`(#${code}) ${message}`)
    this.status = status
    this.code = code
    this.subcode = subcode
  }
}

export const badParameter = (what: string): GraphRefusal => new GraphRefusal(400, 100, what)
export const badToken = (): GraphRefusal =>
  new GraphRefusal(401, 190, 'Invalid OAuth access token - Cannot parse access token')
/** What is not there and what the token may not see look alike. */
export const noSuchObject = (id: string): GraphRefusal =>
  new GraphRefusal(
    400,
    100,
    `Unsupported request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions`,
    33,
  )

export function refuse(response: Response, { status, code, subcode, message }: GraphRefusal): void {
  response.status(status).json({
    error: {
      message,
      type: code === 100 && subcode === 33 ? 'GraphMethodException' : 'OAuthException',
      code,
      ...(subcode !== undefined && { error_subcode: subcode }),
      ...(status >= 500 && { is_transient: true }),
      fbtrace_id: 'AbCdEfGh123',
    },
  })
}

/** What Meta says when it fails or is asked too often; what stands before it answers 502 and 504 without its words. */
export function refuseWithStatus(response: Response, status: number, retryAfter: number | undefined): void {
  if (status === 502 || status === 504) {
    response.status(status).type('html').send(`<html><body><h1>${status}</h1></body></html>`)
    return
  }
  if (status === 429 && retryAfter !== undefined) response.set('x-business-use-case-usage', usage(retryAfter))
  const [code, message] = WORDS[status] ?? (status >= 500 ? UNAVAILABLE : INVALID)
  refuse(response, new GraphRefusal(status, code, message))
}

/** Meta counts in minutes. */
const usage = (seconds: number): string =>
  JSON.stringify({
    '1': [
      {
        type: 'messenger',
        call_count: 100,
        total_cputime: 25,
        total_time: 25,
        estimated_time_to_regain_access: Math.ceil(seconds / 60),
      },
    ],
  })

const UNAVAILABLE = [2, 'Service temporarily unavailable'] as const
const INVALID = [100, 'Invalid parameter'] as const
const WORDS: Record<number, readonly [code: number, message: string]> = {
  401: [190, 'Invalid OAuth access token - Cannot parse access token'],
  403: [10, 'Application does not have permission for this action'],
  404: [803, 'Some of the aliases you requested do not exist'],
  429: [4, 'Application request limit reached'],
}
