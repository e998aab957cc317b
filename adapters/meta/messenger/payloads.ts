import { z } from 'zod'
import { Many, Name } from '../reading.ts'

/**
 * The parts of a page's webhook that we read, checked; the rest is let be, since fields appear without notice.
 * @see https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks
 */

export const OBJECT = 'page'

const Words = z.string().optional().catch(undefined)
const MaybeName = Name.optional().catch(undefined)

/** Milliseconds since 1970; seconds have been seen. Absent where it is none: nothing leans on it. */
export const Moment = z
  .number()
  .min(0)
  .max(9_999_999_999_999)
  .transform((told) => new Date(told < 100_000_000_000 ? told * 1000 : told))
  .optional()
  .catch(undefined)

export const Entry = z.object({ id: Name, messaging: Many, standby: Many, changes: Many })
export type Entry = z.infer<typeof Entry>

/** Old types and new ones: who shares a post, a reel or a link sends an address, which is no file. */
export const Attachment = z.object({
  type: z.string(),
  title: Words,
  payload: z
    .object({
      url: Words,
      title: Words,
      sticker_id: z.unknown().optional(),
      coordinates: z
        .object({ lat: z.number().min(-90).max(90), long: z.number().min(-180).max(180) })
        .optional()
        .catch(undefined),
    })
    .nullish()
    .catch(undefined),
})
export type Attachment = z.infer<typeof Attachment>

const Answered = z.object({ mid: MaybeName }).optional().catch(undefined)

export const Message = z.object({
  mid: Name,
  text: Words,
  attachments: Many,
  quick_reply: z.object({ payload: z.string() }).optional().catch(undefined),
  reply_to: Answered,
  is_echo: z.boolean().catch(false),
  is_deleted: z.boolean().catch(false),
  metadata: z.string().max(1_000).optional().catch(undefined),
})
export type Message = z.infer<typeof Message>

const Watermark = z.object({
  watermark: z.number().min(0).max(9_999_999_999_999),
  mids: z.array(Name).max(1_000).catch([]),
})

const maybe = <T extends z.ZodType>(shape: T) => shape.optional()

/** Beside these two every event has one more field, which says what it is. */
export const Messaging = z.object({
  sender: z.object({ id: Name }),
  recipient: z.object({ id: Name }).optional().catch(undefined),
  timestamp: Moment,
  message: maybe(Message),
  message_edit: maybe(
    z.object({ mid: Name, text: z.string(), num_edit: z.int().min(0).max(1_000).catch(0) }),
  ),
  postback: maybe(
    z.object({
      mid: MaybeName,
      title: z.string().catch(''),
      payload: Words,
      reply_to: Answered,
    }),
  ),
  reaction: maybe(
    z.object({
      mid: Name,
      action: z.string(),
      reaction: Words,
      emoji: z.string().max(100).optional().catch(undefined),
    }),
  ),
  delivery: maybe(Watermark),
  read: maybe(Watermark),
})
export type Messaging = z.infer<typeof Messaging>

const ENVELOPE = new Set(['sender', 'recipient', 'timestamp', 'hop_context', 'prior_message'])

/** The name of the field that says what an event is, for kinds that we do not know. */
export const kindOf = (raw: unknown): string =>
  (typeof raw === 'object' && raw !== null && Object.keys(raw).find((key) => !ENVELOPE.has(key))) || 'event'
