import { z } from 'zod'
import { type Call, CallFailed, type CredentialField, type HttpAnswer, type HttpRequest } from '../adapter.ts'
import { below } from '../addresses.ts'
import { outcomeOfFailure } from '../http.ts'
import { uncertain } from '../outcomes.ts'
import { jsonOf, outcomeOfAnswer } from './errors.ts'
import { FORM_TYPE } from './form.ts'

/** What an admin gives to connect a Twilio account. */
export interface TwilioCredentials {
  /** `AC…`; user name of every call. */
  accountSid: string
  /** Password of every call, and the key of webhook signatures. */
  authToken: string
}
export type TwilioCall = Call<TwilioCredentials>

export const TwilioCredentials: z.ZodType<TwilioCredentials> = z.object({
  accountSid: z.string().regex(/^AC[0-9a-fA-F]{32}$/, 'An account SID is AC and 32 hexadecimal digits.'),
  authToken: z.string().min(1, 'The auth token is in the Twilio console.').max(256),
})

/** How they are asked for. */
export const TWILIO_ASKS: readonly CredentialField[] = [
  { name: 'accountSid', label: 'Account SID', hint: 'On the first page of the Twilio console.' },
  { name: 'authToken', label: 'Auth token', hint: 'Beside the account SID.', kind: 'secret' },
]

export const API_BASE = 'https://api.twilio.com'

/** The path of a resource of the account. */
export const resource = (call: TwilioCall, path: string): string =>
  below(call.apiBase, `2010-04-01/Accounts/${call.credentials.accountSid}${path}`)

export const authorization = ({ accountSid, authToken }: TwilioCredentials): string =>
  `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`

/** Rejects as the HTTP client does. */
export const post = (call: TwilioCall, url: string, form: string): Promise<HttpAnswer> =>
  call.http.request({
    method: 'POST',
    url,
    headers: { authorization: authorization(call.credentials), 'content-type': FORM_TYPE },
    body: form,
  })

/** Asks the API and reads its answer. @throws CallFailed */
export async function ask<T>(
  call: TwilioCall,
  request: { url: string; form?: string; json?: object },
  shape: z.ZodType<T>,
): Promise<T> {
  const answer = await asked(() => call.http.request(asHttp(request, call)))
  if (answer.status < 200 || answer.status > 299) throw new CallFailed(outcomeOfAnswer(answer))
  const parsed = shape.safeParse(jsonOf(answer.body))
  if (!parsed.success)
    throw new CallFailed(uncertain(String(answer.status), "Twilio's answer made no sense."))
  return parsed.data
}

function asHttp(
  { url, form, json }: { url: string; form?: string; json?: object },
  { credentials }: TwilioCall,
): HttpRequest {
  const headers = { authorization: authorization(credentials) }
  if (form !== undefined)
    return { method: 'POST', url, headers: { ...headers, 'content-type': FORM_TYPE }, body: form }
  if (json !== undefined)
    return {
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(json),
    }
  return { method: 'GET', url, headers }
}

/** The account's own name, if the credentials are good. @throws CallFailed */
export async function probe(call: TwilioCall): Promise<{ name: string }> {
  const account = await ask(call, { url: resource(call, '.json') }, z.object({ friendly_name: z.string() }))
  return { name: account.friendly_name }
}

/** @throws CallFailed where the network fails */
export async function asked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw error instanceof CallFailed ? error : new CallFailed(outcomeOfFailure(error))
  }
}
