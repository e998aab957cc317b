import { createHmac } from 'node:crypto'
import type { WebhookRequest } from '../../adapters/adapter.ts'

/** The account of the documented payloads. */
export const META = {
  accessToken: 'EAATESTTOKEN',
  appSecret: 'meta_app_secret_0123456789abcdef',
  verifyToken: 'verify_me',
  graphVersion: 'v26.0',
}
export const SIGNATURE = 'x-hub-signature-256'

/** As Meta would post it; written anew from the documentation, not shared with the code under test. */
export const signed = (body: string, appSecret = META.appSecret): WebhookRequest => ({
  method: 'POST',
  url: 'https://inbox.example.com/api/v1/whatsapp/webhook/meta/1',
  headers: {
    'content-type': 'application/json',
    [SIGNATURE]: `sha256=${createHmac('sha256', appSecret).update(body, 'utf8').digest('hex')}`,
  },
  body: new TextEncoder().encode(body),
})

/** Every object of the JSON with a field that nobody knows yet. */
export const withUnknownFields = (body: string): string =>
  JSON.stringify(JSON.parse(body, (_key, value: unknown) => extended(value)))

const extended = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...value, from_the_future: { a: [1, null] } }
    : value
