import { z } from 'zod'
import type { MediaContent, MediaType } from '../../../models/content.ts'
import { CallFailed } from '../../adapter.ts'
import { needsAttention, rejected, unavailable } from '../../outcomes.ts'
import { outcomeOfAnswer } from '../errors.ts'
import { ask, asked, authorization } from '../graph.ts'
import { numberOf, type WhatsAppCall } from './account.ts'
import type { Body } from './bodies.ts'
import { WHATSAPP_CODES } from './errors.ts'

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media */

/** What the largest document may be. */
const MAX_BYTES = 100 * 1_048_576
const DOWNLOAD_TIMEOUT_MS = 60_000

/** WhatsApp has no voice messages beside audio, but audio that is one. */
const OBJECTS: Readonly<Record<MediaType, string>> = {
  image: 'image',
  video: 'video',
  audio: 'audio',
  voice: 'audio',
  document: 'document',
  sticker: 'sticker',
}

/**
 * Uploads the file and tells how to send it. A link would be fetched only after the message was accepted, and what fails
 * there comes as a receipt; what fails here surely sent nothing. @throws CallFailed
 */
export async function mediaBody({ type, file, caption }: MediaContent, call: WhatsAppCall): Promise<Body> {
  if (file.state !== 'stored') throw new CallFailed(rejected('file', 'This file is not there to be sent.'))
  const bytes = await call.media.bytes(file.id).catch(() => {
    throw new CallFailed(unavailable('storage', 'The file could not be read from our storage.'))
  })
  const object = OBJECTS[type]
  const id = await uploaded(bytes, file, call)
  return {
    type: object,
    [object]: {
      id,
      ...(caption && { caption }),
      ...(type === 'document' && { filename: file.name }),
      ...(type === 'voice' && { voice: true }),
    },
  }
}

async function uploaded(
  bytes: Uint8Array,
  { name, mime }: { name: string; mime: string },
  call: WhatsAppCall,
): Promise<string> {
  const form = new FormData()
  form.set('messaging_product', 'whatsapp')
  form.set('type', mime)
  form.set('file', new Blob([new Uint8Array(bytes)], { type: mime }), name)
  const path = `${numberOf(call)}/media`
  try {
    return (await ask(call, WHATSAPP_CODES, { path, form }, z.object({ id: z.string().min(1) }))).id
  } catch (error) {
    // Nothing was said to anybody yet, so even an upload of unknown fate may be made again.
    if (error instanceof CallFailed && error.outcome.outcome === 'uncertain')
      throw new CallFailed(unavailable(error.outcome.code, error.outcome.reason))
    throw error
  }
}

const Located = z.object({ url: z.string(), mime_type: z.string().optional().catch(undefined) })

/** By its id; the address it is found at lives five minutes and wants our token. */
export async function fetchMedia(
  reference: string,
  call: WhatsAppCall,
): Promise<{ bytes: Uint8Array; mime?: string }> {
  if (!/^[\w-]{1,128}$/.test(reference))
    throw new CallFailed(rejected('file', 'This is not a file of WhatsApp’s.'))
  const query = { phone_number_id: numberOf(call) }
  const { url, mime_type } = await ask(call, WHATSAPP_CODES, { path: reference, query }, Located)
  if (!isSafe(url, call.apiBase))
    throw new CallFailed(needsAttention('address', 'WhatsApp sent us to an address that is not safe.'))
  const answer = await asked(() =>
    call.http.request({
      method: 'GET',
      url,
      headers: authorization(call.credentials),
      maxBytes: MAX_BYTES,
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
    }),
  )
  if (answer.status === 404) throw new CallFailed(rejected('404', 'WhatsApp no longer has this file.'))
  if (answer.status !== 200) throw new CallFailed(outcomeOfAnswer(answer, WHATSAPP_CODES))
  const mime = (mime_type ?? answer.headers['content-type'])?.split(';', 1)[0]?.trim()
  return { bytes: answer.body, ...(mime && { mime }) }
}

/** Our token travels behind TLS alone; only a simulator, itself without, may name an address of its own kind. */
function isSafe(url: string, apiBase: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, origin } = new URL(url)
  return protocol === 'https:' || origin === new URL(apiBase).origin
}
