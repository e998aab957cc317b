import { z } from 'zod'
import type { Address, ProviderMessageId } from '../../models/ids.ts'
import type {
  Adapter,
  AnswersChallenge,
  FetchesMedia,
  ListsTemplates,
  MarksRead,
  NamesReceivers,
  ProbesAccount,
  RegistersWebhook,
  ShowsTyping,
} from '../adapter.ts'
import { API_BASE, ask, META_ASKS, Success, VERSION_ASK } from '../meta/graph.ts'
import { unnumbered } from '../meta/numbering.ts'
import { challengeOf, verifySignature } from '../meta/signature.ts'
import { numberOf, type WhatsAppCall, WhatsAppCredentials } from '../meta/whatsapp/account.ts'
import { capabilities } from '../meta/whatsapp/capabilities.ts'
import { WHATSAPP_CODES } from '../meta/whatsapp/errors.ts'
import { fetchMedia } from '../meta/whatsapp/media.ts'
import { eventsOf, receiversOf } from '../meta/whatsapp/parse.ts'
import { send } from '../meta/whatsapp/send.ts'
import { templates } from '../meta/whatsapp/templates.ts'

type WhatsAppAdapter = Adapter<WhatsAppCredentials> &
  AnswersChallenge<WhatsAppCredentials> &
  FetchesMedia<WhatsAppCredentials> &
  ListsTemplates<WhatsAppCredentials> &
  MarksRead<WhatsAppCredentials> &
  NamesReceivers &
  ProbesAccount<WhatsAppCredentials> &
  RegistersWebhook<WhatsAppCredentials> &
  ShowsTyping<WhatsAppCredentials>

/** WhatsApp through Meta's own Cloud API. The sender is the phone number ID. */
export const whatsappMeta: WhatsAppAdapter = {
  provider: 'meta',
  channel: 'whatsapp',
  title: 'Meta',
  apiBase: API_BASE,
  credentials: WhatsAppCredentials,
  asks: [
    ...META_ASKS,
    {
      name: 'businessAccountId',
      label: 'WhatsApp Business Account ID',
      hint: 'Beside the phone number ID, under WhatsApp, API Setup.',
    },
    VERSION_ASK,
  ],
  asksSender: {
    label: 'Phone number ID',
    hint: 'A long number under WhatsApp, API Setup; not the number itself.',
  },
  capabilities,
  verify: (request, { appSecret }) => verifySignature(request, appSecret),
  parse: eventsOf,
  send,
  challenge: (request, { verifyToken }) => challengeOf(request, verifyToken),
  receiversOf,
  fetchMedia,
  templates,
  markRead: (_to, latest, call) => markRead(latest, call),
  showTyping,
  registerWebhook,
  probe,
}

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators */
async function markRead(latest: ProviderMessageId, call: WhatsAppCall, more: object = {}): Promise<void> {
  const json = {
    messaging_product: 'whatsapp',
    status: 'read',
    message_id: unnumbered(latest),
    ...more,
  }
  await ask(call, WHATSAPP_CODES, { path: `${numberOf(call)}/messages`, json }, Success)
}

/** Tied to a message that it marks as read; ends with our answer or after 25 seconds. */
async function showTyping(_to: Address, call: WhatsAppCall, latest?: ProviderMessageId): Promise<void> {
  if (latest === undefined) return
  await markRead(latest, call, { typing_indicator: { type: 'text' } })
}

/**
 * Subscribes the app to the account, and leads this number's webhooks to us whatever address the app has otherwise.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
 */
async function registerWebhook(url: string, call: WhatsAppCall): Promise<void> {
  const { businessAccountId, verifyToken } = call.credentials
  const subscription = { method: 'POST', path: `${businessAccountId}/subscribed_apps` } as const
  await ask(call, WHATSAPP_CODES, subscription, Success)
  const json = { webhook_configuration: { override_callback_uri: url, verify_token: verifyToken } }
  await ask(call, WHATSAPP_CODES, { path: numberOf(call), json }, Success)
}

const PhoneNumber = z.object({ display_phone_number: z.string(), verified_name: z.string().catch('') })

async function probe(call: WhatsAppCall): Promise<{ name: string }> {
  const query = { fields: 'display_phone_number,verified_name' }
  const { display_phone_number, verified_name } = await ask(
    call,
    WHATSAPP_CODES,
    { path: numberOf(call), query },
    PhoneNumber,
  )
  const account = { path: call.credentials.businessAccountId, query: { fields: 'id' } }
  await ask(call, WHATSAPP_CODES, account, z.object({ id: z.string() }))
  return { name: [verified_name, display_phone_number].filter(Boolean).join(', ') }
}
