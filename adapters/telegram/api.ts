import { Telegram, TelegramError } from 'telegraf'
import type { Telegram as Methods, Opts } from 'telegraf/types'
import { z } from 'zod'
import type { Call, HttpRequest } from '../adapter.ts'
import { below } from '../addresses.ts'
import { NotTelegram } from './errors.ts'

/** What an admin gives to connect a bot. */
export interface TelegramCredentials {
  /** From @BotFather: `123456:ABC-DEF…`. It is part of every address, so no address may be shown. */
  token: string
  /** Ours, sent back by Telegram in a header of each webhook: 1–256 of `A-Za-z0-9_-`. */
  webhookSecret: string
}

export type TelegramCall = Call<TelegramCredentials>

/** A file that goes with a call, as the part of a multipart form. */
export interface Upload {
  field: string
  bytes: Uint8Array
  name: string
  mime: string
}

/**
 * telegraf's typed client over our one HTTP client. telegraf's own transport has no limit on the answer, waits 500 s, and
 * cannot say whether a request had left when the line broke, which decides whether a message may be sent again.
 */
export class BotApi extends Telegram {
  readonly #call: TelegramCall

  constructor(call: TelegramCall) {
    super(call.credentials.token, { apiRoot: below(call.apiBase, ''), webhookReply: false })
    this.#call = call
  }

  /** Throws TelegramError, NotTelegram, or what the HTTP client throws. */
  override callApi<M extends keyof Methods>(method: M, payload: Opts<M>): Promise<ReturnType<Methods[M]>> {
    return this.#post(method, JSON_TYPE, JSON.stringify(payload))
  }

  /** What is new after an update id, waiting for it; each update left as it came, for the parser to judge. */
  async updatesAfter(offset: number | undefined, signal: AbortSignal): Promise<unknown[]> {
    const updates = await this.#post(
      'getUpdates',
      JSON_TYPE,
      JSON.stringify({ offset, timeout: POLL_SECONDS, allowed_updates: WANTED_UPDATES }),
      { signal, timeoutMs: (POLL_SECONDS + 10) * 1000, maxBytes: UPDATES_MAX_BYTES },
    )
    const list = z.array(z.unknown()).safeParse(updates)
    if (!list.success) throw new NotTelegram(200)
    return list.data
  }

  /** A call with a file, as multipart/form-data. */
  async upload<M extends keyof Methods>(
    method: M,
    payload: Omit<Opts<M>, Upload['field']>,
    { field, bytes, name, mime }: Upload,
  ): Promise<ReturnType<Methods[M]>> {
    const form = new FormData()
    for (const [key, value] of Object.entries(payload))
      if (value !== undefined)
        form.set(key, typeof value === 'object' ? JSON.stringify(value) : String(value))
    form.set(field, new Blob([new Uint8Array(bytes)], { type: mime }), name)
    const encoded = new Response(form)
    const contentType = encoded.headers.get('content-type') ?? ''
    const body = new Uint8Array(await encoded.arrayBuffer())
    return this.#post(method, contentType, body, { timeoutMs: UPLOAD_TIMEOUT_MS })
  }

  async #post<T = unknown>(
    method: string,
    contentType: string,
    body: string | Uint8Array,
    limits: Pick<HttpRequest, 'signal' | 'timeoutMs' | 'maxBytes'> = {},
  ): Promise<T> {
    const { http, apiBase, credentials } = this.#call
    const answer = await http.request({
      method: 'POST',
      url: below(apiBase, `bot${credentials.token}/${method}`),
      headers: { 'content-type': contentType },
      body,
      ...limits,
    })
    const parsed = BotApiAnswer.safeParse(jsonOf(answer.body))
    if (!parsed.success) throw new NotTelegram(answer.status)
    if (!parsed.data.ok) throw new TelegramError(refusalOf(parsed.data))
    return parsed.data.result as T
  }
}

/** Reactions come only to those who ask for them. @see https://core.telegram.org/bots/api#setwebhook */
export const WANTED_UPDATES = [
  'message',
  'edited_message',
  'callback_query',
  'message_reaction',
  'my_chat_member',
] as const

const JSON_TYPE = 'application/json'
/** How long Telegram holds a request for news. */
const POLL_SECONDS = 25
/** A file takes longer than a text, and less than the lease of an attempt. */
const UPLOAD_TIMEOUT_MS = 25_000
/** A hundred updates of the longest text, with room. */
const UPDATES_MAX_BYTES = 8_388_608

/** @see https://core.telegram.org/bots/api#making-requests */
const BotApiAnswer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error_code: z.int(),
    description: z.string().catch(''),
    parameters: z
      .object({ retry_after: z.number().nonnegative().optional(), migrate_to_chat_id: z.number().optional() })
      .optional()
      .catch(undefined),
  }),
])

type Refusal = Extract<z.infer<typeof BotApiAnswer>, { ok: false }>

const refusalOf = ({ error_code, description, parameters }: Refusal) => ({
  error_code,
  description,
  ...(parameters && {
    parameters: {
      ...(parameters.retry_after !== undefined && { retry_after: parameters.retry_after }),
      ...(parameters.migrate_to_chat_id !== undefined && {
        migrate_to_chat_id: parameters.migrate_to_chat_id,
      }),
    },
  }),
})

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}
