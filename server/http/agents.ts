import { z } from 'zod'
import { Agent, type AgentDoc, ROLES } from '../../models/agent.ts'
import { isDuplicateKey } from '../../models/identity.ts'
import type { AgentId, InboxId } from '../../models/ids.ts'
import { Inbox } from '../../models/inbox.ts'
import { hashPassword } from '../auth/passwords.ts'
import { notFound, Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { agentView } from '../views.ts'
import { created, type Endpoint, endpoint, noContent, ok, uuid } from './endpoint.ts'

const inboxes = z.array(uuid<InboxId>()).max(1_000).nullable()

/** The people of the workspace. */
export function agents({ broadcasts, clock }: Pick<Parts, 'broadcasts' | 'clock'>): Endpoint[] {
  const mustBeOurs = async (agent: AgentDoc, ids: InboxId[] | null | undefined) => {
    if (
      ids &&
      (await Inbox.countDocuments({ workspace: agent.workspace, _id: { $in: ids } })) !== new Set(ids).size
    )
      throw notFound('inbox')
  }
  return [
    endpoint({
      method: 'get',
      path: '/agents',
      summary: 'The agents of the workspace',
      access: 'agent',
      answers: { 200: { description: 'All of them, by name', schema: 'AgentList' } },
      async handle({ agent }) {
        const all = await Agent.find({ workspace: agent.workspace, disabledAt: null })
          .sort({ name: 1 })
          .lean<AgentDoc[]>()
        return ok({ data: all.map(agentView) })
      },
    }),
    endpoint({
      method: 'post',
      path: '/agents',
      summary: 'Add an agent',
      access: 'admin',
      shapes: {
        body: z.strictObject({
          name: z.string().trim().min(1).max(100),
          email: z.email().max(320),
          role: z.enum(ROLES),
          password: z.string().min(10, 'at least 10 characters').max(1_000),
          inboxes: inboxes.optional(),
        }),
      },
      answers: { 201: { description: 'Added', schema: 'Agent' } },
      async handle({ agent, body }) {
        await mustBeOurs(agent, body.inboxes)
        const { password, ...rest } = body
        try {
          const added = await Agent.invite({
            ...rest,
            inboxes: rest.inboxes ?? null,
            workspace: agent.workspace,
            passwordHash: await hashPassword(password),
            at: clock.now(),
          })
          return created(agentView(added))
        } catch (error) {
          if (isDuplicateKey(error))
            throw new Refusal('already_exists', 'An agent with this e-mail exists already.')
          throw error
        }
      },
    }),
    endpoint({
      method: 'patch',
      path: '/agents/:id',
      summary: 'Change what an agent may do and see; their open clients start afresh',
      access: 'admin',
      shapes: {
        params: z.object({ id: uuid<AgentId>() }),
        body: z.strictObject({
          name: z.string().trim().min(1).max(100).optional(),
          role: z.enum(ROLES).optional(),
          inboxes: inboxes.optional(),
        }),
      },
      answers: { 200: { description: 'Changed', schema: 'Agent' } },
      async handle({ agent, params, body }) {
        await mustBeOurs(agent, body.inboxes)
        const changed = await Agent.regrant(agent.workspace, params.id, withoutUndefined(body))
        if (!changed) throw notFound('agent')
        broadcasts.disconnectAgent(changed._id)
        return ok(agentView(changed))
      },
    }),
    endpoint({
      method: 'delete',
      path: '/agents/:id',
      summary: 'Disable an agent: signed out everywhere, at once',
      access: 'admin',
      shapes: { params: z.object({ id: uuid<AgentId>() }) },
      answers: { 204: { description: 'Disabled' } },
      async handle({ agent, params }) {
        if (params.id === agent._id) throw new Refusal('conflict', 'You cannot disable yourself.')
        const disabled = await Agent.disable(agent.workspace, params.id, clock.now())
        if (!disabled) throw notFound('agent')
        broadcasts.disconnectAgent(disabled._id)
        return noContent
      },
    }),
  ]
}

const withoutUndefined = <T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
