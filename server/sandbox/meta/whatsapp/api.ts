import express, { Router } from 'express'
import multer from 'multer'
import { z } from 'zod'
import { utf8Name } from '../../files.ts'
import { badParameter, noSuchObject } from '../errors.ts'
import { type GraphParts, method } from '../method.ts'
import { contentOf, fileOfMediaId, mediaIdOf } from './content.ts'
import { Override, Reading, Send } from './shapes.ts'
import { TEMPLATES } from './templates.ts'

const UPLOAD_MAX_BYTES = 100 * 1_048_576
const DONE = { success: true }

/** What the Cloud API offers of a number and its account. */
export function whatsappRouter({ stage, subscriptions, whatsapp }: GraphParts): Router {
  const router = Router()
  const { title, whatsapp: account } = stage.accounts.meta
  const { phoneNumberId, businessAccountId, number } = account
  const json = express.json({ limit: '256kb' })
  const upload = multer({ limits: { fileSize: UPLOAD_MAX_BYTES, files: 1, fields: 10 } })

  router.post(
    `/${phoneNumberId}/messages`,
    json,
    method(async ({ body }) => {
      if (body?.status === 'read') {
        const { message_id, typing_indicator } = Reading.parse(body)
        if (!whatsapp.readBy(message_id, typing_indicator !== undefined))
          throw badParameter('Invalid parameter: no such message')
        return DONE
      }
      const send = Send.parse(body)
      const { id, waId } = await whatsapp.accept(send, contentOf(send, stage))
      return {
        messaging_product: 'whatsapp',
        contacts: [{ input: 'to' in send ? send.to : send.recipient, wa_id: waId }],
        messages: [{ id, ...(send.type === 'template' && { message_status: 'accepted' }) }],
      }
    }),
  )

  router.post(
    `/${phoneNumberId}/media`,
    upload.single('file'),
    method(({ file, body }) => {
      z.object({ messaging_product: z.literal('whatsapp') }).parse(body)
      if (!file) throw badParameter('Invalid parameter: file is missing')
      const stored = stage.files.add(utf8Name(file.originalname), file.mimetype, file.buffer)
      return { id: mediaIdOf(stored.id) }
    }),
  )

  router.get(
    `/${phoneNumberId}`,
    method(() => ({
      display_phone_number: number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '+1 $1-$2-$3'),
      verified_name: title,
      quality_rating: 'GREEN',
      id: phoneNumberId,
    })),
  )
  router.post(
    `/${phoneNumberId}`,
    json,
    method(async ({ body }) => {
      const { override_callback_uri, verify_token } = Override.parse(body).webhook_configuration
      await subscriptions.lead('whatsapp', override_callback_uri, verify_token)
      return DONE
    }),
  )

  router.get(
    `/${businessAccountId}`,
    method(() => ({ id: businessAccountId, name: title })),
  )
  router.post(
    `/${businessAccountId}/subscribed_apps`,
    method(() => {
      subscriptions.subscribe('whatsapp')
      return DONE
    }),
  )
  router.get(
    `/${businessAccountId}/message_templates`,
    method(({ query }) => page(query)),
  )

  /** A file by its id. */
  router.get(
    /^\/\d+$/,
    (request, _response, next) => (fileOfMediaId(request.path.slice(1)) ? next() : next('router')),
    method(({ path, query }) => {
      const id = path.slice(1)
      const file = stage.files.get(fileOfMediaId(id) ?? '')
      if (!file || (query.phone_number_id !== undefined && query.phone_number_id !== phoneNumberId))
        throw noSuchObject(id)
      return {
        messaging_product: 'whatsapp',
        url: whatsapp.serve(file.id),
        mime_type: file.mime,
        sha256: file.id,
        file_size: String(file.size),
        id,
      }
    }),
  )
  return router
}

/** With cursors, as the Graph API pages everything. */
function page(query: unknown): object {
  const { limit, after } = z
    .object({ limit: z.coerce.number().int().min(1).max(1000).default(25), after: z.string().optional() })
    .parse(query)
  const start = after === undefined ? 0 : TEMPLATES.findIndex(({ id }) => id === after) + 1
  const data = TEMPLATES.slice(start, start + limit)
  const more = start + limit < TEMPLATES.length
  return {
    data,
    paging: {
      cursors: { before: data[0]?.id, after: data.at(-1)?.id },
      ...(more && { next: 'https://graph.facebook.com/next' }),
    },
  }
}
