import { z } from 'zod'

/**
 * What the Send API takes at `/messages`, with its limits.
 * @see https://developers.facebook.com/docs/messenger-platform/reference/send-api
 */

const Words = (most: number) => z.string().min(1).max(most)
const Recipient = z.object({ id: z.string().regex(/^\d{1,64}$/) })

const Button = z.discriminatedUnion('type', [
  z.object({ type: z.literal('postback'), title: Words(20), payload: Words(1000) }),
  z.object({ type: z.literal('web_url'), title: Words(20), url: z.url() }),
])
const Card = z
  .object({
    title: Words(80),
    subtitle: z.string().max(80).optional(),
    buttons: z.array(Button).max(3).optional(),
  })
  .refine(({ subtitle, buttons }) => subtitle || buttons?.length, 'a card needs more than a title')

const Template = z.discriminatedUnion('template_type', [
  z.object({
    template_type: z.literal('button'),
    text: Words(640),
    buttons: z.array(Button).min(1).max(3),
  }),
  z.object({ template_type: z.literal('generic'), elements: z.array(Card).min(1).max(10) }),
])

const Attachment = z.discriminatedUnion('type', [
  z.object({ type: z.literal('template'), payload: Template }),
  z.object({
    type: z.enum(['image', 'audio', 'video', 'file']),
    payload: z.object({ url: z.url({ protocol: /^https?$/ }), is_reusable: z.boolean().optional() }),
  }),
])

const Message = z
  .object({
    text: z.string().min(1).max(1999).optional(),
    attachment: Attachment.optional(),
    quick_replies: z
      .array(z.object({ content_type: z.literal('text'), title: Words(20), payload: Words(1000) }))
      .min(1)
      .max(13)
      .optional(),
    metadata: z.string().max(999).optional(),
  })
  .refine(({ text, attachment }) => (text === undefined) !== (attachment === undefined), 'text or attachment')

export const Send = z
  .object({
    recipient: Recipient,
    messaging_type: z.enum(['RESPONSE', 'UPDATE', 'MESSAGE_TAG']),
    tag: z.enum(['HUMAN_AGENT', 'CUSTOMER_FEEDBACK']).optional(),
    message: Message,
    reply_to: z.object({ mid: Words(1000) }).optional(),
  })
  .refine(({ messaging_type, tag }) => (messaging_type === 'MESSAGE_TAG') === (tag !== undefined), 'tag')
export type Send = z.infer<typeof Send>

export const Action = z.discriminatedUnion('sender_action', [
  z.object({ recipient: Recipient, sender_action: z.enum(['typing_on', 'typing_off', 'mark_seen']) }),
  z.object({
    recipient: Recipient,
    sender_action: z.literal('react'),
    payload: z.object({ message_id: Words(1000), reaction: Words(30) }),
  }),
  z.object({
    recipient: Recipient,
    sender_action: z.literal('unreact'),
    payload: z.object({ message_id: Words(1000) }),
  }),
])
export type Action = z.infer<typeof Action>

export const Subscription = z.object({
  object: z.literal('page'),
  callback_url: z.string(),
  fields: z.string().min(1),
  verify_token: z.string().min(1),
})
