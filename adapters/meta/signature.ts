import { createHmac } from 'node:crypto'
import { Forged, type WebhookRequest } from '../adapter.ts'
import { sameSecret } from '../secrets.ts'

/** @see https://developers.facebook.com/docs/graph-api/webhooks/getting-started/ */
const HEADER = 'x-hub-signature-256'
const MAX_CHALLENGE = 1_000

/**
 * Returns if Meta made the request, throws Forged if not. Signed are the bytes as they came: Meta writes `\u00e9` where
 * JSON made anew would not.
 */
export function verifySignature({ headers, body }: WebhookRequest, appSecret: string): void {
  const given = headers[HEADER]
  if (!given) throw new Forged('The signature is missing.')
  if (!sameSecret(given, signatureOf(body, appSecret))) throw new Forged('The signature is another.')
}

export const signatureOf = (body: Uint8Array | string, appSecret: string): string =>
  `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`

/** Meta asks whether an address is ours by a word that we gave it: what it wants to hear, or Forged. */
export function challengeOf({ url }: WebhookRequest, verifyToken: string): string {
  const query = URL.canParse(url) ? new URL(url).searchParams : new URLSearchParams()
  const challenge = query.get('hub.challenge')
  if (query.get('hub.mode') !== 'subscribe' || !sameSecret(query.get('hub.verify_token') ?? '', verifyToken))
    throw new Forged('The verify token is another.')
  if (!challenge || challenge.length > MAX_CHALLENGE) throw new Forged('There is no challenge.')
  return challenge
}
