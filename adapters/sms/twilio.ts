import { z } from 'zod'
import {
  type Adapter,
  CallFailed,
  type FetchesMedia,
  type HttpAnswer,
  type OutboundMessage,
  type ProbesAccount,
  type RegistersWebhook,
} from '../adapter.ts'
import type { Capabilities } from '../capabilities.ts'
import { outcomeOfFailure } from '../http.ts'
import { accepted, needsAttention, type Outcome, rejected, uncertain } from '../outcomes.ts'
import {
  API_BASE,
  ask,
  post,
  resource,
  TWILIO_ASKS,
  type TwilioCall,
  TwilioCredentials,
} from '../twilio/api.ts'
import { jsonOf, outcomeOfAnswer } from '../twilio/errors.ts'
import { formOf } from '../twilio/form.ts'
import { fetchMedia } from '../twilio/media.ts'
import { verifySignature } from '../twilio/signature.ts'
import { eventsOf } from '../twilio/webhooks.ts'

type TwilioSmsAdapter = Adapter<TwilioCredentials> &
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
  parse: eventsOf,
  send,
  fetchMedia,
  registerWebhook,
  probe,
}

const SERVICE_SID = /^MG[0-9a-fA-F]{32}$/

/** @see https://www.twilio.com/docs/messaging/api/message-resource */
async function send({ to, content }: OutboundMessage, call: TwilioCall): Promise<Outcome> {
  const body = bodyOf(content, call)
  if ('outcome' in body) return body
  const form = formOf({
    To: to,
    ...(SERVICE_SID.test(call.sender) ? { MessagingServiceSid: call.sender } : { From: call.sender }),
    ...body,
    StatusCallback: call.statusUrl,
  })
  let answer: HttpAnswer
  try {
    answer = await post(call, resource(call, '/Messages.json'), form)
  } catch (error) {
    return outcomeOfFailure(error)
  }
  return answer.status >= 200 && answer.status <= 299 ? outcomeOfSuccess(answer) : outcomeOfAnswer(answer)
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
      if (content.file.state !== 'stored') return rejected('file', 'This file is not there to be sent.')
      return {
        ...(content.caption && { Body: content.caption }),
        MediaUrl: call.media.url(content.file.id),
      }
    default:
      return rejected('content', 'A text message cannot carry this.')
  }
}

const Sent = z.object({ sid: z.string().regex(/^[A-Z]{2}[0-9a-fA-F]{32}$/) })

function outcomeOfSuccess({ status, body }: HttpAnswer): Outcome {
  const sent = Sent.safeParse(jsonOf(body))
  return sent.success
    ? accepted(sent.data.sid)
    : uncertain(String(status), `Twilio's answer made no sense (HTTP ${status}).`)
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

async function probe(call: TwilioCall): Promise<{ name: string }> {
  const account = await ask(call, { url: resource(call, '.json') }, z.object({ friendly_name: z.string() }))
  return { name: account.friendly_name }
}
