import { z } from 'zod'
import { type AgentDoc, confinedTo } from '../../models/agent.ts'
import { Contact, type ContactDoc } from '../../models/contact.ts'
import { Conversation, type ConversationDoc } from '../../models/conversation.ts'
import { Identity, type IdentityDoc } from '../../models/identity.ts'
import type { ContactId, MergeId } from '../../models/ids.ts'
import { Merge, type MergeDoc, type Merged } from '../../models/merge.ts'
import { notFound, Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { inboxFilter } from '../realtime/catch-up.ts'
import { contactView } from '../views.ts'
import { created, type Endpoint, endpoint, ok, uuid } from './endpoint.ts'

const CONVERSATIONS = 50
const FOUND = 20
const params = z.object({ id: uuid<ContactId>() })

/** The people who write to us, on however many channels. */
export function contacts({
  broadcasts,
  clock,
  log,
}: Pick<Parts, 'broadcasts' | 'clock' | 'log'>): Endpoint[] {
  const tell = ({ conversations }: Merged): void => {
    for (const conversation of conversations) broadcasts.conversationChanged(conversation)
  }
  return [
    endpoint({
      method: 'get',
      path: '/contacts',
      summary: 'People by the beginning of a name or an address',
      access: 'agent',
      shapes: { query: z.strictObject({ q: z.string().trim().min(1).max(100) }) },
      answers: { 200: { description: `At most ${FOUND}`, schema: 'ContactList' } },
      async handle({ agent, query }) {
        mustSeeAll(agent)
        return ok({ data: await find(agent, query.q) })
      },
    }),
    endpoint({
      method: 'get',
      path: '/contacts/:id',
      summary: 'A person: how they are reached, and everything said with them',
      access: 'agent',
      shapes: { params },
      answers: { 200: { description: 'As far as I may see them', schema: 'Contact' } },
      handle: async ({ agent, params }) => ok(await view(agent, params.id)),
    }),
    endpoint({
      method: 'post',
      path: '/contacts/:id/merges',
      summary: 'This person and another are one; can be undone',
      access: 'agent',
      shapes: { params, body: z.strictObject({ from: uuid<ContactId>() }) },
      answers: { 201: { description: 'The one they are now', schema: 'Contact' } },
      async handle({ agent, params, body }) {
        await mustBeOurs(agent, params.id)
        mustSeeAll(agent)
        if (body.from === params.id) throw new Refusal('conflict', 'That is the same person already.')
        const merged = await Merge.unite(agent.workspace, {
          from: body.from,
          into: params.id,
          by: agent._id,
          at: clock.now(),
        })
        if (!merged) throw notFound('contact')
        log.info({ event: 'contact.merged', merge: merged.merge._id, agent: agent._id })
        tell(merged)
        return created(await view(agent, params.id))
      },
    }),
    endpoint({
      method: 'delete',
      path: '/contacts/:id/merges/:merge',
      summary: 'They were two people after all',
      access: 'agent',
      shapes: { params: params.extend({ merge: uuid<MergeId>() }) },
      answers: { 200: { description: 'The one who was left', schema: 'Contact' } },
      async handle({ agent, params }) {
        await mustBeOurs(agent, params.id)
        mustSeeAll(agent)
        const undone = await Merge.undo(agent.workspace, params.merge, clock.now())
        if (!undone) throw notFound('merge')
        log.info({ event: 'contact.parted', merge: undone.merge._id, agent: agent._id })
        tell(undone)
        return ok(await view(agent, params.id))
      },
    }),
  ]
}

/** Who is confined to some inboxes would learn of the others here. */
function mustSeeAll(agent: AgentDoc): void {
  if (confinedTo(agent) !== null)
    throw new Refusal('forbidden', 'Only who sees every inbox may look for people and merge them.')
}

async function mustBeOurs(agent: AgentDoc, id: ContactId): Promise<ContactDoc> {
  const contact = await Contact.findOne({ workspace: agent.workspace, _id: id }).lean<ContactDoc>()
  if (!contact) throw notFound('contact')
  return contact
}

async function view(agent: AgentDoc, id: ContactId) {
  const { workspace } = agent
  const contact = await mustBeOurs(agent, id)
  const [conversations, identities, merges] = await Promise.all([
    Conversation.find({ workspace, 'contact.id': id, ...inboxFilter(agent) })
      .sort({ lastActivityAt: -1 })
      .limit(CONVERSATIONS)
      .lean<ConversationDoc[]>(),
    Identity.find({ workspace, contact: id }).sort({ createdAt: 1 }).lean<IdentityDoc[]>(),
    Merge.find({ workspace, into: id, undoneAt: { $exists: false } })
      .sort({ at: -1 })
      .lean<MergeDoc[]>(),
  ])
  const confined = confinedTo(agent) !== null
  if (confined && conversations.length === 0) throw notFound('contact')
  const seen = new Set(conversations.map(({ identity }) => identity))
  const shown = confined ? identities.filter(({ _id }) => seen.has(_id)) : identities
  const others = await Contact.find({ workspace, _id: { $in: merges.map(({ from }) => from) } }).lean<
    ContactDoc[]
  >()
  const names = new Map(others.map(({ _id, name }) => [_id, name]))
  return contactView(contact, shown, conversations, confined ? [] : merges, names)
}

async function find(agent: AgentDoc, q: string) {
  const { workspace } = agent
  const begins = { $regex: `^${q.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, $options: 'i' }
  const [byName, byAddress] = await Promise.all([
    Contact.find({ workspace, name: begins, mergedInto: { $exists: false } })
      .limit(FOUND)
      .lean<ContactDoc[]>(),
    Identity.find({ workspace, address: begins }).limit(FOUND).lean<IdentityDoc[]>(),
  ])
  const ids = [
    ...new Set([...byName.map(({ _id }) => _id), ...byAddress.map(({ contact }) => contact)]),
  ].slice(0, FOUND)
  const [found, identities] = await Promise.all([
    Contact.find({ workspace, _id: { $in: ids } }).lean<ContactDoc[]>(),
    Identity.find({ workspace, contact: { $in: ids } }).lean<IdentityDoc[]>(),
  ])
  return found.map(({ _id, name }) => ({
    id: _id,
    name,
    channels: identities
      .filter(({ contact }) => contact === _id)
      .map(({ channel, address }) => `${channel} ${address}`),
  }))
}
