import { z } from 'zod'

/**
 * What the Cloud API takes at `/messages`, with its limits.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
 */

const Words = (most: number) => z.string().min(1).max(most)
const Media = z
  .object({
    id: z.string().optional(),
    link: z.url({ protocol: /^https?$/ }).optional(),
    caption: z.string().max(1024).optional(),
    filename: z.string().max(255).optional(),
    voice: z.boolean().optional(),
  })
  .refine(({ id, link }) => (id === undefined) !== (link === undefined), 'either an id or a link')
const Silent = Media.refine(({ caption }) => caption === undefined, 'takes no caption')

const distinct = (ids: string[]): boolean => new Set(ids).size === ids.length

const Interactive = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('button'),
    body: z.object({ text: Words(1024) }),
    action: z.object({
      buttons: z
        .array(z.object({ type: z.literal('reply'), reply: z.object({ id: Words(256), title: Words(20) }) }))
        .min(1)
        .max(3)
        .refine((buttons) => distinct(buttons.map(({ reply }) => reply.id)), 'ids must differ'),
    }),
  }),
  z.object({
    type: z.literal('list'),
    body: z.object({ text: Words(4096) }),
    action: z.object({
      button: Words(20),
      sections: z
        .array(
          z.object({
            title: Words(24).optional(),
            rows: z
              .array(
                z.object({ id: Words(200), title: Words(24), description: z.string().max(72).optional() }),
              )
              .min(1),
          }),
        )
        .min(1)
        .max(10)
        .refine((sections) => sections.flatMap(({ rows }) => rows).length <= 10, 'at most 10 rows in all')
        .refine(
          (sections) => sections.length === 1 || sections.every(({ title }) => title),
          'several sections need titles',
        ),
    }),
  }),
])

const Says = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('text'),
    text: z.object({ body: Words(4096), preview_url: z.boolean().optional() }),
  }),
  z.object({ type: z.literal('image'), image: Media }),
  z.object({ type: z.literal('video'), video: Media }),
  z.object({ type: z.literal('audio'), audio: Silent }),
  z.object({ type: z.literal('document'), document: Media }),
  z.object({ type: z.literal('sticker'), sticker: Silent }),
  z.object({
    type: z.literal('location'),
    location: z.object({
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      name: z.string().optional(),
      address: z.string().optional(),
    }),
  }),
  z.object({
    type: z.literal('contacts'),
    contacts: z
      .array(
        z.object({
          name: z.object({ formatted_name: Words(500), first_name: Words(500) }),
          phones: z.array(z.object({ phone: z.string(), wa_id: z.string().optional() })).default([]),
        }),
      )
      .min(1),
  }),
  z.object({ type: z.literal('interactive'), interactive: Interactive }),
  z.object({
    type: z.literal('template'),
    template: z.object({
      name: Words(512),
      language: z.object({ code: Words(15) }),
      components: z
        .array(
          z.object({
            type: z.string(),
            parameters: z
              .array(
                z.object({
                  type: z.string(),
                  text: z.string().min(1),
                  parameter_name: z.string().optional(),
                }),
              )
              .default([]),
          }),
        )
        .default([]),
    }),
  }),
  z.object({
    type: z.literal('reaction'),
    reaction: z.object({ message_id: Words(1000), emoji: z.string().max(30) }),
  }),
])

const Product = z.object({ messaging_product: z.literal('whatsapp') })
const To = z.union([
  z.object({ to: z.string().regex(/^\+?[1-9]\d{5,19}$/) }),
  z.object({ recipient: z.string().regex(/^[A-Z]{2}\.[A-Za-z0-9.]{1,140}$/) }),
])

/** Something to send. */
export const Send = Product.and(To)
  .and(
    z.object({
      recipient_type: z.literal('individual').default('individual'),
      context: z.object({ message_id: Words(1000) }).optional(),
      biz_opaque_callback_data: z.string().max(512).optional(),
    }),
  )
  .and(Says)
export type Send = z.infer<typeof Send>

/** A sign that a message was read, and with it perhaps that an answer is being written. */
export const Reading = Product.extend({
  status: z.literal('read'),
  message_id: Words(1000),
  typing_indicator: z.object({ type: z.literal('text') }).optional(),
})

export const Override = z.object({
  webhook_configuration: z.object({
    override_callback_uri: z.string().max(200),
    verify_token: z.string().min(1),
  }),
})
