import { z } from 'zod'
import type { MediaContent } from '../../models/content.ts'
import type { HttpAnswer } from '../adapter.ts'
import { outcomeOfFailure } from '../http.ts'
import { accepted, type Outcome, rejected, uncertain } from '../outcomes.ts'
import { post, resource, type TwilioCall } from './api.ts'
import { jsonOf, outcomeOfAnswer } from './errors.ts'
import { formOf } from './form.ts'

const SERVICE_SID = /^MG[0-9a-fA-F]{32}$/

/** What a message says, in Twilio's fields. */
export type MessageBody = Partial<
  Record<'Body' | 'MediaUrl' | 'ContentSid' | 'ContentVariables' | 'PersistentAction', string>
>

/** Twilio fetches the file itself; its words go beside it. */
export const fileBody = ({ file, caption }: MediaContent, call: TwilioCall): MessageBody | Outcome =>
  file.state === 'stored'
    ? { ...(caption && { Body: caption }), MediaUrl: call.media.url(file.id) }
    : rejected('file', 'This file is not there to be sent.')

/**
 * Hands a message to Twilio.
 * @param prefix `whatsapp:` before both addresses, or nothing
 * @see https://www.twilio.com/docs/messaging/api/message-resource
 */
export async function createMessage(
  to: string,
  body: MessageBody,
  call: TwilioCall,
  prefix = '',
): Promise<Outcome> {
  const form = formOf({
    To: prefix + to,
    ...(SERVICE_SID.test(call.sender)
      ? { MessagingServiceSid: call.sender }
      : { From: prefix + call.sender }),
    ...body,
    StatusCallback: call.statusUrl,
  })
  let answer: HttpAnswer
  try {
    answer = await post(call, resource(call, '/Messages.json'), form)
  } catch (error) {
    return outcomeOfFailure(error)
  }
  return answer.status >= 200 && answer.status <= 299 ? outcomeOfSuccess(answer) : outcomeOfAnswer(answer)
}

const Sent = z.object({ sid: z.string().regex(/^[A-Z]{2}[0-9a-fA-F]{32}$/) })

function outcomeOfSuccess({ status, body }: HttpAnswer): Outcome {
  const sent = Sent.safeParse(jsonOf(body))
  return sent.success
    ? accepted(sent.data.sid)
    : uncertain(String(status), `Twilio's answer made no sense (HTTP ${status}).`)
}
