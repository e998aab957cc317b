import express, { type Request, type Response, Router } from 'express'
import multer from 'multer'
import { z } from 'zod'
import { CHANNELS } from './catalogue.ts'
import { fileView, kindOfFile, utf8Name } from './files.ts'
import type { Handset } from './handsets.ts'
import type { Line } from './line.ts'
import { streamEvents } from './live.ts'
import type { BubbleContent, BubbleView, SandboxChannel } from './protocol.ts'
import { Refusal } from './refusal.ts'
import type { Stage } from './stage.ts'
import { EMOJIS } from './telegram/reactions.ts'

const UPLOAD_MAX_BYTES = 10 * 1_048_576

const Name = z.string().trim().min(1, 'A phone needs a name.').max(60)
const Channel = z.enum(CHANNELS)
const NewHandset = z.object({
  name: Name,
  phone: z
    .string()
    .regex(/^\+[1-9]\d{6,14}$/)
    .optional(),
  chatId: z
    .int()
    .positive()
    .max(2 ** 52)
    .optional(),
})
/** From a form everything is a string, an object as JSON. */
const Place = z.preprocess(
  (value) => (typeof value === 'string' ? safeJson(value) : value),
  z.object({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    name: z.string().max(100).optional(),
  }),
)
const NewMessage = z.object({
  channel: Channel,
  to: z.string().optional(),
  text: z.string().max(4096, 'At most 4,096 characters.').optional(),
  location: Place.optional(),
  contact: z.literal('own').optional(),
  replyTo: z.string().max(100).optional(),
})

/** What a visitor does with a phone. */
export function phonesRouter(stage: Stage, lines: Record<SandboxChannel, Line>): Router {
  const router = Router()
  const upload = multer({ limits: { fileSize: UPLOAD_MAX_BYTES, files: 1, fields: 10, fieldSize: 16_384 } })
  router.use(express.json({ limit: '64kb' }))

  const handsetOf = (request: Request): Handset => {
    const handset = stage.handsets.get(String(request.params.id))
    if (!handset) throw new Refusal(404, 'There is no such phone.')
    return handset
  }

  /** The bubble a request is about, by the app that shows it. */
  const bubbleOf = (request: Request) => {
    const handset = handsetOf(request)
    const id = String(request.params.message)
    const channel = handset.channelOf(id)
    if (!channel) throw new Refusal(404, 'There is no such message of this phone.')
    return { handset, id, channel, line: lines[channel] }
  }

  router.post('/', (request, response) => {
    const { name, phone, chatId } = NewHandset.parse(request.body)
    response.status(201).json(stage.handsets.add(name, { phone, chatId }).view())
  })
  router.get('/:id', (request, response) => {
    response.json(handsetOf(request).view())
  })
  router.patch('/:id', (request, response) => {
    const handset = handsetOf(request)
    handset.name = Name.parse(request.body?.name)
    response.json(handset.view())
  })
  router.get('/:id/events', (request, response) => {
    const { id } = handsetOf(request)
    streamEvents(stage, response, new Set([id]))
  })

  router.post('/:id/messages', upload.single('media'), (request, response) => {
    const handset = handsetOf(request)
    const message = NewMessage.parse(request.body)
    const content = contentOf(message, request.file, handset)
    response.status(201).json(lines[message.channel].write(handset, content, message.replyTo))
  })
  router.patch('/:id/messages/:message', (request, response) => {
    const { text } = z.object({ text: z.string().trim().min(1).max(4096) }).parse(request.body)
    const { handset, line, id } = bubbleOf(request)
    answerBubble(response, line.edit?.(handset, id, text))
  })
  router.put('/:id/messages/:message/reaction', (request, response) => {
    const { emoji } = z.object({ emoji: z.string() }).parse(request.body)
    const { handset, channel, line, id } = bubbleOf(request)
    if (channel === 'telegram' && emoji && !EMOJIS.has(emoji))
      throw new Refusal(400, 'Telegram has no such reaction.')
    answerBubble(response, line.react?.(handset, id, emoji))
  })
  router.post('/:id/messages/:message/choice', (request, response) => {
    const { choice } = z.object({ choice: z.string().min(1).max(1000) }).parse(request.body)
    const { handset, line, id } = bubbleOf(request)
    answerBubble(response, line.choose?.(handset, id, choice))
  })
  router.delete('/:id/messages/:message', (request, response) => {
    const { handset, line, id } = bubbleOf(request)
    if (!line.remove?.(handset, id)) throw new Refusal(404, 'This message cannot be taken back.')
    response.sendStatus(204)
  })

  router.post('/:id/echo', (request, response) => {
    const { text } = z.object({ text: z.string().trim().min(1).max(1999) }).parse(request.body)
    response.status(201).json(lines.messenger.answerElsewhere?.(handsetOf(request), text))
  })
  router.post('/:id/read', (request, response) => {
    const { channel } = z.object({ channel: Channel.default('sms') }).parse(request.body ?? {})
    lines[channel].read?.(handsetOf(request))
    response.sendStatus(204)
  })
  router.put('/:id/start', (request, response) => {
    handsetOf(request).startedBot = true
    response.sendStatus(204)
  })
  const block = (shut: boolean) => (request: Request, response: Response) => {
    const channel = Channel.default('telegram').parse(request.query.channel)
    lines[channel].block?.(handsetOf(request), shut)
    response.sendStatus(204)
  }
  router.put('/:id/block', block(true))
  router.delete('/:id/block', block(false))

  function contentOf(
    { text, location, contact }: z.infer<typeof NewMessage>,
    file: Express.Multer.File | undefined,
    handset: Handset,
  ): BubbleContent {
    if (file) {
      const stored = stage.files.add(utf8Name(file.originalname), file.mimetype, file.buffer)
      return {
        type: 'file',
        kind: kindOfFile(file.mimetype),
        file: fileView(stored),
        ...(text && { caption: text }),
      }
    }
    if (location) {
      const { latitude, longitude, name } = location
      return { type: 'location', latitude, longitude, ...(name && { name }) }
    }
    if (contact) return { type: 'contact', name: handset.name, phone: handset.phone }
    if (text?.trim()) return { type: 'text', text }
    throw new Refusal(400, 'There is nothing in this message.')
  }

  return router
}

function answerBubble(response: Response, bubble: BubbleView | undefined): void {
  if (!bubble) throw new Refusal(404, 'There is no such message of this phone.')
  response.json(bubble)
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
