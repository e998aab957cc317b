import { z } from 'zod'
import {
  type Adapter,
  CallFailed,
  type FetchesMedia,
  type NamesReceivers,
  type OutboundMessage,
  type ProbesAccount,
  type RegistersWebhook,
} from '../adapter.ts'
import type { Capabilities } from '../capabilities.ts'
import { needsAttention, type Outcome, rejected } from '../outcomes.ts'
import {
  API_BASE,
  ask,
  probe,
  resource,
  TWILIO_ASKS,
  type TwilioCall,
  TwilioCredentials,
} from '../twilio/api.ts'
import { formOf } from '../twilio/form.ts'
import { fetchMedia } from '../twilio/media.ts'
import { createMessage, fileBody } from '../twilio/messages.ts'
import { verifySignature } from '../twilio/signature.ts'
import { eventsOf, receiversOf } from '../twilio/webhooks.ts'

type TwilioSmsAdapter = Adapter<TwilioCredentials> &
  NamesReceivers &
  FetchesMedia<TwilioCredentials> &
  RegistersWebhook<TwilioCredentials> &
  ProbesAccount<TwilioCredentials>

const MB = 1_048_576
/** Files that are no pictures: what carriers take. */
const OTHER_FILE = 500 * 1024

/**
 * `Body` and MMS limits, and read receipts from RCS phones only.
 * @see https://www.twilio.com/docs/messaging/guides/accepted-mime-types
 */
const capabilities: Capabilities = {
  content: {
    text: { maxLength: 1600 },
    image: { maxLength: 1600, maxBytes: 5 * MB, mime: ['image/jpeg', 'image/png', 'image/gif'] },
    audio: { maxLength: 1600, maxBytes: OTHER_FILE, mime: ['audio/*'] },
    voice: { maxLength: 1600, maxBytes: OTHER_FILE, mime: ['audio/*'] },
    video: { maxLength: 1600, maxBytes: OTHER_FILE, mime: ['video/*'] },
    document: {
      maxLength: 1600,
      maxBytes: OTHER_FILE,
      mime: ['application/pdf', 'text/vcard', 'text/x-vcard', 'text/csv', 'text/calendar', 'text/plain'],
    },
  },
  replies: false,
  typing: false,
  marksRead: false,
  receipts: { delivered: true, read: true },
  segments: 'sms',
  window: null,
}

/** SMS and MMS through Twilio. The sender is a number in E.164, or a Messaging Service (`MG…`). */
export const twilioSms: TwilioSmsAdapter = {
  provider: 'twilio',
  channel: 'sms',
  title: 'Twilio',
  apiBase: API_BASE,
  credentials: TwilioCredentials,
  asks: TWILIO_ASKS,
  asksSender: { label: 'Number', hint: 'In E.164, as +15551234567, or a messaging service (MG…).' },
  capabilities,
  verify: (request, { authToken }) => verifySignature(request, authToken),
  parse: (request) => eventsOf(request),
  receiversOf,
  send,
  fetchMedia,
  registerWebhook,
  probe,
}

async function send({ to, content }: OutboundMessage, call: TwilioCall): Promise<Outcome> {
  const body = bodyOf(content, call)
  return 'outcome' in body ? body : createMessage(to, body, call)
}

function bodyOf(
  content: OutboundMessage['content'],
  call: TwilioCall,
): { Body?: string; MediaUrl?: string } | Outcome {
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
    default:
      return rejected('content', 'A text message cannot carry this.')
  }
}

const Numbers = z.object({
  incoming_phone_numbers: z.array(z.object({ sid: z.string().regex(/^PN\w{1,64}$/) })),
})

/** Tells the number where its messages go. @see https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource */
async function registerWebhook(url: string, call: TwilioCall): Promise<void> {
  if (!call.sender.startsWith('+'))
    throw new CallFailed(
      needsAttention(
        'sender',
        'Set the webhook of this sender in the Twilio console: only numbers can be set from here.',
      ),
    )
  const query = formOf({ PhoneNumber: call.sender })
  const found = await ask(call, { url: resource(call, `/IncomingPhoneNumbers.json?${query}`) }, Numbers)
  const [number] = found.incoming_phone_numbers
  if (!number)
    throw new CallFailed(needsAttention('sender', 'The sender is not a number of this Twilio account.'))
  await ask(
    call,
    {
      url: resource(call, `/IncomingPhoneNumbers/${number.sid}.json`),
      form: formOf({ SmsUrl: url, SmsMethod: 'POST' }),
    },
    z.object({ sid: z.string() }),
  )
}
