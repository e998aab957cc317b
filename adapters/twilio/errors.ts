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

/** @see https://www.twilio.com/docs/usage/twilios-response */
const TwilioError = z.object({ code: z.int(), message: z.string() })

/** What an answer other than success says of the message. The sentences are ours: Twilio's quote numbers and may change. */
export function outcomeOfAnswer({
  status,
  headers,
  body,
}: Pick<HttpAnswer, 'status' | 'headers' | 'body'>): Failure {
  const code = TwilioError.safeParse(jsonOf(body)).data?.code
  if (status === 429 || code === 20429 || code === QUEUE_FULL)
    return rateLimited(
      String(code ?? status),
      code === QUEUE_FULL ? 'The queue of this sender is full.' : 'Twilio asks us to slow down.',
      secondsOf(headers['retry-after']),
    )
  if (status >= 500) return outcomeOfServerError(status, code)
  if (status >= 400) return outcomeOfRefusal(status, code)
  return uncertain(String(status), `Twilio's answer made no sense (HTTP ${status}).`)
}

/** Ten hours of messages are waiting already. */
const QUEUE_FULL = 21611

/**
 * Twilio knows no idempotency key, so what may have been sent must not be sent again. An error in Twilio's own words says
 * that no message was made, and 503 that nobody took the request; a gateway's 500, 502 or 504 may follow a request that
 * arrived, and a 504 may even in Twilio's words.
 */
function outcomeOfServerError(status: number, code: number | undefined): Failure {
  if (status === 503 || (code !== undefined && status !== 504))
    return unavailable(String(code ?? status), 'Twilio had an error and did not take the message.')
  return uncertain(String(status), 'Twilio had an error and did not say whether it took the message.')
}

function outcomeOfRefusal(status: number, code: number | undefined): Failure {
  if (code === undefined) {
    if (status === 408) return uncertain('408', 'Twilio did not receive the whole request in time.')
    return needsAttention(String(status), 'The address of the API answers, but not as Twilio does.')
  }
  const ours = OURS[code]
  if (ours) return needsAttention(String(code), ours)
  const theirs = THEIRS[code]
  if (theirs) return rejected(String(code), theirs)
  if (status === 401 || status === 403)
    return needsAttention(String(code), 'Twilio does not allow this account to do that.')
  return rejected(String(code), `Twilio refused this message (error ${code}).`)
}

/** The sentence for an error code of a status callback. */
export const reasonOfCode = (code: string): string =>
  LATER[code] ??
  THEIRS[Number(code)] ??
  OURS[Number(code)] ??
  `The carrier did not deliver it (error ${code}).`

/** Final for this recipient or content. @see https://www.twilio.com/docs/api/errors */
const THEIRS: Record<number, string> = {
  21211: 'This is not a valid phone number.',
  21214: 'This phone number cannot be reached.',
  21217: 'This is not a valid phone number.',
  21602: 'There is nothing in this message.',
  21604: 'The recipient is missing.',
  21610: 'This person has replied STOP and receives no more messages.',
  21614: 'This number is not a mobile phone.',
  21617: 'This is too long for a text message: at most 1,600 characters.',
  21618: 'Twilio does not accept this text.',
  21619: 'There is nothing in this message.',
  21620: 'Twilio could not fetch the file.',
  21623: 'A message carries at most ten files.',
  21656: 'The variables of this template do not fit.',
}

/** Our account, sender or settings: only a person can mend it, and another provider may do better. */
const OURS: Record<number, string> = {
  10001: 'This Twilio account is not active.',
  20003: 'Twilio refused the account SID or the auth token.',
  20005: 'This Twilio account is not active.',
  20404: 'Twilio does not know this account.',
  21212: 'The sender is not a valid number.',
  21408: 'This Twilio account may not send to that country.',
  21603: 'The sender is missing.',
  21606: 'The sender is not a number of this Twilio account.',
  21608: 'A Twilio trial account sends only to verified numbers.',
  21609: 'Twilio does not accept our address for receipts.',
  21612: 'This sender cannot reach that number.',
  21654: 'Twilio does not know this template.',
  21655: 'Twilio does not know this template.',
  63007: 'Twilio does not know this WhatsApp sender.',
}

/** Told after the message was taken. */
const LATER: Record<string, string> = {
  30001: 'The sender’s queue was full.',
  30002: 'The Twilio account is suspended.',
  30003: 'The phone is switched off or out of reach.',
  30004: 'The person or the carrier has blocked the message.',
  30005: 'The carrier does not know this number.',
  30006: 'This number is a landline or its carrier cannot be reached.',
  30007: 'The carrier filtered the message as spam.',
  30008: 'The carrier did not deliver it and did not say why.',
  30017: 'The carrier’s network was congested.',
  30018: 'The sender is not registered with the carrier.',
  30019: 'This is too large for the carrier.',
  30022: 'The sender sent more than its carrier allows.',
  30023: 'The sender reached its daily limit.',
  30024: 'The sender is not registered with the carrier.',
  30027: 'The sender reached its daily limit.',
  30032: 'The toll-free sender is not verified.',
  30034: 'The sender is not registered for business messages.',
  63019: 'Twilio could not fetch the file.',
}

/** `Retry-After` in seconds; a date is not asked of Twilio and would need a clock. */
function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1000 : undefined
}

export function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}
