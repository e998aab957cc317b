import type { Content, MediaType } from '../../../models/content.ts'
import type { Address, AttemptKey, ProviderMessageId } from '../../../models/ids.ts'
import type { WebhookRequest } from '../../adapter.ts'
import type { ProviderEvent } from '../../events.ts'
import { numbered } from '../numbering.ts'
import { envelopeOf, ignored, orUnreadable, peekedEnvelope, unreadable, wordOf } from '../reading.ts'
import { attemptIn } from './metadata.ts'
import { Attachment, Entry, kindOf, type Message, Messaging, OBJECT } from './payloads.ts'

/** What one webhook tells, of the page `sender` where one is given. @throws Unreadable */
export function eventsOf(request: WebhookRequest, sender?: string): ProviderEvent[] {
  const { object, entry } = envelopeOf(request)
  if (object !== OBJECT) return [ignored(object)]
  return orUnreadable(
    entriesOf(entry)
      .filter((one) => one === null || sender === undefined || one.id === sender)
      .flatMap((one) => (one ? eventsOfEntry(one) : [unreadable()])),
  )
}

/** The pages that a request tells of. */
export function receiversOf(request: WebhookRequest): string[] {
  const ids = entriesOf(peekedEnvelope(request)?.entry ?? []).map((one) => one?.id)
  return [...new Set(ids.filter((id) => id !== undefined))]
}

const entriesOf = (entry: unknown[]): (Entry | null)[] =>
  entry.map((one) => {
    const parsed = Entry.safeParse(one)
    return parsed.success ? parsed.data : null
  })

/** In `standby` is what another app answers, in `changes` what happens on the page itself. */
const eventsOfEntry = ({ messaging, standby, changes }: Entry): ProviderEvent[] => [
  ...messaging.flatMap(eventsOfMessaging),
  ...standby.map(() => ignored('standby')),
  ...changes.map(() => ignored('changes')),
]

function eventsOfMessaging(raw: unknown): ProviderEvent[] {
  const parsed = Messaging.safeParse(raw)
  if (!parsed.success) return [unreadable()]
  const told = parsed.data
  const from = told.sender.id as Address
  if (told.message) return messageEvents(told, told.message, from)
  if (told.postback) return [postbackEvent(told, told.postback, from)]
  if (told.reaction) return [reactionEvent(told, told.reaction, from)]
  if (told.message_edit) {
    const { mid, text, num_edit } = told.message_edit
    const content: Content = { type: 'text', text }
    return [{ kind: 'edit', from, providerId: mid as ProviderMessageId, version: num_edit, content }]
  }
  if (told.delivery) return [watermarkEvent('delivered', told.delivery, from)]
  if (told.read) return [watermarkEvent('read', told.read, from)]
  return [ignored(kindOf(raw))]
}

function messageEvents(told: Messaging, message: Message, from: Address): ProviderEvent[] {
  const { mid, reply_to } = message
  if (message.is_echo) return echoEvents(told, message)
  // Told of Instagram, and of Messenger not yet: where it comes, it says so.
  if (message.is_deleted) return [{ kind: 'deletion', from, providerId: mid as ProviderMessageId }]
  return contentsOf(message).map((content, index) => ({
    kind: 'message',
    from,
    profile: {},
    providerId: numbered(mid, index),
    content,
    ...(reply_to?.mid && { replyTo: reply_to.mid as ProviderMessageId }),
    ...(told.timestamp && { writtenAt: told.timestamp }),
  }))
}

/**
 * What went out in the page's name. Our own says which attempt it was, and is the proof that it left, even where the
 * answer to the call was lost.
 */
function echoEvents(told: Messaging, message: Message): ProviderEvent[] {
  const attempt = attemptIn(message.metadata)
  const providerId = message.mid as ProviderMessageId
  const to = told.recipient?.id
  // A watermark may follow at once, and means it by the name told here.
  if (attempt)
    return [
      {
        kind: 'status',
        ...(to !== undefined && { to: to as Address }),
        providerId,
        attemptKey: attempt as AttemptKey,
        status: 'sent',
      },
    ]
  if (to === undefined) return [unreadable()]
  if (message.is_deleted) return [ignored('echo_deleted')]
  return contentsOf(message).map((content, index) => ({
    kind: 'echo',
    to: to as Address,
    providerId: numbered(message.mid, index),
    content,
    ...(told.timestamp && { writtenAt: told.timestamp }),
  }))
}

/** Old postbacks have no name of their own: who and when then make one. */
function postbackEvent(
  { timestamp }: Messaging,
  { mid, title, payload, reply_to }: NonNullable<Messaging['postback']>,
  from: Address,
): ProviderEvent {
  const providerId = (mid ?? `postback:${from}:${timestamp?.getTime() ?? payload}`) as ProviderMessageId
  return {
    kind: 'message',
    from,
    profile: {},
    providerId,
    content: { type: 'choice', id: payload ?? title, title: title || (payload ?? '') },
    ...(reply_to?.mid && { replyTo: reply_to.mid as ProviderMessageId }),
    ...(timestamp && { writtenAt: timestamp }),
  }
}

/** For clients that tell a reaction's name alone. */
const EMOJIS: Readonly<Record<string, string>> = {
  smile: '😆',
  angry: '😠',
  sad: '😢',
  wow: '😮',
  love: '❤️',
  like: '👍',
  dislike: '👎',
}
const UNKNOWN_EMOJI = '✨'

function reactionEvent(
  { timestamp }: Messaging,
  { mid, action, reaction = '', emoji }: NonNullable<Messaging['reaction']>,
  from: Address,
): ProviderEvent {
  const named = Object.hasOwn(EMOJIS, reaction) ? EMOJIS[reaction] : undefined
  return {
    kind: 'reaction',
    from,
    providerId: mid as ProviderMessageId,
    emojis: action === 'unreact' ? [] : [emoji || (named ?? UNKNOWN_EMOJI)],
    version: timestamp?.getTime() ?? 0,
  }
}

const watermarkEvent = (
  status: 'delivered' | 'read',
  { watermark, mids }: NonNullable<Messaging['delivery']>,
  from: Address,
): ProviderEvent => ({
  kind: 'watermark',
  from,
  status,
  upTo: new Date(watermark),
  ...(mids.length > 0 && { named: mids as ProviderMessageId[] }),
})

/** Words and files come together; the words go with the first file. */
function contentsOf({ text, quick_reply, attachments }: Message): Content[] {
  if (quick_reply) return [{ type: 'choice', id: quick_reply.payload, title: text ?? quick_reply.payload }]
  const [first, ...others] = attachments.map((raw) => {
    const attachment = Attachment.safeParse(raw).data
    return attachment ? attachmentContent(attachment) : unsupported('attachment')
  })
  if (!first) return [text === undefined ? unsupported('message') : { type: 'text', text }]
  if (!text) return [first, ...others]
  if ('file' in first) return [{ ...first, caption: text }, ...others]
  // A shared link is told in the text and beside it.
  const said: Content = { type: 'text', text }
  return first.type === 'text' && text.includes(first.text.split('\n').at(-1) ?? '')
    ? [said, ...others]
    : [said, first, ...others]
}

function attachmentContent({ type, title, payload }: Attachment): Content {
  const url = payload?.url
  switch (type) {
    case 'image':
      return file(payload?.sticker_id == null ? 'image' : 'sticker', url)
    case 'audio':
    case 'video':
      return file(type, url)
    case 'file':
      return file('document', url)
    case 'location': {
      const { lat, long } = payload?.coordinates ?? {}
      return lat === undefined || long === undefined
        ? unsupported(type)
        : { type: 'location', latitude: lat, longitude: long, ...(title && { name: title }) }
    }
    default: {
      const shared = [payload?.title ?? title, url].filter((line) => line).join('\n')
      return shared && url ? { type: 'text', text: shared } : unsupported(type)
    }
  }
}

function file(type: MediaType, url: string | undefined): Content {
  if (url === undefined || !URL.canParse(url)) return unsupported(type)
  const name = type === 'document' ? nameIn(url) : undefined
  return { type, file: { state: 'pending', reference: url, ...(name && { name }) } }
}

/** The last part of the address is what the person called the file. */
function nameIn(url: string): string | undefined {
  const last = new URL(url).pathname.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(last) || undefined
  } catch {
    return last
  }
}

const unsupported = (kind: string): Content => ({ type: 'unsupported', kind: wordOf(kind) })
