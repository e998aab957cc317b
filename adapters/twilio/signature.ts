import { createHash, createHmac } from 'node:crypto'
import { Forged, type WebhookRequest } from '../adapter.ts'
import { sameSecret } from '../secrets.ts'
import { FORM_TYPE, pairsOf } from './form.ts'

/** @see https://www.twilio.com/docs/usage/security */

/**
 * Returns if Twilio made the request, throws Forged if not. The key is the account's primary auth token, never an API
 * key's secret. A form is signed with its parameters; any other body by its hash, which the address then carries.
 */
export function verifySignature(request: WebhookRequest, authToken: string): void {
  const given = request.headers['x-twilio-signature']
  if (!given) throw new Forged('The signature is missing.')
  const parameters = signedParameters(request)
  // Both are always computed: which one fits must not show in the time it takes.
  const matches = withAndWithoutPort(request.url).map((url) =>
    sameSecret(given, signatureOf(url, parameters, authToken)),
  )
  if (!matches.includes(true)) throw new Forged('The signature is another.')
}

/** `base64(HMAC-SHA1(authToken, url + each sorted name and its values))`. */
export function signatureOf(url: string, parameters: URLSearchParams, authToken: string): string {
  const names = [...new Set(parameters.keys())].sort()
  const text = names.map((name) => namedValues(name, parameters.getAll(name))).join('')
  return createHmac('sha1', authToken)
    .update(withoutFragment(url) + text, 'utf8')
    .digest('base64')
}

/** A repeated name is signed once for each of its different values, sorted. */
const namedValues = (name: string, values: string[]): string =>
  [...new Set(values)]
    .sort()
    .map((value) => name + value)
    .join('')

function signedParameters({ method, url, headers, body }: WebhookRequest): URLSearchParams {
  const none = new URLSearchParams()
  const bodyHash = URL.canParse(url) ? new URL(url).searchParams.get('bodySHA256') : null
  if (bodyHash !== null) {
    if (!sameSecret(createHash('sha256').update(body).digest('hex'), bodyHash.toLowerCase()))
      throw new Forged('The body is another than the one signed.')
    return none
  }
  if (method === 'GET' && body.length === 0) return none
  if (body.length > 0 && !headers['content-type']?.toLowerCase().startsWith(FORM_TYPE))
    throw new Forged('The body is not signed.')
  const parameters = pairsOf(body)
  if (!parameters) throw new Forged('The body is not a form as Twilio writes it.')
  return parameters
}

/** Twilio signs the address with or without the default port, and which one depends on the product that calls. */
function withAndWithoutPort(url: string): string[] {
  const match = /^(https?):\/\/([^/?#]+?)(:\d+)?(?=[/?#]|$)/i.exec(url)
  if (!match) return [url]
  const [origin, scheme = '', host = '', port] = match
  const standard = scheme.toLowerCase() === 'https' ? ':443' : ':80'
  if (port && port !== standard) return [url]
  const rest = url.slice(origin.length)
  return [`${scheme}://${host}${rest}`, `${scheme}://${host}${standard}${rest}`]
}

const withoutFragment = (url: string): string => url.split('#', 1)[0] ?? url
