import { z } from 'zod'
import { Many, Name } from '../reading.ts'

/**
 * The parts of a WhatsApp webhook that we read, checked; the rest is let be, since fields appear without notice.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
 */

export const OBJECT = 'whatsapp_business_account'

/** Seconds since 1970, told as a string. Absent where it is none: nothing leans on it. */
const Moment = z
  .union([z.string().regex(/^\d{1,11}$/), z.int().min(0).max(99_999_999_999)])
  .transform((seconds) => new Date(Number(seconds) * 1000))
  .optional()
  .catch(undefined)

const Words = z.string().optional().catch(undefined)
const MaybeName = Name.optional().catch(undefined)

export const Entry = z.object({ changes: Many }).catch({ changes: [] })

export const Change = z.object({
  field: z.string(),
  value: z
    .object({
      metadata: z.object({ phone_number_id: Name }).optional().catch(undefined),
      contacts: Many,
      messages: Many,
      message_echoes: Many,
      statuses: Many,
      errors: Many,
    })
    .catch({
      metadata: undefined,
      contacts: [],
      messages: [],
      message_echoes: [],
      statuses: [],
      errors: [],
    }),
})
export type Change = z.infer<typeof Change>

export const Contact = z.object({
  wa_id: MaybeName,
  user_id: MaybeName,
  profile: z.object({ name: Words, username: Words }).optional().catch(undefined),
})
export type Contact = z.infer<typeof Contact>

/** What surrounds a message, whatever it says. Who hides their number is known by a user id alone. */
export const Head = z.object({
  id: Name,
  from: MaybeName,
  from_user_id: MaybeName,
  to: MaybeName,
  to_user_id: MaybeName,
  group_id: MaybeName,
  timestamp: Moment,
  type: z.string(),
  context: z.object({ id: MaybeName }).optional().catch(undefined),
})
export type Head = z.infer<typeof Head>

export const Status = z.object({
  id: Name,
  status: z.string(),
  biz_opaque_callback_data: z.string().min(1).max(512).optional().catch(undefined),
  errors: z
    .array(z.object({ code: z.int() }))
    .optional()
    .catch(undefined),
})

const MediaObject = z.object({
  id: Name,
  mime_type: Words,
  caption: Words,
  filename: Words,
  voice: z.boolean().optional().catch(undefined),
})
const Card = z.object({
  name: z.object({ formatted_name: z.string() }),
  phones: z.array(z.object({ phone: Words, wa_id: Words })).catch([]),
})
const Chosen = z.object({ id: z.string(), title: z.string() })

/** By `type`: the object of that name beside it. */
export const Bodies = {
  text: z.object({ text: z.object({ body: z.string() }) }),
  image: z.object({ image: MediaObject }),
  video: z.object({ video: MediaObject }),
  audio: z.object({ audio: MediaObject }),
  document: z.object({ document: MediaObject }),
  sticker: z.object({ sticker: MediaObject }),
  location: z.object({
    location: z.object({
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      name: Words,
      address: Words,
    }),
  }),
  contacts: z.object({ contacts: z.array(Card).min(1).max(257) }),
  button: z.object({ button: z.object({ payload: Words, text: z.string() }) }),
  interactive: z.object({
    interactive: z.union([
      z.object({ type: z.literal('button_reply'), button_reply: Chosen }),
      z.object({ type: z.literal('list_reply'), list_reply: Chosen }),
      z.object({ type: z.string() }),
    ]),
  }),
  reaction: z.object({ reaction: z.object({ message_id: Name, emoji: z.string().max(100).catch('') }) }),
  edit: z.object({ edit: z.object({ original_message_id: Name, message: z.unknown() }) }),
  revoke: z.object({ revoke: z.object({ original_message_id: Name }) }),
  system: z.object({ system: z.object({ type: z.string() }) }),
}
