import type { Content, MediaFile, MediaType } from '../../models/content.ts'
import type { Address, ProviderMessageId } from '../../models/ids.ts'
import { Unreadable } from '../adapter.ts'
import type { EditEvent, IgnoredEvent, MessageEvent, Profile, ProviderEvent } from '../events.ts'
import { marksOf } from './entities.ts'
import { titleOf } from './keyboards.ts'
import { kindOfMessage, kindOfUpdate, type Message, Update, type User } from './updates.ts'

/** What one update tells. @throws Unreadable */
export function eventsOf(body: Uint8Array): ProviderEvent[] {
  const raw = jsonOf(body)
  const parsed = Update.safeParse(raw)
  if (!parsed.success)
    throw new Unreadable(`Not an update: ${parsed.error.issues[0]?.path.join('.') || 'body'}`)
  return [eventOf(parsed.data, raw as Record<string, unknown>)]
}

function eventOf(update: Update, raw: Record<string, unknown>): ProviderEvent {
  const { message, edited_message, message_reaction, callback_query, my_chat_member } = update
  if (message) return isPrivate(message) ? messageEvent(message, raw.message) : ignored(message, 'message')
  if (edited_message)
    return isPrivate(edited_message)
      ? editEvent(edited_message, raw.edited_message, update.update_id)
      : ignored(edited_message, 'edited_message')
  if (message_reaction) return reactionEvent(message_reaction, update.update_id)
  if (callback_query) return callbackEvent(callback_query)
  if (my_chat_member) return membershipEvent(my_chat_member)
  const kind = kindOfUpdate(raw)
  if (!kind) throw new Unreadable('An update that tells nothing')
  return { kind: 'ignored', what: kind }
}

/** A person's chat with the bot; groups and channels are no conversations of ours. */
const isPrivate = ({ chat }: { chat: { type: string } }): boolean => chat.type === 'private'

const ignored = ({ chat }: { chat: { type: string } }, what: string): IgnoredEvent => ({
  kind: 'ignored',
  what: `${GROUPS.has(chat.type) ? chat.type : 'other'}_${what}`,
})
const GROUPS = new Set(['group', 'supergroup', 'channel'])

function messageEvent(message: Message, raw: unknown): MessageEvent {
  const { chat, reply_to_message } = message
  return {
    kind: 'message',
    from: addressOf(chat),
    profile: profileOf(message),
    providerId: messageName(chat.id, message.message_id),
    content: contentOf(message, raw),
    ...(reply_to_message && { replyTo: messageName(chat.id, reply_to_message.message_id) }),
    writtenAt: new Date(message.date * 1000),
  }
}

const editEvent = (message: Message, raw: unknown, updateId: number): EditEvent => ({
  kind: 'edit',
  from: addressOf(message.chat),
  providerId: messageName(message.chat.id, message.message_id),
  version: versionOf(message.edit_date ?? message.date, updateId),
  content: contentOf(message, raw),
})

function reactionEvent(
  { chat, message_id, date, new_reaction }: NonNullable<Update['message_reaction']>,
  updateId: number,
): ProviderEvent {
  if (!isPrivate({ chat })) return ignored({ chat }, 'message_reaction')
  return {
    kind: 'reaction',
    from: addressOf(chat),
    providerId: messageName(chat.id, message_id),
    emojis: new_reaction.map(({ type, emoji }) => emoji ?? (type === 'paid' ? '⭐' : UNKNOWN_EMOJI)),
    version: versionOf(date, updateId),
  }
}
/** Stands for a custom emoji, of which Telegram gives only an id. */
const UNKNOWN_EMOJI = '✨'

/** A tap on a button: what was picked, as a message of the contact's. A game's tap carries no data. */
function callbackEvent({ id, from, message, data }: NonNullable<Update['callback_query']>): ProviderEvent {
  if (message && !isPrivate(message)) return ignored(message, 'callback_query')
  return {
    kind: 'message',
    from: addressOf(message?.chat ?? from),
    profile: profileOfUser(from),
    providerId: `${CALLBACK}${id}` as ProviderMessageId,
    content:
      data === undefined
        ? { type: 'unsupported', kind: 'callback_query' }
        : { type: 'choice', id: data, title: titleOf(message?.reply_markup, data) ?? data },
    ...(message && { replyTo: messageName(message.chat.id, message.message_id) }),
  }
}

/** The name of a tap, apart from those of messages. */
export const CALLBACK = 'callback:'

function membershipEvent({ chat, new_chat_member }: NonNullable<Update['my_chat_member']>): ProviderEvent {
  const { status } = new_chat_member
  if (!isPrivate({ chat }))
    return status === 'member' || status === 'administrator'
      ? { kind: 'invitation', where: addressOf(chat) }
      : ignored({ chat }, 'my_chat_member')
  if (status !== 'kicked' && status !== 'member') return { kind: 'ignored', what: 'my_chat_member' }
  return { kind: 'reachability', from: addressOf(chat), reachable: status === 'member' }
}

function contentOf(message: Message, raw: unknown): Content {
  const { text, photo, animation, video, video_note, audio, voice, sticker, document } = message
  const { venue, location, contact } = message
  if (text !== undefined) {
    const marks = marksOf(text, message.entities)
    return { type: 'text', text, ...(marks.length > 0 && { marks }) }
  }
  if (photo) return media('image', { ...largest(photo), mime_type: 'image/jpeg' }, message)
  // An animation is also told as a document, for clients older than animations.
  if (animation) return media('video', animation, message)
  if (video) return media('video', video, message)
  if (video_note) return media('video', { mime_type: 'video/mp4', ...video_note }, message)
  if (audio) return media('audio', audio, message)
  if (voice) return media('voice', voice, message)
  if (sticker) return media('sticker', { ...sticker, mime_type: stickerMime(sticker) }, message)
  if (document) return media('document', document, message)
  // A venue is also told as a location.
  if (venue) return { type: 'location', ...venue.location, name: venue.title, address: venue.address }
  if (location) return { type: 'location', ...location }
  if (contact) return { type: 'contact', name: nameOf(contact), phones: [contact.phone_number] }
  return { type: 'unsupported', kind: kindOfMessage(raw) }
}

interface TelegramFile {
  file_id: string
  file_name?: string | undefined
  mime_type?: string | undefined
  file_size?: number | undefined
}

function media(type: MediaType, file: TelegramFile, { caption }: Message): Content {
  const pending: MediaFile = {
    state: 'pending',
    reference: file.file_id,
    ...(file.file_name !== undefined && { name: file.file_name }),
    ...(file.mime_type !== undefined && { mime: file.mime_type }),
    ...(file.file_size !== undefined && { size: file.file_size }),
  }
  return { type, file: pending, ...(caption !== undefined && { caption }) }
}

const largest = <T extends { width: number; height: number }>(sizes: T[]): T =>
  sizes.reduce((best, size) => (size.width * size.height > best.width * best.height ? size : best))

const stickerMime = ({ is_animated, is_video }: NonNullable<Message['sticker']>): string =>
  is_animated ? 'application/x-tgsticker' : is_video ? 'video/webm' : 'image/webp'

function profileOf({ from, chat, contact }: Message): Profile {
  const profile = profileOfUser(from ?? chat)
  // Telegram shows a number only when its owner shares it; `user_id` tells whose it is.
  const own = contact && from && contact.user_id === from.id ? digitsOf(contact.phone_number) : ''
  return own ? { ...profile, phone: `+${own}` } : profile
}

function profileOfUser(user: Omit<User, 'id'>): Profile {
  const name = nameOf(user)
  return {
    ...(name && { name }),
    ...(user.username && { username: user.username }),
    ...(user.language_code && { language: user.language_code }),
  }
}

const nameOf = (user: { first_name?: string | undefined; last_name?: string | undefined }): string =>
  [user.first_name, user.last_name].filter(Boolean).join(' ')

const digitsOf = (phone: string): string => phone.replace(/\D/g, '')

/** In a person's chat with a bot, the chat has the person's own id. */
const addressOf = ({ id }: { id: number }): Address => String(id) as Address

/** `message_id` is unique only within its chat. @see https://core.telegram.org/bots/api#message */
export const messageName = (chat: number, message: number): ProviderMessageId =>
  `${chat}:${message}` as ProviderMessageId

/**
 * A number that grows with each change of a message: two edits within a second differ by their update's id. 31 bits of
 * seconds and 22 of the id fit the 53 that a number holds exactly.
 */
const versionOf = (seconds: number, updateId: number): number => seconds * 2 ** 22 + (updateId % 2 ** 22)

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new Unreadable('Not JSON in UTF-8')
  }
}
