import { z } from 'zod'
import { Entity } from './entities.ts'
import { Keyboard } from './keyboards.ts'

/**
 * The parts of an update that we read, checked; the rest is let be, since fields appear without notice.
 * @see https://core.telegram.org/bots/api#update
 */

/** Seconds since 1970; 32 bits on Telegram's wire. */
const Seconds = z.int().min(0).max(0x7fffffff)
/** At most 52 bits, so a JS number holds it. @see https://core.telegram.org/bots/api#chat */
const Id = z.int()

export const User = z.object({
  id: Id,
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  username: z.string().optional(),
  language_code: z.string().optional(),
})

export const Chat = z.object({
  id: Id,
  type: z.string(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  username: z.string().optional(),
})

const File = z.object({
  file_id: z.string().min(1),
  file_name: z.string().optional(),
  mime_type: z.string().optional(),
  file_size: z.number().nonnegative().optional(),
})
const Photo = File.extend({ width: z.number(), height: z.number() })
const Sticker = File.extend({
  emoji: z.string().optional(),
  is_animated: z.boolean().optional(),
  is_video: z.boolean().optional(),
})
const Location = z.object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
const Venue = z.object({ location: Location, title: z.string(), address: z.string() })
const Contact = z.object({
  phone_number: z.string(),
  first_name: z.string(),
  last_name: z.string().optional(),
  user_id: Id.optional(),
})

export const Message = z.object({
  message_id: Id,
  date: Seconds,
  edit_date: Seconds.optional(),
  chat: Chat,
  from: User.optional(),
  reply_to_message: z.object({ message_id: Id }).optional(),
  caption: z.string().optional(),
  text: z.string().optional(),
  entities: z.array(Entity).optional().catch(undefined),
  photo: z.array(Photo).min(1).optional(),
  animation: File.optional(),
  document: File.optional(),
  video: File.optional(),
  video_note: File.optional(),
  audio: File.optional(),
  voice: File.optional(),
  sticker: Sticker.optional(),
  venue: Venue.optional(),
  location: Location.optional(),
  contact: Contact.optional(),
})

const Reaction = z.object({ type: z.string(), emoji: z.string().optional() })

export const Update = z.object({
  update_id: z.int().nonnegative(),
  message: Message.optional(),
  edited_message: Message.optional(),
  callback_query: z
    .object({
      id: z.string().min(1),
      from: User,
      message: z
        .object({ message_id: Id, chat: Chat, reply_markup: Keyboard.optional().catch(undefined) })
        .optional(),
      data: z.string().optional(),
    })
    .optional(),
  message_reaction: z
    .object({
      chat: Chat,
      message_id: Id,
      user: User.optional(),
      date: Seconds,
      new_reaction: z.array(Reaction),
    })
    .optional(),
  my_chat_member: z
    .object({ chat: Chat, from: User, date: Seconds, new_chat_member: z.object({ status: z.string() }) })
    .optional(),
})

export type Message = z.infer<typeof Message>
export type Update = z.infer<typeof Update>
export type User = z.infer<typeof User>

/** Fields that surround a message and are not what it says. @see https://core.telegram.org/bots/api#message */
const ENVELOPE = new Set([
  'message_id',
  'message_thread_id',
  'direct_messages_topic',
  'from',
  'sender_chat',
  'sender_boost_count',
  'sender_business_bot',
  'sender_tag',
  'date',
  'business_connection_id',
  'chat',
  'forward_origin',
  'forward_from',
  'forward_from_chat',
  'forward_from_message_id',
  'forward_signature',
  'forward_sender_name',
  'forward_date',
  'is_topic_message',
  'is_automatic_forward',
  'reply_to_message',
  'external_reply',
  'quote',
  'reply_to_story',
  'reply_to_checklist_task_id',
  'via_bot',
  'edit_date',
  'has_protected_content',
  'is_from_offline',
  'is_paid_post',
  'media_group_id',
  'author_signature',
  'paid_star_count',
  'entities',
  'link_preview_options',
  'suggested_post_info',
  'effect_id',
  'caption',
  'caption_entities',
  'show_caption_above_media',
  'has_media_spoiler',
  'reply_markup',
])

/** The name of the field that says what a message is, for kinds that we do not know. */
export const kindOfMessage = (raw: unknown): string =>
  fieldName(raw, (key) => !ENVELOPE.has(key)) ?? 'message'

/** The name of the field that says what an update is. */
export const kindOfUpdate = (raw: unknown): string | undefined => fieldName(raw, (key) => key !== 'update_id')

function fieldName(raw: unknown, wanted: (key: string) => boolean): string | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  return Object.keys(raw).find((key) => wanted(key) && /^[a-z][a-z0-9_]{0,63}$/.test(key))
}
