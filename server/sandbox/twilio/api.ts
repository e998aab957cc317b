import express, { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { authorization } from '../../../adapters/twilio/api.ts'
import { answer } from '../faults.ts'
import type { Stage } from '../stage.ts'
import type { Carrier, Outbound } from './carrier.ts'
import { Contents } from './contents.ts'
import { refuse, refuseWithStatus, TwilioRefusal } from './errors.ts'

/** Twilio's messaging API over HTTP. @see https://www.twilio.com/docs/messaging/api/message-resource */
export function twilioRouter(carrier: Carrier, stage: Stage): Router {
  const router = Router()
  const account = stage.accounts.twilio
  const base = `/2010-04-01/Accounts/${account.accountSid}`
  const numberSid = `PN${account.accountSid.slice(2)}`
  const form = express.urlencoded({ extended: false, limit: '64kb' })

  const allow: RequestHandler = (request, response, next) => {
    if (request.get('authorization') === authorization(account)) next()
    else refuse(response, new TwilioRefusal(401, 20003, 'Authenticate'))
  }
  const authorize: RequestHandler = (request, response, next) => {
    if (request.get('authorization') !== authorization(account))
      return refuse(response, new TwilioRefusal(401, 20003, 'Authenticate'))
    const mount = request.baseUrl.slice(0, -'/2010-04-01'.length)
    carrier.apiBase = `${request.protocol}://${request.get('host')}${mount}`
    next()
  }
  const gate = stage.faults.gate('twilio', isSend, refuseWithStatus)
  const contents = new Contents(stage)
  router.use('/2010-04-01', authorize, gate)
  // Other hosts of Twilio's, at the one address that a simulator has.
  router.use('/v1', allow, contents.router())
  router.post('/v2/Indicators/Typing.json', allow, form, (request, response) => {
    const { messageId, channel } = z
      .object({ messageId: z.string().regex(/^[A-Z]{2}[0-9a-f]{32}$/), channel: z.literal('whatsapp') })
      .parse(request.body ?? {})
    stage.ledger.note({ provider: 'twilio', id: messageId, to: '', what: 'typing', text: channel })
    answer(response, 200, { success: true })
  })

  router.get(`${base}.json`, (_request, response) => {
    answer(response, 200, {
      sid: account.accountSid,
      friendly_name: account.title,
      status: 'active',
      type: 'Full',
    })
  })

  router.post(`${base}/Messages.json`, form, async (request, response) => {
    let message: Outbound
    try {
      message = messageOf(request.body, stage, contents)
    } catch (error) {
      if (error instanceof TwilioRefusal) return refuse(response, error)
      throw error
    }
    await carrier.accept(message)
    answer(
      response,
      201,
      resourceOf({ ...message, status: message.service ? 'accepted' : 'queued' }, account.accountSid),
    )
  })

  router.get(`${base}/Messages/:sid.json`, (request, response) => {
    const message = carrier.get(String(request.params.sid))
    if (message) answer(response, 200, resourceOf(message, account.accountSid))
    else refuse(response, new TwilioRefusal(404, 20404, 'The requested resource was not found'))
  })

  router.get(`${base}/Messages/:sid/Media/:media`, (request, response) => {
    const file = stage.files.get(/^ME([0-9a-f]{32})$/.exec(String(request.params.media))?.[1] ?? '')
    if (file) response.set('content-type', file.mime).send(file.bytes)
    else refuse(response, new TwilioRefusal(404, 20404, 'The requested resource was not found'))
  })

  router.get(`${base}/IncomingPhoneNumbers.json`, (request, response) => {
    const asked = request.query.PhoneNumber
    const found = asked === undefined || asked === account.number
    answer(response, 200, { incoming_phone_numbers: found ? [phoneNumber()] : [], page: 0 })
  })

  router.post(`${base}/IncomingPhoneNumbers/${numberSid}.json`, form, (request, response) => {
    const { SmsUrl } = z.object({ SmsUrl: z.string().optional() }).parse(request.body ?? {})
    if (SmsUrl !== undefined && SmsUrl !== '' && !URL.canParse(SmsUrl))
      return refuse(response, new TwilioRefusal(400, 21502, 'SmsUrl is not valid'))
    if (SmsUrl !== undefined) carrier.smsUrl = SmsUrl || undefined
    answer(response, 200, phoneNumber())
  })

  router.use('/2010-04-01', (_request, response) => {
    refuse(response, new TwilioRefusal(404, 20404, 'The requested resource was not found'))
  })

  const phoneNumber = () => ({
    sid: numberSid,
    account_sid: account.accountSid,
    phone_number: account.number,
    friendly_name: account.title,
    sms_url: carrier.smsUrl ?? '',
    sms_method: 'POST',
  })
  return router
}

const isSend = (request: Request): boolean =>
  request.method === 'POST' && request.path.endsWith('/Messages.json')

const list = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat())
const Params = z.object({
  To: z.string().optional(),
  From: z.string().optional(),
  MessagingServiceSid: z.string().optional(),
  Body: z.string().default(''),
  MediaUrl: list.default([]),
  StatusCallback: z.string().optional(),
  ContentSid: z.string().optional(),
  ContentVariables: z.string().optional(),
  PersistentAction: z.string().optional(),
})

const WHATSAPP = 'whatsapp:'

/** @throws TwilioRefusal as Twilio would */
function messageOf(body: unknown, stage: Stage, contents: Contents): Outbound {
  const { accounts, handsets, clock } = stage
  const { To, From, MessagingServiceSid, MediaUrl, StatusCallback, ...said } = Params.parse(body ?? {})
  const Body = said.ContentSid ? contents.wordsOf(said.ContentSid, said.ContentVariables) : said.Body
  const prefix = To?.startsWith(WHATSAPP) ? WHATSAPP : ''
  if (!To) throw new TwilioRefusal(400, 21604, "A 'To' phone number is required.")
  const magic = MAGIC_NUMBERS[To]
  if (magic) throw magic
  if (!/^\+[1-9]\d{6,14}$/.test(To.slice(prefix.length)))
    throw new TwilioRefusal(400, 21211, `Invalid 'To' Phone Number: ${To.slice(0, 6)}XXXX`)
  if (!From && !MessagingServiceSid) throw new TwilioRefusal(400, 21603, "A 'From' phone number is required.")
  if (From && From !== prefix + accounts.twilio.number)
    throw new TwilioRefusal(
      400,
      21606,
      `The 'From' phone number provided (${From}) is not a valid message-capable Twilio phone number for this destination/account`,
    )
  if (!Body && MediaUrl.length === 0) throw new TwilioRefusal(400, 21602, 'Message body is required')
  if (Body.length > 1600)
    throw new TwilioRefusal(400, 21617, 'The concatenated message body exceeds the 1600 character limit')
  if (said.PersistentAction && !/^geo:-?\d+(\.\d+)?,-?\d+(\.\d+)?(\|.+)?$/.test(said.PersistentAction))
    throw new TwilioRefusal(400, 63024, 'Invalid PersistentAction')
  if (MediaUrl.length > (prefix ? 1 : 10))
    throw new TwilioRefusal(400, 21623, 'Number of media files exceeds allowed limit')
  if (!MediaUrl.every((url) => URL.canParse(url))) throw new TwilioRefusal(400, 21620, 'Invalid media URL(s)')
  if (StatusCallback !== undefined && !URL.canParse(StatusCallback))
    throw new TwilioRefusal(400, 21609, "The 'StatusCallback' URL is not a valid URL.")
  if (handsets.ofPhone(To)?.blocked.sms)
    throw new TwilioRefusal(400, 21610, 'Attempt to send to unsubscribed recipient')
  return {
    sid: `${MediaUrl.length > 0 ? 'MM' : 'SM'}${stage.hex(32)}`,
    to: To,
    from: From ?? prefix + accounts.twilio.number,
    body: Body,
    mediaUrls: MediaUrl,
    statusCallback: StatusCallback,
    service: MessagingServiceSid,
    createdAt: clock.now(),
    status: MessagingServiceSid ? 'accepted' : 'queued',
  }
}

/** Twilio's own numbers for trying out refusals. @see https://www.twilio.com/docs/iam/test-credentials */
const MAGIC_NUMBERS: Record<string, TwilioRefusal> = {
  '+15005550001': new TwilioRefusal(400, 21211, "Invalid 'To' Phone Number"),
  '+15005550002': new TwilioRefusal(400, 21612, "The 'To' phone number is not currently reachable"),
  '+15005550003': new TwilioRefusal(
    400,
    21408,
    'Permission to send an SMS has not been enabled for the region',
  ),
  '+15005550004': new TwilioRefusal(400, 21610, 'Attempt to send to unsubscribed recipient'),
  '+15005550009': new TwilioRefusal(400, 21614, "'To' number is not a valid mobile number"),
}

function resourceOf(message: Outbound, accountSid: string): object {
  const { sid, to, from, body, mediaUrls, service, createdAt, status, errorCode } = message
  const date = createdAt.toUTCString().replace('GMT', '+0000')
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body,
    date_created: date,
    date_sent: status === 'queued' || status === 'accepted' ? null : date,
    date_updated: date,
    direction: 'outbound-api',
    error_code: errorCode ?? null,
    error_message: null,
    from: status === 'accepted' ? null : from,
    messaging_service_sid: service ?? null,
    num_media: String(mediaUrls.length),
    num_segments: status === 'accepted' ? '0' : '1',
    price: null,
    price_unit: null,
    sid,
    status,
    subresource_uris: { media: `${uri}/Media.json` },
    to,
    uri: `${uri}.json`,
  }
}
