import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { type Call, CallFailed, type CredentialField, type HttpAnswer, type HttpRequest } from '../adapter.ts'
import { below } from '../addresses.ts'
import { outcomeOfFailure } from '../http.ts'
import { uncertain } from '../outcomes.ts'
import { type Codes, jsonOf, outcomeOfAnswer } from './errors.ts'

/** What every call to the Graph API and every webhook of it needs. */
export interface MetaCredentials {
  accessToken: string
  /** Signs the webhooks, and proves with every call that the token is not a stolen one. */
  appSecret: string
  /** Ours: Meta shows it when it asks whether an address is ours. */
  verifyToken: string
  graphVersion: string
}

export const API_BASE = 'https://graph.facebook.com'

/** Versions live for about two years. @see https://developers.facebook.com/docs/graph-api/changelog/versions/ */
const GRAPH_VERSION = 'v26.0'

export const credentialFields = {
  accessToken: z.string().regex(/^[\x21-\x7e]{8,1000}$/, 'The access token is one long word without spaces.'),
  appSecret: z
    .string()
    .regex(/^[\x21-\x7e]{8,256}$/, 'The app secret is in the app’s dashboard under App settings, Basic.'),
  verifyToken: z
    .string()
    .regex(/^[\x21-\x7e]{1,256}$/, 'The verify token is a word of your own that Meta shows us again.'),
  graphVersion: z
    .string()
    .regex(/^v\d{1,3}\.\d$/, 'A version of the Graph API looks like v26.0.')
    .default(GRAPH_VERSION),
}

/** How they are asked for, before what the channel asks besides. */
export const META_ASKS: readonly CredentialField[] = [
  {
    name: 'accessToken',
    label: 'Access token',
    hint: 'Of a system user or a page: one that does not expire.',
    kind: 'secret',
  },
  {
    name: 'appSecret',
    label: 'App secret',
    hint: 'In the app’s dashboard under App settings, Basic.',
    kind: 'secret',
  },
  {
    name: 'verifyToken',
    label: 'Verify token',
    hint: 'Made up for you: Meta shows it when it asks whether our webhook address is ours.',
    kind: 'generated',
  },
]
/** What hardly anybody needs to change stands last. */
export const VERSION_ASK: CredentialField = {
  name: 'graphVersion',
  label: 'Graph API version',
  hint: `${GRAPH_VERSION} unless told.`,
  optional: true,
}

/** An id of Meta's: digits, more than a JS number holds. */
export const GraphId = (sentence: string): z.ZodString => z.string().regex(/^\d{1,32}$/, sentence)

interface GraphRequest {
  method?: 'GET' | 'POST'
  /** Below the version. */
  path: string
  query?: Record<string, string>
  json?: object
  form?: FormData
  timeoutMs?: number
}

type MetaCall = Call<MetaCredentials>

/** A file takes longer than a text, and less than the lease of an attempt leaves beside the send itself. */
const UPLOAD_TIMEOUT_MS = 18_000

/** One call. Rejects as the HTTP client does. */
export async function request(call: MetaCall, { method, path, query, json, form, timeoutMs }: GraphRequest) {
  const { apiBase, credentials, http } = call
  const url = new URL(below(apiBase, `${credentials.graphVersion}/${path}`))
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
  url.searchParams.set('appsecret_proof', proofOf(credentials))
  const body = form ? await encoded(form) : json ? jsonBody(json) : undefined
  const request: HttpRequest = {
    method: method ?? (body ? 'POST' : 'GET'),
    url: url.href,
    headers: { ...authorization(credentials), ...(body && { 'content-type': body.type }) },
    ...(body && { body: body.bytes }),
    ...(form && { timeoutMs: UPLOAD_TIMEOUT_MS }),
    ...(timeoutMs && { timeoutMs }),
  }
  return http.request(request)
}

/** Asks the API and reads its answer. @throws CallFailed */
export async function ask<T>(
  call: MetaCall,
  codes: Codes,
  given: GraphRequest,
  shape: z.ZodType<T>,
): Promise<T> {
  const answer = await asked(() => request(call, given))
  if (!isSuccess(answer)) throw new CallFailed(outcomeOfAnswer(answer, codes))
  const parsed = shape.safeParse(jsonOf(answer.body))
  if (!parsed.success) throw new CallFailed(uncertain(String(answer.status), "Meta's answer made no sense."))
  return parsed.data
}

/** @throws CallFailed where the network fails */
export async function asked<T>(deed: () => Promise<T>): Promise<T> {
  try {
    return await deed()
  } catch (error) {
    throw error instanceof CallFailed ? error : new CallFailed(outcomeOfFailure(error))
  }
}

export const isSuccess = ({ status }: HttpAnswer): boolean => status >= 200 && status <= 299
export const Success = z.object({ success: z.literal(true) })

export const authorization = ({ accessToken }: MetaCredentials): { authorization: string } => ({
  authorization: `Bearer ${accessToken}`,
})

/** @see https://developers.facebook.com/docs/graph-api/guides/secure-requests/ */
export const proofOf = ({ appSecret, accessToken }: MetaCredentials): string =>
  createHmac('sha256', appSecret).update(accessToken).digest('hex')

interface Body {
  type: string
  bytes: string | Uint8Array
}

const jsonBody = (json: object): Body => ({ type: 'application/json', bytes: JSON.stringify(json) })

async function encoded(form: FormData): Promise<Body> {
  const response = new Response(form)
  const type = response.headers.get('content-type') ?? ''
  return { type, bytes: new Uint8Array(await response.arrayBuffer()) }
}
