import { z } from 'zod'
import { MEDIA_TYPES } from '../../models/content.ts'
import type { MediaId, MessageId } from '../../models/ids.ts'
import { uuid } from './endpoint.ts'

/** What a message may say, as callers write it. */

export const text = z
  .string()
  .max(100_000)
  .refine((value) => value.trim().length > 0, 'is empty')

const mark = z
  .strictObject({
    kind: z.enum(['bold', 'italic', 'underline', 'strike', 'code', 'pre', 'quote', 'spoiler', 'link']),
    start: z.int().min(0),
    end: z.int().min(1),
    url: z.url({ protocol: /^https?$/ }).optional(),
  })
  .refine(({ kind, url }) => (kind === 'link') === (url !== undefined), 'a link, and only a link, has a url')
  .refine(({ start, end }) => start < end, 'ends before it starts')
const choice = { id: z.string().min(1).max(200), title: z.string().trim().min(1).max(80) }
const choices = (most: number) => z.array(z.strictObject(choice)).min(1).max(most)

export const textContent = z.strictObject({
  type: z.literal('text'),
  text,
  marks: z.array(mark).max(500).optional(),
})
export const locationContent = z.strictObject({
  type: z.literal('location'),
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  name: z.string().max(200).optional(),
  address: z.string().max(500).optional(),
})
export const templateContent = z.strictObject({
  type: z.literal('template'),
  name: z.string().min(1).max(512),
  language: z.string().min(2).max(15),
  parameters: z.array(z.string().max(1_024)).max(30).default([]),
  names: z
    .array(z.string().regex(/^[a-z0-9_]{1,100}$/))
    .max(30)
    .optional(),
  text: z.string().min(1).max(4_096),
})
const offers = [
  z.strictObject({ type: z.literal('buttons'), text, buttons: choices(3) }),
  z.strictObject({ type: z.literal('quick-replies'), text, replies: choices(13) }),
  z.strictObject({
    type: z.literal('list'),
    text,
    button: z.string().trim().min(1).max(20),
    sections: z
      .array(
        z.strictObject({
          title: z.string().max(24).optional(),
          rows: z
            .array(z.strictObject({ ...choice, description: z.string().max(72).optional() }))
            .min(1)
            .max(10),
        }),
      )
      .min(1)
      .max(10),
  }),
] as const

/** What another system may send. */
export const sendableContent = z.discriminatedUnion('type', [
  textContent,
  locationContent,
  templateContent,
  ...offers,
])

/** What an agent may write. */
export const writtenContent = z.discriminatedUnion('type', [
  textContent,
  locationContent,
  templateContent,
  ...offers,
  z.strictObject({ type: z.literal('reaction'), message: uuid<MessageId>(), emoji: z.string().max(32) }),
  z.strictObject({ type: z.literal('edit'), message: uuid<MessageId>(), text }),
  z.strictObject({ type: z.literal('deletion'), message: uuid<MessageId>() }),
  ...MEDIA_TYPES.map((type) =>
    z.strictObject({
      type: z.literal(type),
      file: z.strictObject({ id: uuid<MediaId>() }),
      caption: z.string().max(4_096).optional(),
    }),
  ),
])
