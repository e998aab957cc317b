import { z } from 'zod'
import { Agent, type AgentDoc, maySee } from '../../models/agent.ts'
import { CONVERSATION_STATUSES, Conversation, type ConversationDoc } from '../../models/conversation.ts'
import type { AgentId, ConversationId, InboxId } from '../../models/ids.ts'
import { Message } from '../../models/message.ts'
import { Participation } from '../../models/participation.ts'
import { notFound, Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { changesSince, inboxFilter, withReadings } from '../realtime/catch-up.ts'
import { readingView } from '../views.ts'
import { type Answer, type Endpoint, endpoint, ok, uuid } from './endpoint.ts'
import { pageOf, position } from './pagination.ts'

export const conversationParams = z.object({ id: uuid<ConversationId>() })

/** The conversation, found through the agent: what they may not see does not exist for them. */
export async function findConversation(agent: AgentDoc, id: ConversationId): Promise<ConversationDoc> {
  const found = await Conversation.findOne({
    workspace: agent.workspace,
    _id: id,
    ...inboxFilter(agent),
  }).lean<ConversationDoc>()
  if (!found) throw notFound('conversation')
  return found
}

const listQuery = z.strictObject({
  status: z.enum(CONVERSATION_STATUSES).optional(),
  assignee: z.union([z.enum(['me', 'none']), uuid<AgentId>()]).optional(),
  inbox: uuid<InboxId>().optional(),
  label: z.string().max(50).optional(),
  q: z.string().trim().min(1).max(100).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().max(200).optional(),
})

/** The list, and the verbs of a conversation, each a noun that is put or taken away. */
export function conversations({
  broadcasts,
  clock,
  readMarks,
}: Pick<Parts, 'broadcasts' | 'clock' | 'readMarks'>): Endpoint[] {
  /** Find through the agent, ask the model, publish, answer. */
  const change = async (
    agent: AgentDoc,
    id: ConversationId,
    ask: (conversation: ConversationDoc) => Promise<ConversationDoc | null>,
  ): Promise<Answer> => {
    const changed = await ask(await findConversation(agent, id))
    if (!changed) throw notFound('conversation')
    broadcasts.conversationChanged(changed)
    const [row] = await withReadings(agent, [changed])
    return ok(row)
  }
  const row = { 200: { description: 'As it now stands', schema: 'Conversation' } }
  return [
    endpoint({
      method: 'get',
      path: '/conversations',
      summary: 'The conversations I may see, the latest active first',
      access: 'agent',
      shapes: { query: listQuery },
      answers: { 200: { description: 'A page', schema: 'ConversationList' } },
      async handle({ agent, query }) {
        const filter = listFilter(agent, query)
        if (filter === null) return ok({ data: [], next: null })
        const found = await Conversation.find(filter)
          .sort({ lastActivityAt: -1, _id: -1 })
          .limit(query.limit + 1)
          .lean<ConversationDoc[]>()
        const { rows, next } = pageOf(found, query.limit, (last) => ({
          at: last.lastActivityAt,
          id: last._id,
        }))
        return ok({ data: await withReadings(agent, rows), next })
      },
    }),
    endpoint({
      method: 'get',
      path: '/conversations/:id',
      summary: 'One conversation',
      access: 'agent',
      shapes: { params: conversationParams },
      answers: row,
      async handle({ agent, params }) {
        const [found] = await withReadings(agent, [await findConversation(agent, params.id)])
        return ok(found)
      },
    }),
    endpoint({
      method: 'put',
      path: '/conversations/:id/assignment',
      summary: 'Give it to an agent, or to nobody',
      access: 'agent',
      shapes: { params: conversationParams, body: z.strictObject({ agent: uuid<AgentId>().nullable() }) },
      answers: row,
      async handle({ agent, params, body }) {
        const { inbox } = await findConversation(agent, params.id)
        const assignee = body.agent && (await Agent.enabled(agent.workspace, body.agent))
        if (body.agent !== null && !assignee) throw notFound('agent')
        if (assignee && !maySee(assignee, inbox))
          throw new Refusal('conflict', 'This agent does not work in this inbox.')
        return change(agent, params.id, ({ workspace, _id }) =>
          Conversation.assign(workspace, _id, body.agent),
        )
      },
    }),
    endpoint({
      method: 'put',
      path: '/conversations/:id/resolution',
      summary: 'Resolve it; it opens again when the contact writes',
      access: 'agent',
      shapes: { params: conversationParams },
      answers: row,
      handle: ({ agent, params }) =>
        change(agent, params.id, ({ workspace, _id }) =>
          Conversation.resolve(workspace, _id, agent._id, clock.now()),
        ),
    }),
    endpoint({
      method: 'delete',
      path: '/conversations/:id/resolution',
      summary: 'Open it again',
      access: 'agent',
      shapes: { params: conversationParams },
      answers: row,
      handle: ({ agent, params }) =>
        change(agent, params.id, ({ workspace, _id }) => Conversation.reopen(workspace, _id)),
    }),
    endpoint({
      method: 'put',
      path: '/conversations/:id/snooze',
      summary: 'Put it aside until a moment, or until the contact writes',
      access: 'agent',
      shapes: {
        params: conversationParams,
        body: z.strictObject({ until: z.iso.datetime({ offset: true }) }),
      },
      answers: row,
      async handle({ agent, params, body }) {
        const until = new Date(body.until)
        if (until <= clock.now())
          throw new Refusal('invalid_request', 'until: this moment has passed', {
            errors: [{ field: 'until', message: 'this moment has passed' }],
          })
        return change(agent, params.id, ({ workspace, _id }) => Conversation.snooze(workspace, _id, until))
      },
    }),
    endpoint({
      method: 'delete',
      path: '/conversations/:id/snooze',
      summary: 'Wake it now',
      access: 'agent',
      shapes: { params: conversationParams },
      answers: row,
      handle: ({ agent, params }) =>
        change(agent, params.id, ({ workspace, _id }) => Conversation.reopen(workspace, _id)),
    }),
    endpoint({
      method: 'put',
      path: '/conversations/:id/labels',
      summary: 'Set its labels',
      access: 'agent',
      shapes: {
        params: conversationParams,
        body: z.strictObject({ labels: z.array(z.string().trim().min(1).max(50)).max(20) }),
      },
      answers: row,
      handle: ({ agent, params, body }) =>
        change(agent, params.id, ({ workspace, _id }) =>
          Conversation.label(workspace, _id, [...new Set(body.labels)].sort()),
        ),
    }),
    endpoint({
      method: 'put',
      path: '/conversations/:id/reading',
      summary: 'I have read it up to here',
      access: 'agent',
      shapes: { params: conversationParams, body: z.strictObject({ rev: z.number().int().min(0) }) },
      answers: { 200: { description: 'How far I have read', schema: 'Reading' } },
      async handle({ agent, params, body }) {
        const conversation = await findConversation(agent, params.id)
        const { workspace, _id, rev } = conversation
        const upTo = Math.min(body.rev, rev)
        const unread = await Message.countDocuments({
          workspace,
          conversation: _id,
          direction: 'inbound',
          rev: { $gt: upTo },
        })
        const participation = await Participation.read({
          workspace,
          agent: agent._id,
          conversation: _id,
          rev: upTo,
          inbound: await inboundUpTo(agent, _id, unread),
        })
        broadcasts.readingChanged(participation)
        void readMarks.show(conversation, agent._id, upTo)
        return ok(readingView(participation))
      },
    }),
    endpoint({
      method: 'get',
      path: '/changes',
      summary: 'Everything that happened since a cursor, or a fresh snapshot',
      access: 'agent',
      shapes: { query: z.strictObject({ cursor: z.string().max(100).optional() }) },
      answers: { 200: { description: 'Changes', schema: 'Changes' } },
      async handle({ agent, query }) {
        return ok(await changesSince(agent, query.cursor ?? null))
      },
    }),
  ]
}

/**
 * How many of the contact's messages an agent has read, with so many after the place they read to. Counted anew after the
 * unread ones were, and without a message that took its place and is not written yet: nobody can have read that.
 */
async function inboundUpTo(agent: AgentDoc, id: ConversationId, unread: number): Promise<number> {
  const { workspace, inbound, lastTurn } = await findConversation(agent, id)
  const underWay =
    lastTurn?.direction === 'inbound' && !(await Message.exists({ workspace, _id: lastTurn.message }))
  return Math.max(0, inbound - unread - (underWay ? 1 : 0))
}

/** Null where nothing can match: an inbox outside the agent's own. */
function listFilter(agent: AgentDoc, query: z.output<typeof listQuery>): Record<string, unknown> | null {
  const confined = inboxFilter(agent)
  if (query.inbox && confined.inbox && !confined.inbox.$in.includes(query.inbox)) return null
  const filter: Record<string, unknown> = { workspace: agent.workspace, ...confined }
  if (query.inbox) filter.inbox = query.inbox
  if (query.status) filter.status = query.status
  if (query.assignee)
    filter.assignee = query.assignee === 'me' ? agent._id : query.assignee === 'none' ? null : query.assignee
  if (query.label) filter.labels = query.label
  const both: object[] = []
  if (query.q) {
    const pattern = { $regex: query.q.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), $options: 'i' }
    both.push({ $or: [{ 'contact.name': pattern }, { 'contact.address': pattern }] })
  }
  const from = position(query.after)
  if (from)
    both.push({
      $or: [{ lastActivityAt: { $lt: from.at } }, { lastActivityAt: from.at, _id: { $lt: from.id } }],
    })
  if (both.length > 0) filter.$and = both
  return filter
}
