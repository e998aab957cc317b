import { z } from 'zod'
import type { AgentDoc } from '../../models/agent.ts'
import { type Content, isAboutAnother } from '../../models/content.ts'
import type { ConversationDoc } from '../../models/conversation.ts'
import type { AgentId, ClientMessageId, MediaId, MessageId } from '../../models/ids.ts'
import { Message, type MessageDoc } from '../../models/message.ts'
import { isOutbound, retry } from '../../models/outbox.ts'
import { alreadyWritten, reply, StaleReply } from '../../models/reply.ts'
import { notFound, Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { messageView } from '../views.ts'
import { writtenContent } from './content-shapes.ts'
import { conversationParams, findConversation } from './conversations.ts'
import { created, type Endpoint, endpoint, ok, uuid } from './endpoint.ts'
import { contentsFor } from './fitting.ts'

/** An answer nobody could send for so long fails, and says so. */
const REPLY_EXPIRES_MS = 24 * 60 * 60 * 1000
/** A line that took its place is written within a few of these. */
const PAUSE_MS = 10

const messageParams = conversationParams.extend({ message: uuid<MessageId>() })

/** The timeline, and writing in it. */
export function messages({
  broadcasts,
  clock,
  directory,
  library,
  worker,
  log,
}: Pick<Parts, 'broadcasts' | 'clock' | 'directory' | 'library' | 'worker' | 'log'>): Endpoint[] {
  /** The contents of the messages that will say it, nearly always one; or a refusal before anything is written. */
  async function fitted(
    agent: AgentDoc,
    conversation: ConversationDoc,
    given: z.output<typeof writtenContent>,
    note: boolean,
  ): Promise<Content[]> {
    const ready: Content = 'file' in given ? { ...given, ...(await fileOf(agent, given.file.id)) } : given
    if (isAboutAnother(ready)) await mustBeAboutOurs(conversation, ready.message, ready.type, note)
    if (note) return [ready]
    return contentsFor({ clock, directory }, conversation, ready, true)
  }

  async function fileOf(agent: AgentDoc, id: MediaId) {
    const { _id, name, mime, size } = await library.visibleTo(agent, id)
    return { file: { state: 'stored' as const, id: _id, name, mime, size } }
  }

  /** A reaction or an edit is about a message of this conversation that the contact has. */
  async function mustBeAboutOurs(
    conversation: ConversationDoc,
    id: MessageId,
    type: 'reaction' | 'edit' | 'deletion',
    note: boolean,
  ): Promise<void> {
    const target = await mustBeHere(conversation, id)
    if (note || target.note)
      throw new Refusal('cannot_carry', 'Notes are not reacted to, not edited and not taken back.')
    if (type === 'deletion' && target.direction !== 'outbound')
      throw new Refusal('cannot_carry', 'Only a message of our own can be taken back.')
    if (type === 'edit' && (target.direction !== 'outbound' || target.content.type !== 'text'))
      throw new Refusal('cannot_carry', 'Only a text of our own can be edited.')
  }

  async function mustBeHere({ workspace, _id }: ConversationDoc, id: MessageId): Promise<MessageDoc> {
    const message = await Message.findOne({ workspace, conversation: _id, _id: id }).lean<MessageDoc>()
    if (!message) throw notFound('message')
    return message
  }

  /** Writes one message, tells everybody, and wakes whoever sends it. */
  async function write(
    conversation: ConversationDoc,
    agent: AgentDoc,
    how: {
      note: boolean
      replyTo?: MessageId | undefined
      seenRev?: number | undefined
      expectedAssignee?: AgentId | null | undefined
    },
    what: { clientId: ClientMessageId; content: Content },
  ) {
    const at = clock.now()
    const written = await reply(conversation, {
      author: { kind: 'agent', id: agent._id, name: agent.name },
      ...what,
      note: how.note,
      ...(how.replyTo ? { replyTo: how.replyTo } : {}),
      ...(how.seenRev === undefined ? {} : { seenRev: how.seenRev }),
      ...(how.expectedAssignee === undefined ? {} : { expectedAssignee: how.expectedAssignee }),
      at,
      expiresAt: new Date(at.getTime() + REPLY_EXPIRES_MS),
      pause: () => clock.sleep(PAUSE_MS),
    }).catch((error: unknown) => {
      if (error instanceof StaleReply) throw stale(error)
      throw error
    })
    if (!written.created) return written
    broadcasts.messageAdded(written)
    if (!how.note) worker.wake(conversation._id)
    log.info({
      event: 'message.written',
      conversation: conversation._id,
      message: written.message._id,
      agent: agent._id,
      note: how.note,
      type: what.content.type,
    })
    return written
  }

  return [
    endpoint({
      method: 'get',
      path: '/conversations/:id/messages',
      summary: 'A page of the timeline, ascending: after a rev, right before one, or the latest',
      access: 'agent',
      shapes: {
        params: conversationParams,
        query: z
          .strictObject({
            after: z.coerce.number().int().min(0).optional(),
            before: z.coerce.number().int().min(0).optional(),
            limit: z.coerce.number().int().min(1).max(200).default(50),
          })
          .refine(
            (query) => query.after === undefined || query.before === undefined,
            'give either after or before',
          ),
      },
      answers: {
        200: {
          description: 'A page; `next` is the rev to go on with, in the direction asked',
          schema: 'MessageList',
        },
      },
      async handle({ agent, params, query }) {
        const { workspace, _id } = await findConversation(agent, params.id)
        const { limit, after, before } = query
        const page = await Message.page(workspace, _id, {
          limit,
          ...(after === undefined ? {} : { after }),
          ...(before === undefined ? {} : { before }),
        })
        const edge = after === undefined ? page.messages[0] : page.messages.at(-1)
        return ok({ data: page.messages.map(messageView), next: page.more && edge ? String(edge.rev) : null })
      },
    }),
    endpoint({
      method: 'post',
      path: '/conversations/:id/messages',
      summary: 'Write to the contact, or a note to colleagues',
      access: 'agent',
      shapes: {
        params: conversationParams,
        body: z.strictObject({
          clientId: z
            .string()
            .min(1)
            .max(100)
            .transform((name) => name as ClientMessageId),
          content: writtenContent,
          replyTo: uuid<MessageId>().optional(),
          note: z.boolean().default(false),
          seenRev: z.number().int().min(0).optional(),
          expectedAssignee: uuid<AgentId>().nullable().optional(),
        }),
      },
      answers: {
        201: { description: 'Written; it will be sent or accounted for', schema: 'Message' },
        200: { description: 'Written before under this clientId', schema: 'Message' },
        409: { description: 'Others wrote since `seenRev`, or somebody else has it', schema: 'Problem' },
      },
      async handle({ agent, params, body }) {
        const conversation = await findConversation(agent, params.id)
        const earlier = await alreadyWritten(conversation, body.clientId)
        if (earlier) return ok(messageView(earlier))
        const contents = await fitted(agent, conversation, body.content, body.note)
        if (body.replyTo) await mustBeHere(conversation, body.replyTo)
        if ('file' in body.content) await library.attach(agent, body.content.file.id, conversation)
        const [first, ...others] = contents.map((each, index) => ({
          content: each,
          clientId: index === 0 ? body.clientId : (`${body.clientId}~${index + 1}` as ClientMessageId),
        }))
        if (!first) throw new Error('a message without content')
        const written = await write(conversation, agent, body, first)
        for (const part of others) await write(conversation, agent, { note: body.note }, part)
        if (!written.created) return ok(messageView(written.message))
        return created(messageView(written.message))
      },
    }),
    endpoint({
      method: 'post',
      path: '/conversations/:id/messages/:message/attempts',
      summary: 'Send a failed or uncertain message again: a new attempt, at once',
      access: 'agent',
      shapes: { params: messageParams },
      answers: {
        201: { description: 'Queued again', schema: 'Message' },
        409: { description: 'It is neither failed nor uncertain', schema: 'Problem' },
      },
      async handle({ agent, params }) {
        const { workspace, _id } = await findConversation(agent, params.id)
        const message = await Message.findOne({
          workspace,
          conversation: _id,
          _id: params.message,
        }).lean<MessageDoc>()
        if (!message || !isOutbound(message)) throw notFound('message')
        const at = clock.now()
        const change = await retry(message, at, new Date(at.getTime() + REPLY_EXPIRES_MS))
        if (!change)
          throw new Refusal(
            'conflict',
            'Only a message that failed, or may not have been sent, can be sent again.',
          )
        broadcasts.messageChanged(change)
        worker.wake(_id)
        log.info({ event: 'message.retried', conversation: _id, message: message._id, agent: agent._id })
        return created(messageView(change.message))
      },
    }),
  ]
}

function stale(error: StaleReply): Refusal {
  const detail =
    error.unseen.length > 0
      ? `${error.unseen.length === 1 ? 'A line was' : `${error.unseen.length} lines were`} written since you looked. Read first, then send again.`
      : 'The conversation is in other hands now, or somebody is writing this instant.'
  return new Refusal('stale_reply', detail, { unseen: error.unseen.map(messageView) })
}
