import type { Content, MediaContent, MediaType } from '../../models/content.ts'
import type { ReceiptStatus } from '../../models/delivery.ts'
import type { Address, AttemptKey, ProviderMessageId } from '../../models/ids.ts'
import { Unreadable, type WebhookRequest } from '../adapter.ts'
import type { MessageEvent, ProviderEvent } from '../events.ts'
import { reasonOfCode } from './errors.ts'
import { FORM_TYPE, pairsOf } from './form.ts'

/** The prefix of an address on a channel of Twilio's that is not SMS: `whatsapp:+254711000001`. */
export type AddressPrefix = 'whatsapp' | ''

/**
 * What one webhook tells: a message of the contact's, or a status of ours. What came on another channel than `prefix` says
 * belongs to another inbox. @throws Unreadable
 */
export function eventsOf(request: WebhookRequest, prefix: AddressPrefix = ''): ProviderEvent[] {
  const fields = fieldsOf(request)
  const sid = fields.get('MessageSid') || fields.get('SmsSid') || fields.get('SmsMessageSid')
  if (!sid || !/^[A-Z]{2}[0-9a-fA-F]{32}$/.test(sid)) throw new Unreadable('No message SID')
  const status = fields.get('MessageStatus') || fields.get('SmsStatus') || 'received'
  return status === 'received' || status === 'receiving'
    ? inboundEvents(sid, fields, prefix)
    : [statusEvent(sid, status, fields, request.url)]
}

/** Whose webhook it is: the number that a message came to, or that a status is about. */
export function receiversOf(request: WebhookRequest): string[] {
  try {
    const fields = fieldsOf(request)
    const status = fields.get('MessageStatus') || fields.get('SmsStatus') || 'received'
    const ours = fields.get(status === 'received' || status === 'receiving' ? 'To' : 'From') ?? ''
    const number = ours.split(':').at(-1)?.trim() ?? ''
    return [number, fields.get('MessagingServiceSid') ?? ''].filter(Boolean)
  } catch (error) {
    if (error instanceof Unreadable) return []
    throw error
  }
}

function fieldsOf({ method, url, headers, body }: WebhookRequest): URLSearchParams {
  if (method === 'GET') return new URL(url).searchParams
  const type = headers['content-type']
  if (type !== undefined && !type.toLowerCase().startsWith(FORM_TYPE)) throw new Unreadable('Not a form')
  const fields = pairsOf(body)
  if (!fields) throw new Unreadable('Not a form as Twilio writes it')
  return fields
}

/**
 * @see https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
 * `accepted`, `scheduled`, `queued` and `sending` tell nothing that its answer to the send did not.
 */
const STATUSES: Record<string, ReceiptStatus> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  failed: 'failed',
  undelivered: 'failed',
  canceled: 'failed',
}

function statusEvent(sid: string, status: string, fields: URLSearchParams, url: string): ProviderEvent {
  const ours = Object.hasOwn(STATUSES, status) ? STATUSES[status] : undefined
  if (!ours) return { kind: 'ignored', what: `status_${/^[a-z_]{1,40}$/.test(status) ? status : 'unknown'}` }
  const attempt = attemptOf(url)
  const code = fields.get('ErrorCode')
  return {
    kind: 'status',
    providerId: sid as ProviderMessageId,
    ...(attempt && { attemptKey: attempt as AttemptKey }),
    status: ours,
    ...(ours === 'failed' && problemOf(status, code)),
  }
}

/** The key that we put into the address of the receipts. */
function attemptOf(url: string): string | undefined {
  const attempt = URL.canParse(url) ? new URL(url).searchParams.get('attempt') : null
  return attempt && attempt.length <= 100 ? attempt : undefined
}

const problemOf = (status: string, code: string | null): { code: string; reason: string } =>
  code && /^\d{1,6}$/.test(code)
    ? { code, reason: reasonOfCode(code) }
    : {
        code: status,
        reason: status === 'canceled' ? 'It was cancelled.' : 'The carrier did not deliver it.',
      }

/** @see https://www.twilio.com/docs/messaging/guides/webhook-request */
function inboundEvents(sid: string, fields: URLSearchParams, prefix: AddressPrefix): ProviderEvent[] {
  const given = fields.get('From')?.trim()
  if (!given || given.length > 100) throw new Unreadable('No sender')
  const parts = given.split(':')
  const from = parts.at(-1) ?? ''
  const channel = parts.length > 1 ? (parts[0] ?? '') : ''
  if (channel !== prefix) {
    const name = channel === '' ? 'sms' : (/^[a-z]{1,20}$/.exec(channel)?.[0] ?? 'other')
    return [{ kind: 'ignored', what: `${name}_message` }]
  }
  if (from === '') throw new Unreadable('No sender')
  const name = fields.get('ProfileName')
  const repliedTo = fields.get('OriginalRepliedMessageSid')
  const envelope = {
    kind: 'message',
    from: from as Address,
    profile: { ...(name && { name }), ...(from.startsWith('+') && { phone: from }) },
  } as const
  const messages = contentsOf(fields).map(
    (content, index): MessageEvent => ({
      ...envelope,
      // One webhook may bring ten files: the first carries the message's own name, as statuses and replies know it.
      providerId: (index === 0 ? sid : `${sid}:${index}`) as ProviderMessageId,
      content,
      ...(index === 0 && repliedTo && { replyTo: repliedTo as ProviderMessageId }),
    }),
  )
  return [...messages, ...reachability(from as Address, fields.get('OptOutType'))]
}

/** Twilio keeps to STOP by itself and refuses our answers from then on. Told where Advanced Opt-Out is on. */
function reachability(from: Address, optOut: string | null): ProviderEvent[] {
  if (optOut !== 'STOP' && optOut !== 'START') return []
  return [{ kind: 'reachability', from, reachable: optOut === 'START' }]
}

const MAX_FILES = 10

function contentsOf(fields: URLSearchParams): Content[] {
  const text = fields.get('Body') ?? ''
  const files = filesOf(fields)
  const [first, ...others] = files
  if (first) return [text ? { ...first, caption: text } : first, ...others]
  const special = locationOf(fields) ?? choiceOf(fields)
  if (special) return [special]
  const type = fields.get('MessageType')
  if (!text && type && type !== 'text')
    return [{ type: 'unsupported', kind: /^[a-z_]{1,40}$/.exec(type)?.[0] ?? 'message' }]
  return [{ type: 'text', text }]
}

/** A tap on a button or in a list. What a list answers with is not documented: as users report it. */
function choiceOf(fields: URLSearchParams): Content | undefined {
  const id = fields.get('ButtonPayload') || fields.get('ListId')
  const title = fields.get('ButtonText') || fields.get('ListTitle') || fields.get('Body')
  return id && title ? { type: 'choice', id, title } : undefined
}

function filesOf(fields: URLSearchParams): MediaContent[] {
  const count = Math.min(Number(fields.get('NumMedia')) || 0, MAX_FILES)
  const files: MediaContent[] = []
  for (let index = 0; index < count; index++) {
    const reference = fields.get(`MediaUrl${index}`)
    if (!reference || !URL.canParse(reference)) continue
    const mime = fields.get(`MediaContentType${index}`)
    files.push({
      type: mediaType(mime ?? ''),
      file: { state: 'pending', reference, ...(mime && { mime }) },
    })
  }
  return files
}

function mediaType(mime: string): MediaType {
  const [family] = mime.split('/')
  return family === 'image' || family === 'audio' || family === 'video' ? family : 'document'
}

function locationOf(fields: URLSearchParams): Content | undefined {
  const latitude = degrees(fields.get('Latitude'), 90)
  const longitude = degrees(fields.get('Longitude'), 180)
  if (latitude === undefined || longitude === undefined) return undefined
  const [name, address] = [fields.get('Label'), fields.get('Address')]
  return { type: 'location', latitude, longitude, ...(name && { name }), ...(address && { address }) }
}

function degrees(text: string | null, limit: number): number | undefined {
  const value = text?.trim() ? Number(text) : Number.NaN
  return Math.abs(value) <= limit ? value : undefined
}
