import { CallFailed, type HttpAnswer } from '../adapter.ts'
import { isBelow } from '../addresses.ts'
import { rejected } from '../outcomes.ts'
import { asked, authorization, type TwilioCall } from './api.ts'
import { outcomeOfAnswer } from './errors.ts'

/** MMS carries 5 MB; other channels that Twilio speaks, 16. */
const MAX_BYTES = 20 * 1_048_576
const TIMEOUT_MS = 60_000

/**
 * A file of an inbound message, by its `MediaUrl`. Our password goes to Twilio's API alone: to no other address, were it
 * in a signed webhook, and not along with a redirect to storage.
 * @see https://www.twilio.com/docs/messaging/api/media-resource
 */
export async function fetchMedia(
  reference: string,
  call: TwilioCall,
): Promise<{ bytes: Uint8Array; mime?: string }> {
  if (!isBelow(reference, call.apiBase))
    throw new CallFailed(rejected('address', 'This file is not at Twilio.'))
  const first = await get(call, reference, { authorization: authorization(call.credentials) })
  const answer = isRedirect(first) ? await get(call, targetOf(first, reference, call), {}) : first
  if (answer.status !== 200) throw new CallFailed(outcomeOfAnswer(answer))
  const mime = answer.headers['content-type']?.split(';', 1)[0]?.trim()
  return { bytes: answer.body, ...(mime && { mime }) }
}

const get = (call: TwilioCall, url: string, headers: Record<string, string>): Promise<HttpAnswer> =>
  asked(() => call.http.request({ method: 'GET', url, headers, maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS }))

const isRedirect = ({ status, headers }: HttpAnswer): boolean =>
  status >= 300 && status < 400 && headers.location !== undefined

/** Storage is always behind TLS; only a simulator, itself without, may redirect to its own kind. */
function targetOf({ headers }: HttpAnswer, from: string, { apiBase }: TwilioCall): string {
  const location = headers.location ?? ''
  if (!URL.canParse(location, from))
    throw new CallFailed(rejected('redirect', 'Twilio no longer has this file.'))
  const target = new URL(location, from)
  const trusted = target.protocol === 'https:' || target.origin === new URL(apiBase).origin
  if (!trusted) throw new CallFailed(rejected('redirect', 'Twilio sent us to an address that is not safe.'))
  return target.href
}
