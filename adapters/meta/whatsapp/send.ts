import { z } from 'zod'
import { isMedia } from '../../../models/content.ts'
import type { Address } from '../../../models/ids.ts'
import { CallFailed, type OutboundMessage } from '../../adapter.ts'
import { outcomeOfFailure } from '../../http.ts'
import { accepted, type Outcome, rejected, uncertain } from '../../outcomes.ts'
import { jsonOf, outcomeOfAnswer } from '../errors.ts'
import { isSuccess, request } from '../graph.ts'
import { unnumbered } from '../numbering.ts'
import { numberOf, type WhatsAppCall } from './account.ts'
import { type Body, bodyOf } from './bodies.ts'
import { WHATSAPP_CODES } from './errors.ts'
import { mediaBody } from './media.ts'

/** One attempt. */
export async function send(message: OutboundMessage, call: WhatsAppCall): Promise<Outcome> {
  try {
    const to = recipientOf(message.to)
    if (!to) return rejected('address', 'This is not a WhatsApp number.')
    const body = await says(message, call)
    if (!body) return rejected('content', 'WhatsApp cannot carry this.')
    const answer = await request(call, {
      path: `${numberOf(call)}/messages`,
      json: {
        messaging_product: 'whatsapp',
        recipient_type: 'individual',
        ...to,
        ...body,
        ...(message.replyTo && { context: { message_id: unnumbered(message.replyTo) } }),
        // Comes back with every receipt, so that one finds its attempt even where our answer was lost.
        ...(call.attemptKey && { biz_opaque_callback_data: call.attemptKey }),
      },
    })
    if (!isSuccess(answer)) return outcomeOfAnswer(answer, WHATSAPP_CODES)
    const sent = Sent.safeParse(jsonOf(answer.body))
    return sent.success
      ? accepted(sent.data.messages[0].id)
      : uncertain(String(answer.status), `Meta's answer made no sense (HTTP ${answer.status}).`)
  } catch (error) {
    return error instanceof CallFailed ? error.outcome : outcomeOfFailure(error)
  }
}

const Sent = z.object({ messages: z.tuple([z.object({ id: z.string().min(1) })], z.unknown()) })

/** A number, or the id of a person who hides theirs. */
function recipientOf(address: Address): { to: string } | { recipient: string } | undefined {
  if (/^\+?[1-9]\d{5,19}$/.test(address)) return { to: address.replace('+', '') }
  return /^[A-Z]{2}\.[A-Za-z0-9.]{1,140}$/.test(address) ? { recipient: address } : undefined
}

async function says({ content }: OutboundMessage, call: WhatsAppCall): Promise<Body | null> {
  if (content.type === 'reaction')
    return bodyOf({ ...content, providerId: unnumbered(content.providerId) as typeof content.providerId })
  if (content.type === 'edit' || content.type === 'deletion') return null
  return isMedia(content) ? mediaBody(content, call) : bodyOf(content)
}
