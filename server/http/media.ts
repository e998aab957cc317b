import type { Response } from 'express'
import multer, { MulterError } from 'multer'
import { z } from 'zod'
import type { MediaId } from '../../models/ids.ts'
import type { StoredFileDoc } from '../../models/stored-file.ts'
import { Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { created, type Endpoint, endpoint, uuid } from './endpoint.ts'

const MAX_FILE_BYTES = 25 * 1024 * 1024
/** Types a browser may show in place; everything else is a download. SVG is not among them: it can carry script. */
const INLINE = /^(image\/(png|jpeg|gif|webp)|audio\/|video\/)/

/** Uploading and seeing files. */
export function media({ library, incoming }: Pick<Parts, 'library' | 'incoming'>): Endpoint[] {
  const upload = multer({
    dest: incoming,
    limits: {
      fileSize: MAX_FILE_BYTES,
      files: 1,
      fields: 4,
      parts: 5,
      fieldSize: 1_000,
      fieldNameSize: 100,
      headerPairs: 20,
    },
  }).single('file')

  async function send(response: Response, file: StoredFileDoc): Promise<null> {
    const stream = await library.read(file)
    const disposition = INLINE.test(file.mime) ? 'inline' : 'attachment'
    response.set({
      'Content-Type': file.mime,
      'Content-Length': String(file.size),
      'Content-Disposition': `${disposition}; filename*=UTF-8''${encodeURIComponent(file.name)}`,
      'X-Content-Type-Options': 'nosniff',
      // Even if a browser were talked into showing it as a page, nothing in it would run.
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Cache-Control': 'private, max-age=31536000, immutable',
    })
    stream.on('error', () => response.destroy()).pipe(response)
    return null
  }

  return [
    endpoint({
      method: 'post',
      path: '/media',
      summary: 'Upload one file, at most 25 MB, in the form field "file"',
      access: 'agent',
      answers: { 201: { description: 'Kept; use its id in a message', schema: 'File' } },
      async handle({ agent, request, response }) {
        await new Promise<void>((resolve, reject) => {
          request.once('aborted', () => reject(new Refusal('unreadable_body', 'The upload was cut off.')))
          upload(request, response, (error: unknown) => (error ? reject(asUploadError(error)) : resolve()))
        })
        const { file } = request
        if (!file)
          throw new Refusal('invalid_request', 'The form has no file in the field "file".', {
            errors: [{ field: 'file', message: 'is missing' }],
          })
        const kept = await library.keepUpload(
          agent,
          file.path,
          Buffer.from(file.originalname, 'latin1').toString('utf8'),
          file.mimetype,
        )
        return created({ id: kept._id, name: kept.name, mime: kept.mime, size: kept.size })
      },
    }),
    endpoint({
      method: 'get',
      path: '/media/:id',
      summary: 'A file of a conversation I may see',
      access: 'agent',
      shapes: { params: z.object({ id: uuid<MediaId>() }) },
      answers: { 200: { description: 'Its bytes' } },
      handle: async ({ agent, params, response }) =>
        send(response, await library.visibleTo(agent, params.id)),
    }),
    endpoint({
      method: 'get',
      path: '/media/:id/:expires/:signature',
      summary: 'A file by a signed link that ends: for the provider that is to carry it',
      access: 'public',
      shapes: {
        params: z.object({
          id: uuid<MediaId>(),
          expires: z.coerce.number().int(),
          signature: z.string().max(64),
        }),
      },
      answers: { 200: { description: 'Its bytes' } },
      handle: async ({ params, response }) =>
        send(response, await library.byLink(params.id, params.expires, params.signature)),
    }),
  ]
}

/** What the form parser says of a body that is no form, or ends before it should, is the sender's fault and not ours. */
const asUploadError = (error: unknown): unknown =>
  error instanceof MulterError || !(error instanceof Error) || 'code' in error
    ? error
    : new Refusal('unreadable_body', 'The upload is not a whole multipart form.')
