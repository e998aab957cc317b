import { z } from 'zod'
import type { Address, ProviderMessageId } from '../../models/ids.ts'
import {
  type Acknowledges,
  type Adapter,
  CallFailed,
  type Declines,
  type FetchesMedia,
  Forged,
  type Polls,
  type ProbesAccount,
  type RegistersWebhook,
  type ShowsTyping,
  type WebhookRequest,
} from '../adapter.ts'
import { below } from '../addresses.ts'
import { needsAttention, rejected } from '../outcomes.ts'
import { sameSecret } from '../secrets.ts'
import { BotApi, type TelegramCall, type TelegramCredentials, WANTED_UPDATES } from './api.ts'
import { capabilities } from './capabilities.ts'
import { isWebhookConflict, NotTelegram, outcomeOfError } from './errors.ts'
import { CALLBACK, eventsOf } from './parse.ts'
import { send } from './send.ts'

type TelegramAdapter = Adapter<TelegramCredentials> &
  Acknowledges<TelegramCredentials> &
  Declines<TelegramCredentials> &
  ShowsTyping<TelegramCredentials> &
  FetchesMedia<TelegramCredentials> &
  RegistersWebhook<TelegramCredentials> &
  Polls<TelegramCredentials> &
  ProbesAccount<TelegramCredentials>

/** A Telegram bot. @see https://core.telegram.org/bots/api */
export const telegramBot: TelegramAdapter = {
  provider: 'telegram',
  channel: 'telegram',
  title: 'Telegram',
  apiBase: 'https://api.telegram.org',
  credentials: z.object({
    token: z.string().regex(/^\d+:[\w-]+$/, 'A bot token looks like 123456:ABC-DEF.'),
    webhookSecret: z.string().regex(/^[\w-]{1,256}$/, 'Letters, digits, _ and -, at most 256.'),
  }),
  asks: [
    { name: 'token', label: 'Bot token', hint: 'From @BotFather, who makes bots.', kind: 'secret' },
    {
      name: 'webhookSecret',
      label: 'Webhook secret',
      hint: 'Made up for you: Telegram shows it with every webhook, so that nobody else can.',
      kind: 'generated',
    },
  ],
  asksSender: { label: 'Name of the bot', hint: 'As @my_shop_bot; only for people to read.', optional: true },
  capabilities,
  verify,
  parse: (request) => eventsOf(request.body),
  send,
  showTyping,
  acknowledge,
  decline,
  fetchMedia,
  registerWebhook,
  poll,
  probe,
}

const SECRET_HEADER = 'x-telegram-bot-api-secret-token'

function verify(request: WebhookRequest, { webhookSecret }: TelegramCredentials): void {
  if (!sameSecret(request.headers[SECRET_HEADER] ?? '', webhookSecret))
    throw new Forged('The secret token is missing or another.')
}

/** Lasts up to 5 s. */
async function showTyping(to: Address, call: TelegramCall): Promise<void> {
  await asked(() => new BotApi(call).callApi('sendChatAction', { chat_id: Number(to), action: 'typing' }))
}

/** Until it is answered, the tapped button spins. @see https://core.telegram.org/bots/api#answercallbackquery */
async function acknowledge(providerId: ProviderMessageId, call: TelegramCall): Promise<void> {
  if (!providerId.startsWith(CALLBACK)) return
  const callback_query_id = providerId.slice(CALLBACK.length)
  await asked(() => new BotApi(call).callApi('answerCallbackQuery', { callback_query_id }))
}

const NO_GROUPS = 'Please write to me in a private chat: I cannot answer in groups.'

async function decline(where: Address, call: TelegramCall): Promise<void> {
  const api = new BotApi(call)
  const chat_id = Number(where)
  await asked(async () => {
    await api.callApi('sendMessage', { chat_id, text: NO_GROUPS })
    await api.callApi('leaveChat', { chat_id })
  })
}

/** Bots may download at most this. @see https://core.telegram.org/bots/api#getfile */
const DOWNLOAD_MAX_BYTES = 20 * 1_048_576
const DOWNLOAD_TIMEOUT_MS = 60_000

async function fetchMedia(reference: string, call: TelegramCall) {
  return asked(async () => {
    const path = FilePath.safeParse(await new BotApi(call).callApi('getFile', { file_id: reference })).data
      ?.file_path
    if (!path || path.split('/').includes('..'))
      throw new CallFailed(rejected('file', 'Telegram no longer has this file.'))
    const answer = await call.http.request({
      method: 'GET',
      url: below(
        call.apiBase,
        `file/bot${call.credentials.token}/${path.split('/').map(encodeURIComponent).join('/')}`,
      ),
      maxBytes: DOWNLOAD_MAX_BYTES,
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
    })
    if (answer.status === 401)
      throw new CallFailed(needsAttention('401', 'Telegram refused the bot token. It may have been revoked.'))
    if (answer.status !== 200)
      throw new CallFailed(rejected(String(answer.status), 'Telegram no longer has this file.'))
    const name = path.split('/').at(-1)
    return { bytes: answer.body, ...(name && { name }) }
  })
}

const FilePath = z.object({ file_path: z.string() })

async function registerWebhook(url: string, call: TelegramCall): Promise<void> {
  await asked(() =>
    new BotApi(call).callApi('setWebhook', {
      url,
      secret_token: call.credentials.webhookSecret,
      allowed_updates: [...WANTED_UPDATES],
    }),
  )
}

/** The position is the id of the last update; asking for the next one tells Telegram that the others are kept. */
async function poll(after: string | undefined, call: TelegramCall, signal: AbortSignal) {
  const api = new BotApi(call)
  const offset = after === undefined ? undefined : Number(after) + 1
  const updates = await asked(async () => {
    try {
      return await api.updatesAfter(offset, signal)
    } catch (error) {
      // Telegram tells news to a webhook or to us, not to both: who polls, has chosen.
      if (!isWebhookConflict(error)) throw error
      await api.callApi('deleteWebhook', {})
      return api.updatesAfter(offset, signal)
    }
  })
  const last = updates.map(updateIdOf).findLast((id) => id !== undefined)
  const position = last === undefined ? after : String(last)
  return {
    updates: updates.map((update) => new TextEncoder().encode(JSON.stringify(update))),
    ...(position !== undefined && { position }),
  }
}

const updateIdOf = (update: unknown): number | undefined =>
  z.object({ update_id: z.int() }).safeParse(update).data?.update_id

async function probe(call: TelegramCall): Promise<{ name: string }> {
  const me = Me.safeParse(await asked(() => new BotApi(call).callApi('getMe', {})))
  if (!me.success) throw new CallFailed(outcomeOfError(new NotTelegram(200)))
  return { name: `@${me.data.username}` }
}

const Me = z.object({ username: z.string().min(1) })

async function asked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw error instanceof CallFailed ? error : new CallFailed(outcomeOfError(error))
  }
}
