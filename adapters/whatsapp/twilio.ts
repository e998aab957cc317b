import { z } from 'zod'
import type { Choice, ListContent } from '../../models/content.ts'
import type { Address, ProviderMessageId } from '../../models/ids.ts'
import {
  type Adapter,
  CallFailed,
  type FetchesMedia,
  type ListsTemplates,
  type NamesReceivers,
  type OutboundMessage,
  type ProbesAccount,
  type ShowsTyping,
} from '../adapter.ts'
import { below } from '../addresses.ts'
import type { Capabilities } from '../capabilities.ts'
import { type Outcome, rejected } from '../outcomes.ts'
import { API_BASE, ask, probe, TWILIO_ASKS, type TwilioCall, TwilioCredentials } from '../twilio/api.ts'
import { createContent, templates } from '../twilio/contents.ts'
import { formOf } from '../twilio/form.ts'
import { fetchMedia } from '../twilio/media.ts'
import { createMessage, fileBody, type MessageBody } from '../twilio/messages.ts'
import { verifySignature } from '../twilio/signature.ts'
import { eventsOf, receiversOf } from '../twilio/webhooks.ts'

type TwilioWhatsAppAdapter = Adapter<TwilioCredentials> &
  FetchesMedia<TwilioCredentials> &
  ListsTemplates<TwilioCredentials> &
  NamesReceivers &
  ProbesAccount<TwilioCredentials> &
  ShowsTyping<TwilioCredentials>

const MB = 1_048_576

/**
 * Captions only under pictures: Twilio drops the words beside any other file. No replies and no reactions: its API has no
 * parameter for them.
 * @see https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages
 */
const capabilities: Capabilities = {
  content: {
    text: { maxLength: 1600 },
    image: { maxLength: 1600, maxBytes: 5 * MB, mime: ['image/jpeg', 'image/png', 'image/webp'] },
    audio: { maxLength: 0, maxBytes: 16 * MB, mime: ['audio/*'] },
    voice: { maxLength: 0, maxBytes: 16 * MB, mime: ['audio/*'] },
    video: { maxLength: 0, maxBytes: 16 * MB, mime: ['video/mp4', 'video/3gpp'] },
    document: { maxLength: 0, maxBytes: 16 * MB },
    location: {},
    buttons: { maxLength: 1024, maxChoices: 3, maxTitle: 20 },
    list: { maxLength: 1024, maxChoices: 10, maxTitle: 24 },
    template: {},
  },
  replies: false,
  typing: true,
  marksRead: false,
  receipts: { delivered: true, read: true },
  segments: null,
  window: 'whatsapp',
}

/** WhatsApp through Twilio. The sender is its number, without Twilio's `whatsapp:`. */
export const whatsappTwilio: TwilioWhatsAppAdapter = {
  provider: 'twilio',
  channel: 'whatsapp',
  title: 'Twilio',
  apiBase: API_BASE,
  credentials: TwilioCredentials,
  asks: TWILIO_ASKS,
  asksSender: { label: 'WhatsApp number', hint: 'In E.164, as +15551234567.' },
  capabilities,
  verify: (request, { authToken }) => verifySignature(request, authToken),
  parse: (request) => eventsOf(request, 'whatsapp'),
  receiversOf,
  send,
  fetchMedia,
  templates,
  showTyping,
  probe,
}

async function send({ to, content }: OutboundMessage, call: TwilioCall): Promise<Outcome> {
  try {
    const body = await bodyOf(content, call)
    return 'outcome' in body ? body : await createMessage(to, body, call, 'whatsapp:')
  } catch (error) {
    // Only making a content throws, and that sends nothing to anybody.
    if (error instanceof CallFailed) return error.outcome
    throw error
  }
}

async function bodyOf(content: OutboundMessage['content'], call: TwilioCall): Promise<MessageBody | Outcome> {
  switch (content.type) {
    case 'text':
      return { Body: content.text }
    case 'image':
    case 'audio':
    case 'voice':
    case 'video':
    case 'document':
    case 'sticker':
      return fileBody(content, call)
    case 'location': {
      const { latitude, longitude, name, address } = content
      const label = name ?? address
      const place = `geo:${latitude},${longitude}`
      return { Body: label ?? 'Location', PersistentAction: label ? `${place}|${label}` : place }
    }
    case 'buttons':
      return {
        ContentSid: await createContent(
          { 'twilio/quick-reply': quickReply(content.text, content.buttons) },
          call,
        ),
      }
    case 'list':
      return { ContentSid: await createContent({ 'twilio/list-picker': listPicker(content) }, call) }
    case 'template':
      return {
        ContentSid: content.name,
        ContentVariables: JSON.stringify(
          Object.fromEntries(content.parameters.map((value, index) => [String(index + 1), value])),
        ),
      }
    default:
      return rejected('content', 'WhatsApp through Twilio cannot carry this.')
  }
}

const quickReply = (body: string, buttons: Choice[]) => ({
  body,
  actions: buttons.map(({ id, title }) => ({ id, title })),
})

const listPicker = ({ text, button, sections }: ListContent) => ({
  body: text,
  button,
  items: sections
    .flatMap(({ rows }) => rows)
    .map(({ id, title, description }) => ({ id, item: title, ...(description && { description }) })),
})

/** Tied to a message of theirs, which it marks as read; shown for up to 25 seconds. @see https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource */
async function showTyping(_to: Address, call: TwilioCall, latest?: ProviderMessageId): Promise<void> {
  if (latest === undefined) return
  const base = call.apiBase === API_BASE ? 'https://messaging.twilio.com' : call.apiBase
  await ask(
    call,
    {
      url: below(base, 'v2/Indicators/Typing.json'),
      form: formOf({ messageId: latest, channel: 'whatsapp' }),
    },
    z.object({ success: z.boolean() }),
  )
}
