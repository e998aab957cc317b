import { CallFailed } from '../../adapter.ts'
import { rejected } from '../../outcomes.ts'
import { outcomeOfAnswer } from '../errors.ts'
import { asked } from '../graph.ts'
import type { MessengerCall } from './account.ts'
import { MESSENGER_CODES } from './errors.ts'

const MAX_BYTES = 25 * 1_048_576
const TIMEOUT_MS = 60_000
/** Where Meta keeps what people send. */
const HOSTS = ['fbcdn.net', 'fbsbx.com', 'facebook.com', 'cdninstagram.com']

/** A file lies at a signed address that ends soon. Asked for without our token: the address is permission enough. */
export async function fetchMedia(
  reference: string,
  call: MessengerCall,
): Promise<{ bytes: Uint8Array; mime?: string }> {
  if (!isMetas(reference, call.apiBase))
    throw new CallFailed(rejected('address', 'This file is not at Meta.'))
  const answer = await asked(() =>
    call.http.request({ method: 'GET', url: reference, maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS }),
  )
  if (answer.status === 403 || answer.status === 404 || answer.status === 410)
    throw new CallFailed(rejected(String(answer.status), 'Messenger no longer has this file.'))
  if (answer.status !== 200) throw new CallFailed(outcomeOfAnswer(answer, MESSENGER_CODES))
  const mime = answer.headers['content-type']?.split(';', 1)[0]?.trim()
  return { bytes: answer.body, ...(mime && { mime }) }
}

/** We fetch from Meta alone, whatever address a message carries; a simulator is at an address of its own. */
function isMetas(reference: string, apiBase: string): boolean {
  if (!URL.canParse(reference)) return false
  const { protocol, hostname, origin } = new URL(reference)
  if (origin === new URL(apiBase).origin) return true
  return protocol === 'https:' && HOSTS.some((host) => hostname === host || hostname.endsWith(`.${host}`))
}
