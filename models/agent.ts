import { model } from 'mongoose'
import { Batcher } from './batcher.ts'
import type { AgentId, InboxId, WorkspaceId } from './ids.ts'
import { newId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

export const ROLES = ['admin', 'supervisor', 'agent'] as const
export type Role = (typeof ROLES)[number]

/** A person who answers. */
export interface AgentDoc {
  _id: AgentId
  workspace: WorkspaceId
  /** Lower case; unique over all workspaces, since it is what one signs in with. */
  email: string
  name: string
  role: Role
  passwordHash: string
  /** The inboxes this agent works in; null means all of the workspace. Supervisors and admins always see all. */
  inboxes: InboxId[] | null
  /** Grows when what the agent may see changes: a client that resumes from before gets a fresh snapshot. */
  access: number
  disabledAt?: Date
  createdAt: Date
}

const schema = workspaceSchema<AgentDoc>(
  {
    email: { type: String, required: true },
    name: { type: String, required: true },
    role: { type: String, enum: ROLES, required: true },
    passwordHash: { type: String, required: true },
    inboxes: { type: [String], default: null },
    access: { type: Number, default: 0 },
    disabledAt: Date,
    createdAt: { type: Date, required: true },
  },
  [[{ email: 1 }, { unique: true }], [{ workspace: 1, name: 1 }]],
)

const Model = model('Agent', schema, 'agents')

/** Every request asks for its agent anew, so that disabling one counts at once; those at the same moment ask together. */
const enabled = new Batcher<AgentId, AgentDoc | null>(async (ids) => {
  const found = await Model.find({ _id: { $in: ids }, disabledAt: null }, null, {
    acrossWorkspaces: 'requests of every workspace ask together',
  }).lean<AgentDoc[]>()
  const agents = new Map(found.map((agent) => [agent._id, agent]))
  return ids.map((id) => agents.get(id) ?? null)
})

export const Agent = Object.assign(Model, {
  /** Makes the account. Throws the driver's duplicate key error where the email is taken. */
  async invite(
    given: Pick<AgentDoc, 'workspace' | 'email' | 'name' | 'role' | 'passwordHash'> & {
      inboxes?: InboxId[] | null
      at: Date
    },
  ) {
    const { at, ...rest } = given
    const agent: AgentDoc = {
      ...rest,
      _id: newId<AgentId>(),
      email: rest.email.toLowerCase(),
      inboxes: rest.inboxes ?? null,
      access: 0,
      createdAt: at,
    }
    await Model.create(agent)
    return agent
  },

  /** The agent while still allowed in; null once disabled. */
  async enabled(workspace: WorkspaceId, id: AgentId): Promise<AgentDoc | null> {
    const agent = await enabled.add(id)
    return agent?.workspace === workspace ? agent : null
  },

  /** Changes what the agent may do or see; the new access number tells their clients to start afresh. */
  async regrant(
    workspace: WorkspaceId,
    id: AgentId,
    grant: Partial<Pick<AgentDoc, 'role' | 'inboxes' | 'name'>>,
  ) {
    return Model.findOneAndUpdate(
      { workspace, _id: id },
      { $set: grant, $inc: { access: 1 } },
      { returnDocument: 'after' },
    ).lean<AgentDoc>()
  },

  async disable(workspace: WorkspaceId, id: AgentId, at: Date) {
    return Model.findOneAndUpdate(
      { workspace, _id: id },
      { $set: { disabledAt: at } },
      { returnDocument: 'after' },
    ).lean<AgentDoc>()
  },
})

/** The inboxes an agent is confined to; null where they see the whole workspace. */
export const confinedTo = (agent: Pick<AgentDoc, 'role' | 'inboxes'>): InboxId[] | null =>
  agent.role === 'agent' ? agent.inboxes : null

export const maySee = (agent: Pick<AgentDoc, 'role' | 'inboxes'>, inbox: InboxId): boolean =>
  confinedTo(agent)?.includes(inbox) ?? true
