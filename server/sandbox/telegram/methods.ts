import { z } from 'zod'
import { Entity, marksOf } from '../../../adapters/telegram/entities.ts'
import type { Handset } from '../handsets.ts'
import type { BubbleContent, BubbleView } from '../protocol.ts'
import type { Stage } from '../stage.ts'
import type { Bot } from './bot.ts'
import { BotApiError, badRequest } from './errors.ts'
import { fileOfId, pathOfFile } from './parts.ts'
import { EMOJIS } from './reactions.ts'

export interface Uploaded {
  field: string
  name: string
  mime: string
  bytes: Buffer
}
/** A call as it came: from JSON the fields have their types, from a form all are strings. */
export interface MethodCall {
  fields: Record<string, unknown>
  files: Uploaded[]
}
export type Method = (call: MethodCall) => unknown | Promise<unknown>

/** A form carries objects as JSON strings. */
const fromJson = <T extends z.ZodType>(shape: T) =>
  z.preprocess((value) => {
    if (typeof value !== 'string') return value
    try {
      return JSON.parse(value)
    } catch {
      return value
    }
  }, shape)

const Flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
const To = z.object({
  chat_id: z.coerce.number().int(),
  reply_parameters: fromJson(
    z.object({ message_id: z.coerce.number().int(), allow_sending_without_reply: Flag.optional() }),
  ).optional(),
})
const Target = z.object({ chat_id: z.coerce.number().int(), message_id: z.coerce.number().int() })

const Text = z
  .string({ error: 'message text is empty' })
  .trim()
  .min(1, 'message text is empty')
  .max(4096, 'message is too long')
const Caption = z.string().max(1024, 'message caption is too long').optional()
const Place = z.object({
  latitude: z.coerce.number().min(-90).max(90),
  longitude: z.coerce.number().min(-180).max(180),
})
const ActionFields = z.object({ chat_id: z.coerce.number().int(), action: z.string() })
const ReactionFields = z.object({
  reaction: fromJson(z.array(z.object({ type: z.string(), emoji: z.string().optional() }))).default([]),
})
const WebhookFields = z.object({
  url: z.string(),
  secret_token: z
    .string()
    .regex(/^[\w-]{1,256}$/, 'secret token contains unallowed characters')
    .optional(),
  allowed_updates: fromJson(z.array(z.string())).optional(),
  drop_pending_updates: Flag.optional(),
})

const Entities = fromJson(z.array(Entity)).optional()
const Markup = fromJson(
  z.union([
    z.object({
      inline_keyboard: z.array(
        z.array(
          z.object({
            text: z.string().min(1, 'inline keyboard button text is empty'),
            callback_data: z
              .string()
              .min(1)
              .refine((data) => Buffer.byteLength(data) <= 64, 'BUTTON_DATA_INVALID'),
          }),
        ),
      ),
    }),
    z.object({ keyboard: z.array(z.array(z.object({ text: z.string().min(1) }))) }),
  ]),
).optional()

/** What the phone shows of a text with a keyboard. */
function offerOf(markup: z.infer<typeof Markup>, text: string): BubbleContent {
  if (!markup) return { type: 'text', text }
  if ('inline_keyboard' in markup)
    return {
      type: 'offer',
      as: 'buttons',
      text,
      choices: markup.inline_keyboard
        .flat()
        .map((button) => ({ id: button.callback_data, title: button.text })),
    }
  return {
    type: 'offer',
    as: 'replies',
    text,
    choices: markup.keyboard.flat().map((button) => ({ id: button.text, title: button.text })),
  }
}

/** Bytes that `getFile` lets a bot have. */
const DOWNLOAD_MAX_BYTES = 20 * 1_048_576

/** The Bot API methods that the product's adapter may call, by their names in lower case. */
export function methodsOf(bot: Bot, stage: Stage): Record<string, Method> {
  const sends =
    (kind: 'image' | 'video' | 'audio' | 'voice' | 'document', field: string): Method =>
    (call) => {
      const { to, handset, replyTo } = recipient(call)
      const caption = Caption.parse(to.caption)
      const file = fileOf(call, field)
      const content: BubbleContent = { type: 'file', kind, file, ...(caption && { caption }) }
      return sent(handset, content, replyTo)
    }

  function recipient({ fields }: MethodCall) {
    const { chat_id, reply_parameters } = To.parse(fields)
    const handset = bot.reach(chat_id)
    const target = reply_parameters && handset.bubble('telegram', String(reply_parameters.message_id))
    if (reply_parameters && !target && !reply_parameters.allow_sending_without_reply)
      throw badRequest('message to be replied not found')
    return { to: fields, handset, replyTo: target?.id }
  }

  function sent(handset: Handset, content: BubbleContent, replyTo: string | undefined): object {
    return bot.message(handset, bot.send(handset, content, replyTo))
  }

  function fileOf({ fields, files }: MethodCall, field: string) {
    const uploaded = files.find((file) => file.field === field)
    if (uploaded) return stage.files.add(uploaded.name, uploaded.mime, uploaded.bytes)
    const known = stage.files.get(fileOfId(String(fields[field] ?? '')) ?? '')
    if (!known) throw badRequest('wrong file identifier/HTTP URL specified')
    return known
  }

  function ownBubble(fields: Record<string, unknown>): { handset: Handset; bubble: BubbleView } {
    const { chat_id, message_id } = Target.parse(fields)
    const handset = bot.reach(chat_id)
    const bubble = handset.bubble('telegram', String(message_id))
    if (!bubble) throw badRequest('message to edit not found')
    if (bubble.mine) throw badRequest("message can't be edited")
    return { handset, bubble }
  }

  const methods: Record<string, Method> = {
    getMe: () => ({
      ...bot.user,
      can_join_groups: true,
      can_read_all_group_messages: false,
      supports_inline_queries: false,
    }),

    setWebhook({ fields }) {
      const { url, secret_token, allowed_updates, drop_pending_updates } = WebhookFields.parse(fields)
      if (url && !URL.canParse(url)) throw badRequest('bad webhook: invalid url specified')
      if (url)
        bot.feed.setWebhook(
          { url, secret: secret_token, allowed: allowed_updates?.length ? allowed_updates : undefined },
          drop_pending_updates ?? false,
        )
      else bot.feed.deleteWebhook(drop_pending_updates ?? false)
      return true
    },

    deleteWebhook({ fields }) {
      bot.feed.deleteWebhook(
        z.object({ drop_pending_updates: Flag.default(false) }).parse(fields).drop_pending_updates,
      )
      return true
    },

    getWebhookInfo: () => ({
      url: bot.feed.webhook?.url ?? '',
      has_custom_certificate: false,
      pending_update_count: bot.feed.pendingCount,
      ...(bot.feed.lastFailure && { last_error_message: bot.feed.lastFailure }),
      ...(bot.feed.webhook?.allowed && { allowed_updates: bot.feed.webhook.allowed }),
    }),

    getUpdates({ fields }) {
      if (bot.feed.webhook)
        throw new BotApiError(
          409,
          "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        )
      const { offset, limit, timeout } = z
        .object({
          offset: z.coerce.number().int().default(0),
          limit: z.coerce.number().int().min(1).max(100).default(100),
          timeout: z.coerce.number().int().min(0).max(50).default(0),
        })
        .parse(fields)
      return bot.feed.updates(offset, limit, timeout * 1000)
    },

    sendMessage(call) {
      const { handset, replyTo } = recipient(call)
      const text = Text.parse(call.fields.text)
      const marks = marksOf(text, Entities.parse(call.fields.entities))
      const content = offerOf(Markup.parse(call.fields.reply_markup), text)
      const looks = content.type === 'text' && marks.length > 0 ? { ...content, marks } : content
      return sent(handset, looks, replyTo)
    },
    sendSticker: sends('image', 'sticker'),
    sendPhoto: sends('image', 'photo'),
    sendAnimation: sends('image', 'animation'),
    sendVideo: sends('video', 'video'),
    sendAudio: sends('audio', 'audio'),
    sendVoice: sends('voice', 'voice'),
    sendDocument: sends('document', 'document'),

    sendLocation(call) {
      const { handset, replyTo } = recipient(call)
      return sent(handset, { type: 'location', ...Place.parse(call.fields) }, replyTo)
    },
    sendVenue(call) {
      const { handset, replyTo } = recipient(call)
      const { title } = z.object({ title: z.string().min(1), address: z.string().min(1) }).parse(call.fields)
      return sent(handset, { type: 'location', ...Place.parse(call.fields), name: title }, replyTo)
    },
    sendContact(call) {
      const { handset, replyTo } = recipient(call)
      const { phone_number, first_name } = z
        .object({
          phone_number: z.string().min(1, 'phone number must be non-empty'),
          first_name: z.string().min(1, 'contact first name must be non-empty'),
        })
        .parse(call.fields)
      return sent(handset, { type: 'contact', name: first_name, phone: phone_number }, replyTo)
    },

    answerCallbackQuery({ fields }) {
      const { callback_query_id } = z.object({ callback_query_id: z.string() }).parse(fields)
      if (!bot.acknowledge(callback_query_id))
        throw badRequest('query is too old and response timeout expired or query ID is invalid')
      return true
    },

    sendChatAction({ fields }) {
      const { chat_id, action } = ActionFields.parse(fields)
      const handset = bot.reach(chat_id)
      if (action === 'typing') handset.typing('telegram', TYPING_MS)
      return true
    },

    setMessageReaction({ fields }) {
      const { chat_id, message_id } = Target.parse(fields)
      const { reaction } = ReactionFields.parse(fields)
      const handset = bot.reach(chat_id)
      const bubble = handset.bubble('telegram', String(message_id))
      if (!bubble) throw badRequest('message to react not found')
      const emoji = reaction[0]?.emoji
      if (reaction.length > 1) throw badRequest('too many reactions')
      if (emoji && !EMOJIS.has(emoji)) throw badRequest('REACTION_INVALID')
      const { theirs: _, ...others } = bubble.reactions
      handset.change('telegram', bubble.id, { reactions: emoji ? { ...others, theirs: emoji } : others })
      bot.enter(handset, bubble.id, 'reaction', emoji ?? '')
      return true
    },

    editMessageText({ fields }) {
      const { handset, bubble } = ownBubble(fields)
      const text = Text.parse(fields.text)
      if (bubble.content.type !== 'text') throw badRequest('there is no text in the message to edit')
      if (bubble.content.text === text)
        throw badRequest(
          'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
        )
      const edited: BubbleView = { ...bubble, content: { type: 'text', text }, edited: true }
      handset.show('telegram', edited)
      bot.enter(handset, bubble.id, 'edit', text)
      return { ...bot.message(handset, edited), edit_date: Math.floor(stage.clock.now().getTime() / 1000) }
    },

    deleteMessage({ fields }) {
      const { chat_id, message_id } = Target.parse(fields)
      const handset = bot.reach(chat_id)
      if (!handset.bubble('telegram', String(message_id))) throw badRequest('message to delete not found')
      handset.remove('telegram', String(message_id))
      return true
    },

    getFile({ fields }) {
      const { file_id } = z.object({ file_id: z.string() }).parse(fields)
      const file = stage.files.get(fileOfId(file_id) ?? '')
      if (!file) throw badRequest('wrong file_id or the file is temporarily unavailable')
      if (file.size > DOWNLOAD_MAX_BYTES) throw badRequest('file is too big')
      return {
        file_id,
        file_unique_id: `AQAD${file.id.slice(0, 12)}`,
        file_size: file.size,
        file_path: pathOfFile(file),
      }
    },
  }
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]))
}

const TYPING_MS = 5_000
