import { z } from 'zod'
import { CallFailed, type OutboundMessage } from '../../adapter.ts'
import { outcomeOfFailure } from '../../http.ts'
import { accepted, type Outcome, rejected, uncertain } from '../../outcomes.ts'
import { jsonOf, outcomeOfAnswer } from '../errors.ts'
import { isSuccess, request } from '../graph.ts'
import { unnumbered } from '../numbering.ts'
import { type MessengerCall, pageOf } from './account.ts'
import { bodyOf } from './bodies.ts'
import { MESSENGER_CODES } from './errors.ts'
import { metadataOf } from './metadata.ts'

/** One attempt. */
export async function send(message: OutboundMessage, call: MessengerCall): Promise<Outcome> {
  try {
    if (!/^\d{1,64}$/.test(message.to)) return rejected('address', 'This is not a person on Messenger.')
    const json = saying(message, call)
    if (!json) return rejected('content', 'Messenger cannot carry this.')
    const answer = await request(call, { path: `${pageOf(call)}/messages`, json })
    if (!isSuccess(answer)) return outcomeOfAnswer(answer, MESSENGER_CODES)
    return named(jsonOf(answer.body), message, call) ?? nonsense(answer.status)
  } catch (error) {
    return error instanceof CallFailed ? error.outcome : outcomeOfFailure(error)
  }
}

const nonsense = (status: number): Outcome =>
  uncertain(String(status), `Meta's answer made no sense (HTTP ${status}).`)

function saying(
  { to, content, replyTo, sinceTheyWroteMs }: OutboundMessage,
  call: MessengerCall,
): object | null {
  const recipient = { id: to }
  if (content.type === 'reaction') return { recipient, ...reaction(content) }
  const body = bodyOf(content, call)
  return (
    body && {
      recipient,
      ...purpose(sinceTheyWroteMs),
      message: { ...body, ...(call.attemptKey && { metadata: metadataOf(call.attemptKey) }) },
      ...(replyTo && { reply_to: { mid: unnumbered(replyTo) } }),
    }
  )
}

const WINDOW_MS = 24 * 3_600_000

/**
 * Why we write: in the first 24 hours as an answer, later as a person who answers, which needs Meta's approval.
 * @see https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy
 */
const purpose = (sinceTheyWroteMs = 0): object =>
  sinceTheyWroteMs < WINDOW_MS
    ? { messaging_type: 'RESPONSE' }
    : { messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' }

/** @see https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages/sender-actions */
function reaction({ providerId, emoji }: Extract<OutboundMessage['content'], { type: 'reaction' }>): object {
  const message_id = unnumbered(providerId)
  return emoji
    ? { sender_action: 'react', payload: { message_id, reaction: emoji } }
    : { sender_action: 'unreact', payload: { message_id } }
}

const Sent = z.object({ message_id: z.string().min(1) })
const Done = z.object({ recipient_id: z.string().min(1) })

/** A reaction gets no name from Messenger; the attempt's keeps it apart from the message's own. */
function named(answer: unknown, { content }: OutboundMessage, { attemptKey }: MessengerCall): Outcome | null {
  if (content.type === 'reaction')
    return Done.safeParse(answer).success
      ? accepted(`${content.providerId}:reaction:${attemptKey ?? ''}`)
      : null
  const sent = Sent.safeParse(answer).data
  return sent ? accepted(sent.message_id) : null
}
