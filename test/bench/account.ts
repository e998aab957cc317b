import { createHmac } from 'node:crypto'

/** The Twilio account that product, floor, generator and provider of the bench all know. */
export const ACCOUNT = {
  accountSid: `AC${'b3'.repeat(16)}`,
  authToken: 'c4'.repeat(16),
  number: '+15550001111',
}

/** As Twilio signs a form: its address, then each sorted name and its value. */
export function sign(url: string, fields: Iterable<[string, string]>): string {
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = url + sorted.map(([name, value]) => name + value).join('')
  return createHmac('sha1', ACCOUNT.authToken).update(text).digest('base64')
}
