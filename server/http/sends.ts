import { z } from 'zod'
import type { ApiKeyDoc } from '../../models/api-key.ts'
import { CHANNELS, type Channel } from '../../models/channels.ts'
import type { Content } from '../../models/content.ts'
import type { Address, ClientMessageId, InboxId, MessageId } from '../../models/ids.ts'
import { Inbox, type InboxDoc } from '../../models/inbox.ts'
import { Message, type MessageDoc } from '../../models/message.ts'
import { reachOut } from '../../models/reach-out.ts'
import { alreadyWritten, reply } from '../../models/reply.ts'
import { IdempotentRequest } from '../../models/request.ts'
import { ERRORS, notFound, Refusal } from '../errors.ts'
import { Lanes } from '../lanes.ts'
import type { Parts } from '../parts.ts'
import { sentView } from '../views.ts'
import { locationContent, sendableContent, templateContent, text } from './content-shapes.ts'
import { type Answer, created, type Endpoint, endpoint, ok, uuid } from './endpoint.ts'
import { contentsFor } from './fitting.ts'

/** What nobody could send for so long fails, and says so. */
const EXPIRES_MS = 24 * 60 * 60 * 1000
const PAUSE_MS = 10
/** Rows of one bulk request under way at once; different people's only, so that one person's stay in order. */
const ROWS_AT_ONCE = 32
export const MOST_ROWS = 10_000

/** Where to: a phone number in E.164, a chat id, a page-scoped id; and through which inbox, where there are several. */
const target = {
  to: z.string().trim().min(1).max(200),
  inbox: uuid<InboxId>().optional(),
}
const body = <T extends z.ZodRawShape>(shape: T) => z.strictObject({ ...target, ...shape })

interface Send {
  channel: Channel
  to: string
  inbox?: InboxId | undefined
  content: Content
  /** The caller's own name for it; the same name twice is one message. */
  name: string
}

type Needs = Pick<Parts, 'broadcasts' | 'clock' | 'directory' | 'worker' | 'log'>

/**
 * What other systems send: campaigns, one-time codes, reminders. Each lands in the conversation that the person's answers
 * will join, and is sent and followed like an agent's.
 */
export function sends(parts: Needs): Endpoint[] {
  const { clock, log } = parts

  const one = async (
    system: ApiKeyDoc,
    key: string | undefined,
    send: Omit<Send, 'name'>,
  ): Promise<Answer> => {
    const name = keyOf(key)
    const { message, first } = await deliver(parts, system, { ...send, name })
    return first ? created(sentView(message)) : ok(sentView(message))
  }
  const answers = {
    201: { description: 'Written; it will be sent or accounted for', schema: 'Sent' },
    200: { description: 'Sent before under this Idempotency-Key', schema: 'Sent' },
    409: { description: 'This Idempotency-Key named another request before', schema: 'Problem' },
    422: { description: 'The channel cannot carry it, or not to this person now', schema: 'Problem' },
  }
  const plain = (channel: Channel, title: string) =>
    endpoint({
      method: 'post',
      path: `/${channel}/send`,
      summary: `Send a text ${title}. Needs an Idempotency-Key`,
      access: 'system',
      shapes: { body: body({ text }) },
      answers,
      handle: ({ system, body: { to, inbox, text }, request }) =>
        one(system, request.get('idempotency-key'), { channel, to, inbox, content: { type: 'text', text } }),
    })
  const template = (channel: Channel, title: string) =>
    endpoint({
      method: 'post',
      path: `/${channel}/send/template`,
      summary: `Send an approved template ${title}. Needs an Idempotency-Key`,
      access: 'system',
      shapes: { body: body({ template: templateContent.omit({ type: true }) }) },
      answers,
      handle: ({ system, body: { to, inbox, template }, request }) =>
        one(system, request.get('idempotency-key'), {
          channel,
          to,
          inbox,
          content: { type: 'template', ...template },
        }),
    })
  const status = (path: string) =>
    endpoint({
      method: 'get',
      path,
      summary: 'How far a message got that a system sent',
      access: 'system',
      shapes: { params: z.object({ message: uuid<MessageId>() }) },
      answers: { 200: { description: 'As it now stands', schema: 'Sent' } },
      async handle({ system, params }) {
        const message = await Message.findOne({
          workspace: system.workspace,
          _id: params.message,
          'author.kind': 'api',
        }).lean<MessageDoc>()
        if (!message) throw notFound('message')
        return ok(sentView(message))
      },
    })
  return [
    endpoint({
      method: 'post',
      path: '/messages/send',
      summary: 'Send anything on any channel. Needs an Idempotency-Key',
      access: 'system',
      shapes: { body: body({ channel: z.enum(CHANNELS), content: sendableContent }) },
      answers,
      handle: ({ system, body, request }) =>
        one(system, request.get('idempotency-key'), body as Omit<Send, 'name'>),
    }),
    status('/messages/status/:message'),
    status('/sms/status/:message'),
    plain('sms', 'as SMS'),
    plain('whatsapp', 'on WhatsApp'),
    plain('telegram', 'on Telegram'),
    plain('messenger', 'on Messenger'),
    template('whatsapp', 'on WhatsApp'),
    template('messenger', 'on Messenger'),
    endpoint({
      method: 'post',
      path: '/telegram/send/location',
      summary: 'Send a place on Telegram. Needs an Idempotency-Key',
      access: 'system',
      shapes: { body: body({ location: locationContent.omit({ type: true }) }) },
      answers,
      handle: ({ system, body: { to, inbox, location }, request }) =>
        one(system, request.get('idempotency-key'), {
          channel: 'telegram',
          to,
          inbox,
          content: { type: 'location', ...location } as Content,
        }),
    }),
    endpoint({
      method: 'post',
      path: '/sms/send/bulk',
      summary: `Send up to ${MOST_ROWS} SMS; a line of JSON for each, as soon as it is known. Needs an Idempotency-Key`,
      access: 'system',
      shapes: {
        body: z.strictObject({
          inbox: target.inbox,
          messages: z
            .array(z.strictObject({ to: z.string().max(200), text: z.string().max(100_000) }))
            .min(1)
            .max(MOST_ROWS),
        }),
      },
      answers: { 200: { description: 'Lines of `{ row, status, message }` or `{ row, problem }`' } },
      async handle({ system, body, request, response }) {
        const name = keyOf(request.get('idempotency-key'))
        response.status(200).type('application/x-ndjson')
        const lanes = new Lanes()
        const tell = (line: object) => response.write(`${JSON.stringify(line)}\n`)
        let refused = 0
        const rows = body.messages.entries()
        // As many hands as may be under way, each taking the next row; a caller who hangs up stops them all.
        const hand = async () => {
          for (const [row, { to, text }] of rows) {
            if (response.destroyed) return
            const send: Send = {
              channel: 'sms',
              to,
              inbox: body.inbox,
              content: { type: 'text', text },
              name: `${name}#${row}`,
            }
            try {
              if (text.trim() === '') throw new Refusal('invalid_request', 'text: is empty')
              const { message, first } = await lanes.run(to, () => deliver(parts, system, send))
              tell({ row, status: first ? 'queued' : 'repeated', message: message._id })
            } catch (error) {
              refused++
              tell({ row, problem: problemOf(error, log) })
            }
            if (response.writableNeedDrain) await drained(response)
          }
        }
        await Promise.all(Array.from({ length: ROWS_AT_ONCE }, hand))
        log.info({ event: 'bulk.sent', rows: body.messages.length, refused, at: clock.now().toISOString() })
        response.end()
        return null
      },
    }),
  ]
}

/** Finds or begins the conversation and writes the message, once per name. */
async function deliver(
  parts: Needs,
  system: ApiKeyDoc,
  send: Send,
): Promise<{ message: MessageDoc; first: boolean }> {
  const { broadcasts, clock, worker } = parts
  const at = clock.now()
  const { name, ...asked } = send
  const known = await IdempotentRequest.recognise(
    { workspace: system.workspace, key: system._id, name, body: asked },
    at,
  )
  if (known === 'different')
    throw new Refusal('conflict', 'This Idempotency-Key was used for another request before.')
  const inbox = await inboxFor(system, send)
  const conversation = await reachOut(inbox, send.to as Address, at)
  const nameOf = (part: number) =>
    `${system._id}/${name}${part === 0 ? '' : `~${part + 1}`}` as ClientMessageId
  const earlier = await alreadyWritten(conversation, nameOf(0))
  if (earlier) return { message: earlier, first: false }
  const contents = await contentsFor(parts, conversation, send.content, false)
  const written: MessageDoc[] = []
  for (const [part, content] of contents.entries()) {
    const change = await reply(conversation, {
      author: { kind: 'api', id: system._id, name: system.name },
      clientId: nameOf(part),
      content,
      note: false,
      at,
      expiresAt: new Date(at.getTime() + EXPIRES_MS),
      pause: () => clock.sleep(PAUSE_MS),
    })
    if (change.created) broadcasts.messageAdded(change)
    written.push(change.message)
  }
  worker.wake(conversation._id)
  const [message] = written
  if (!message) throw new Error('a message without content')
  return { message, first: known === 'first' }
}

/** The inbox named, or the only one of its channel. */
async function inboxFor({ workspace }: ApiKeyDoc, { channel, inbox }: Send): Promise<InboxDoc> {
  const found = await Inbox.find({ workspace, channel, ...(inbox ? { _id: inbox } : {}) })
    .limit(2)
    .lean<InboxDoc[]>()
  const [only, another] = found
  if (!only) throw notFound('inbox')
  if (another)
    throw new Refusal('invalid_request', `There are several inboxes for ${channel}: say which one.`, {
      errors: [{ field: 'inbox', message: `there are several for ${channel}; say which` }],
    })
  return only
}

function keyOf(given: string | undefined): string {
  if (given && /^[\x21-\x7e]{1,100}$/.test(given)) return given
  const message = 'give this request a name of its own, of 1 to 100 visible ASCII characters'
  throw new Refusal('invalid_request', `Idempotency-Key: ${message}`, {
    errors: [{ field: 'Idempotency-Key', message }],
  })
}

function problemOf(error: unknown, log: Parts['log']): object {
  if (error instanceof Refusal) return error.problem
  log.error({ event: 'bulk.row_failed', error }, 'a row of a bulk request failed')
  return { code: 'internal', ...ERRORS.internal, detail: 'It was logged. Send this row again.' }
}

const drained = (response: { once(event: string, listener: () => void): unknown }): Promise<void> =>
  new Promise((resolve) => {
    response.once('drain', resolve)
    response.once('close', resolve)
  })
