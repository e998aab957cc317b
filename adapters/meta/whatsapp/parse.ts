import type { Content, MediaFile, MediaType } from '../../../models/content.ts'
import type { ReceiptStatus } from '../../../models/delivery.ts'
import type { Address, AttemptKey, ProviderMessageId } from '../../../models/ids.ts'
import type { WebhookRequest } from '../../adapter.ts'
import type { MessageEvent, Profile, ProviderEvent } from '../../events.ts'
import { fromMarkup } from '../../whatsapp/markup.ts'
import { numbered } from '../numbering.ts'
import { envelopeOf, ignored, orUnreadable, peekedEnvelope, unreadable, wordOf } from '../reading.ts'
import { problemOfCode } from './errors.ts'
import { Bodies, Change, Contact, Entry, Head, OBJECT, Status } from './payloads.ts'

/** What one webhook tells, of the number `sender` where one is given. @throws Unreadable */
export function eventsOf(request: WebhookRequest, sender?: string): ProviderEvent[] {
  const { object, entry } = envelopeOf(request)
  if (object !== OBJECT) return [ignored(object)]
  return orUnreadable(
    changesOf(entry)
      .filter((change) => change === null || sender === undefined || concerns(change, sender))
      .flatMap((change) => (change ? eventsOfChange(change) : [unreadable()])),
  )
}

/** The numbers that a request tells of. */
export function receiversOf(request: WebhookRequest): string[] {
  const envelope = peekedEnvelope(request)
  const ids = changesOf(envelope?.entry ?? []).map((change) => change?.value.metadata?.phone_number_id)
  return [...new Set(ids.filter((id) => id !== undefined))]
}

/** Null for a change that is none. */
const changesOf = (entry: unknown[]): (Change | null)[] =>
  entry
    .flatMap((one) => Entry.parse(one).changes)
    .map((change) => {
      const parsed = Change.safeParse(change)
      return parsed.success ? parsed.data : null
    })

/** What names no number is about the account: each of its numbers may hear of it. */
const concerns = ({ value: { metadata } }: Change, sender: string): boolean =>
  metadata === undefined || metadata.phone_number_id === sender

function eventsOfChange({ field, value }: Change): ProviderEvent[] {
  switch (field) {
    case 'messages': {
      const contacts = value.contacts
        .map((one) => Contact.safeParse(one))
        .flatMap((parsed) => (parsed.success ? [parsed.data] : []))
      return [
        ...value.messages.flatMap((message) => eventsOfMessage(message, contacts)),
        ...value.statuses.map(statusEvent),
        ...value.errors.map(() => ignored('errors')),
      ]
    }
    case 'smb_message_echoes':
      return value.message_echoes.flatMap(echoEvents)
    default:
      return [ignored(field)]
  }
}

function eventsOfMessage(raw: unknown, contacts: Contact[]): ProviderEvent[] {
  const parsed = Head.safeParse(raw)
  const head = parsed.data
  const address = head?.from ?? head?.from_user_id
  if (!head || address === undefined) return [unreadable()]
  // Groups are no conversations of ours.
  if (head.group_id) return [ignored('group_message')]
  const from = addressOf(address)
  switch (head.type) {
    case 'reaction':
      return [reactionEvent(head, from, raw)]
    case 'edit':
      return [editEvent(head, from, raw)]
    case 'revoke':
      return [revokeEvent(from, raw)]
    case 'system':
      return [ignored(`system_${Bodies.system.safeParse(raw).data?.system.type ?? 'other'}`)]
    case 'request_welcome':
      return [ignored(head.type)]
    default:
      return contentsOf(head.type, raw).map((content, index) => ({
        ...messageEvent(head, from, contacts),
        providerId: numbered(head.id, index),
        content,
      }))
  }
}

function messageEvent(
  head: Head,
  from: Address,
  contacts: Contact[],
): Omit<MessageEvent, 'providerId' | 'content'> {
  return {
    kind: 'message',
    from,
    profile: profileOf(head, contacts),
    ...(head.context?.id && { replyTo: head.context.id as ProviderMessageId }),
    ...(head.timestamp && { writtenAt: head.timestamp }),
  }
}

function profileOf(head: Head, contacts: Contact[]): Profile {
  const contact =
    contacts.find(({ user_id }) => user_id !== undefined && user_id === head.from_user_id) ??
    contacts.find(({ wa_id }) => wa_id !== undefined && wa_id === head.from) ??
    (contacts.length === 1 ? contacts[0] : undefined)
  const { name, username } = contact?.profile ?? {}
  const phone = e164Of(contact?.wa_id ?? head.from)
  return { ...(name && { name }), ...(username && { username }), ...(phone && { phone }) }
}

/** Numbers come without their plus; a user id stays what it is. */
const addressOf = (address: string): Address => (e164Of(address) ?? address) as Address

const e164Of = (digits: string | undefined): string | undefined =>
  digits !== undefined && /^\+?[1-9]\d{5,19}$/.test(digits) ? `+${digits.replace('+', '')}` : undefined

/** The same second may hold a reaction and its taking back; a person does them in this order. */
function reactionEvent(head: Head, from: Address, raw: unknown): ProviderEvent {
  const reaction = Bodies.reaction.safeParse(raw).data?.reaction
  if (!reaction) return unreadable()
  const { message_id, emoji } = reaction
  return {
    kind: 'reaction',
    from,
    providerId: message_id as ProviderMessageId,
    emojis: emoji ? [emoji] : [],
    version: versionOf(head) + (emoji ? 0 : 1),
  }
}

function editEvent(head: Head, from: Address, raw: unknown): ProviderEvent {
  const edit = Bodies.edit.safeParse(raw).data?.edit
  if (!edit) return unreadable()
  const type = Head.pick({ type: true }).safeParse(edit.message).data?.type
  const [content] = contentsOf(type ?? 'edit', edit.message)
  return {
    kind: 'edit',
    from,
    providerId: edit.original_message_id as ProviderMessageId,
    version: versionOf(head),
    content: content ?? unsupported('edit'),
  }
}

const versionOf = ({ timestamp }: Head): number => 2 * Math.floor((timestamp?.getTime() ?? 0) / 1000)

function revokeEvent(from: Address, raw: unknown): ProviderEvent {
  const revoke = Bodies.revoke.safeParse(raw).data?.revoke
  if (!revoke) return unreadable()
  return { kind: 'deletion', from, providerId: revoke.original_message_id as ProviderMessageId }
}

/** What somebody wrote in the phone's own app, on a number that lives in both. */
function echoEvents(raw: unknown): ProviderEvent[] {
  const head = Head.safeParse(raw).data
  const to = head?.to ?? head?.to_user_id
  if (!head || to === undefined) return [unreadable()]
  if (head.group_id || NO_LINES.has(head.type)) return [ignored(`echo_${head.type}`)]
  return contentsOf(head.type, raw).map((content, index) => ({
    kind: 'echo',
    to: addressOf(to),
    providerId: numbered(head.id, index),
    content,
    ...(head.timestamp && { writtenAt: head.timestamp }),
  }))
}
const NO_LINES = new Set(['reaction', 'edit', 'revoke', 'system'])

/**
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
 * `played` is a voice message listened to; `deleted` exists in old traffic and `warning` nowhere in particular.
 */
const STATUSES: Readonly<Record<string, ReceiptStatus>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  played: 'read',
  failed: 'failed',
}

function statusEvent(raw: unknown): ProviderEvent {
  const told = Status.safeParse(raw).data
  if (!told) return unreadable()
  const status = Object.hasOwn(STATUSES, told.status) ? STATUSES[told.status] : undefined
  if (!status) return ignored(`status_${wordOf(told.status)}`)
  return {
    kind: 'status',
    providerId: told.id as ProviderMessageId,
    ...(told.biz_opaque_callback_data && { attemptKey: told.biz_opaque_callback_data as AttemptKey }),
    status,
    ...(status === 'failed' && problemOfCode(told.errors?.[0]?.code)),
  }
}

const unsupported = (kind: string): Content => ({ type: 'unsupported', kind: wordOf(kind) })

/** A message is one content, but for address cards. */
function contentsOf(type: string, raw: unknown): Content[] {
  if (type === 'contacts') {
    const cards = Bodies.contacts.safeParse(raw).data?.contacts
    return cards?.map(cardContent) ?? [unsupported(type)]
  }
  return [contentOf(type, raw) ?? unsupported(type)]
}

function contentOf(type: string, raw: unknown): Content | undefined {
  switch (type) {
    case 'text': {
      const body = Bodies.text.safeParse(raw).data?.text.body
      return body === undefined ? undefined : fromMarkup(body)
    }
    case 'image':
      return media('image', Bodies.image.safeParse(raw).data?.image)
    case 'video':
      return media('video', Bodies.video.safeParse(raw).data?.video)
    case 'document':
      return media('document', Bodies.document.safeParse(raw).data?.document)
    case 'sticker':
      return media('sticker', Bodies.sticker.safeParse(raw).data?.sticker)
    case 'audio': {
      const audio = Bodies.audio.safeParse(raw).data?.audio
      return media(audio?.voice ? 'voice' : 'audio', audio)
    }
    case 'location': {
      const place = Bodies.location.safeParse(raw).data?.location
      if (!place) return undefined
      const { latitude, longitude, name, address } = place
      return { type: 'location', latitude, longitude, ...(name && { name }), ...(address && { address }) }
    }
    case 'button': {
      const button = Bodies.button.safeParse(raw).data?.button
      return button && { type: 'choice', id: button.payload ?? button.text, title: button.text }
    }
    case 'interactive':
      return interactiveContent(raw)
    default:
      return undefined
  }
}

interface WhatsAppFile {
  id: string
  mime_type?: string | undefined
  caption?: string | undefined
  filename?: string | undefined
}

function media(type: MediaType, file: WhatsAppFile | undefined): Content | undefined {
  if (!file) return undefined
  const pending: MediaFile = {
    state: 'pending',
    reference: file.id,
    ...(file.filename && { name: file.filename }),
    ...(file.mime_type && { mime: file.mime_type }),
  }
  return { type, file: pending, ...(file.caption && { caption: file.caption }) }
}

function interactiveContent(raw: unknown): Content | undefined {
  const interactive = Bodies.interactive.safeParse(raw).data?.interactive
  if (!interactive) return undefined
  if ('button_reply' in interactive) return { type: 'choice', ...interactive.button_reply }
  if ('list_reply' in interactive) return { type: 'choice', ...interactive.list_reply }
  return unsupported(interactive.type)
}

function cardContent({ name, phones }: (typeof Bodies.contacts)['_output']['contacts'][number]): Content {
  const numbers = phones.map(({ phone, wa_id }) => phone ?? e164Of(wa_id)).filter((one) => one !== undefined)
  return { type: 'contact', name: name.formatted_name, phones: numbers }
}
