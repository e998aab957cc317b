import { z } from 'zod'
import type { HttpAnswer } from '../adapter.ts'
import {
  type Accepted,
  needsAttention,
  type Outcome,
  rateLimited,
  rejected,
  unavailable,
  uncertain,
} from '../outcomes.ts'

type Failure = Exclude<Outcome, Accepted>

/**
 * What an error code means for a message. `theirs`: final for this person or content. `ours`: the account or its settings,
 * for a person to mend. `limited`: wait. `failed`: Meta says that it did not send, and may later.
 */
export interface Meaning {
  is: 'theirs' | 'ours' | 'limited' | 'failed'
  sentence: string
  /** The wait that the documentation asks for where the answer names none. */
  waitMs?: number
}
/** By `code`, or by `code/subcode` where a code alone says too little. */
export type Codes = Readonly<Record<string, Meaning>>

export const theirs = (sentence: string): Meaning => ({ is: 'theirs', sentence })
export const ours = (sentence: string): Meaning => ({ is: 'ours', sentence })
export const limited = (sentence: string, waitMs?: number): Meaning => ({
  is: 'limited',
  sentence,
  ...(waitMs !== undefined && { waitMs }),
})
export const failed = (sentence: string): Meaning => ({ is: 'failed', sentence })

/**
 * Codes that mean the same on every product of the Graph API. 1 is left out: "unknown error" says nothing of the message.
 * @see https://developers.facebook.com/docs/graph-api/guides/error-handling/
 */
export const GRAPH_CODES: Codes = {
  0: ours('Meta refused the access token.'),
  2: failed('Meta was not available.'),
  3: ours('The Meta app may not do this.'),
  4: limited('The Meta app made too many calls.'),
  10: ours('The Meta app lacks a permission.'),
  17: limited('Meta asks us to slow down.'),
  32: limited('Meta asks us to slow down.'),
  '100/33': ours('Meta does not know this sender, or the access token may not use it.'),
  190: ours('Meta refused the access token. It may have expired or been revoked.'),
  368: ours('Meta has blocked this account for a breach of its policies.'),
  613: limited('Meta asks us to slow down.'),
  803: ours('Meta does not know this sender.'),
}

const GraphError = z.object({
  error: z.object({
    code: z.int(),
    error_subcode: z.int().optional().catch(undefined),
    message: z.string().catch(''),
    is_transient: z.boolean().optional().catch(undefined),
  }),
})
type GraphError = z.infer<typeof GraphError>['error']

/** What an answer other than success says of the message. The sentences are ours: Meta's may quote numbers and texts. */
export function outcomeOfAnswer(answer: HttpAnswer, codes: Codes): Failure {
  const error = GraphError.safeParse(jsonOf(answer.body)).data?.error
  return error ? outcomeOfError(answer, error, codes) : outcomeOfNonsense(answer.status)
}

function outcomeOfError({ status, headers }: HttpAnswer, error: GraphError, codes: Codes): Failure {
  const [code, meaning] = meaningOf(error, codes)
  if (/appsecret_proof/.test(error.message))
    return needsAttention(code, 'The app secret is not that of the app the access token belongs to.')
  if (meaning?.is === 'limited' || status === 429)
    return rateLimited(
      code,
      meaning?.sentence ?? 'Meta asks us to slow down.',
      waitIn(headers) ?? meaning?.waitMs,
    )
  // A gateway gave up waiting: what Meta made of the request is not known, whatever its page says.
  if (status === 504) return uncertain(code, 'Meta did not answer in time.')
  switch (meaning?.is) {
    case 'theirs':
      return rejected(code, meaning.sentence)
    case 'ours':
      return needsAttention(code, meaning.sentence)
    case 'failed':
      return unavailable(code, meaning.sentence)
    case undefined:
      return outcomeOfUnknown(status, code, error)
  }
}

function outcomeOfUnknown(status: number, code: string, error: GraphError): Failure {
  if (error.is_transient || status === 503) return unavailable(code, 'Meta had an error and sent nothing.')
  if (status >= 500) return uncertain(code, 'Meta had an error and did not say whether it took the message.')
  if (isPermission(error) || status === 401 || status === 403 || status === 404)
    return needsAttention(code, `Meta does not allow this (error ${code}).`)
  return rejected(code, `Meta refused this message (error ${code}).`)
}

/** 200 to 299 are permissions. */
const isPermission = ({ code }: GraphError): boolean => code >= 200 && code <= 299

/** The code as we tell it, with its subcode where that matters or where we know neither, and what it means. */
function meaningOf({ code, error_subcode }: GraphError, codes: Codes): [code: string, meaning?: Meaning] {
  const [name, whole] = [String(code), `${code}/${error_subcode}`]
  const [exact, general] = [codes[whole], codes[name]]
  if (exact) return [whole, exact]
  return general ? [name, general] : [error_subcode ? whole : name]
}

/**
 * Without an error in the Graph API's words the answer came from something in between. A 4xx refuses; 503 says that nobody
 * took the request; any other (500, 502, 504, a 200 that is no JSON) may follow a request that Meta received.
 */
function outcomeOfNonsense(status: number): Failure {
  if (status === 503) return unavailable('503', 'Meta is not available.')
  if (status === 429) return rateLimited('429', 'Meta asks us to slow down.')
  if (status === 413) return rejected('413', 'This is too large for Meta.')
  if (status === 408) return uncertain('408', 'Meta did not receive the whole request in time.')
  if (status >= 400 && status < 500)
    return needsAttention(String(status), 'The address of the Graph API answers, but not as Meta does.')
  return uncertain(String(status), `Meta's answer made no sense (HTTP ${status}).`)
}

const Usage = z.record(
  z.string(),
  z.array(z.object({ estimated_time_to_regain_access: z.number().nonnegative().catch(0) })),
)

/** There is no `Retry-After`; minutes stand in a header. @see https://developers.facebook.com/docs/graph-api/overview/rate-limiting/ */
function waitIn(headers: HttpAnswer['headers']): number | undefined {
  const header = headers['x-business-use-case-usage']
  const usage = header === undefined ? undefined : Usage.safeParse(jsonOf(header)).data
  const minutes = Object.values(usage ?? {}).flatMap((rows) =>
    rows.map((row) => row.estimated_time_to_regain_access),
  )
  const longest = Math.max(0, ...minutes)
  return longest > 0 ? longest * 60_000 : undefined
}

export function jsonOf(body: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}
