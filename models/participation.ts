import { model } from 'mongoose'
import type { AgentId, ConversationId, WorkspaceId } from './ids.ts'
import { TOUCH, type Touched, workspaceSchema } from './schema.ts'

/** An agent in a conversation: how far they have read. */
export interface ParticipationDoc {
  /** `agent:conversation`: one of each, by the primary key. */
  _id: string
  workspace: WorkspaceId
  agent: AgentId
  conversation: ConversationId
  readRev: number
  /** How many of the contact's messages lie at or before `readRev`. */
  readInbound: number
  touched: Touched
}

const schema = workspaceSchema<ParticipationDoc>(
  {
    agent: { type: String, required: true },
    conversation: { type: String, required: true },
    readRev: { type: Number, required: true },
    readInbound: { type: Number, required: true },
    touched: {},
  },
  [[{ workspace: 1, agent: 1, touched: 1 }], [{ workspace: 1, agent: 1, conversation: 1 }]],
)

const Model = model('Participation', schema, 'participations')

export const Participation = Object.assign(Model, {
  /** Moves the agent's reading forward, never back. */
  async read(given: {
    workspace: WorkspaceId
    agent: AgentId
    conversation: ConversationId
    rev: number
    inbound: number
  }) {
    const { workspace, agent, conversation, rev, inbound } = given
    const participation = await Model.findOneAndUpdate(
      { workspace, _id: `${agent}:${conversation}` },
      { $setOnInsert: { agent, conversation }, $max: { readRev: rev, readInbound: inbound }, ...TOUCH },
      { upsert: true, returnDocument: 'after' },
    ).lean<ParticipationDoc>()
    if (!participation) throw new Error('an upsert returned nothing')
    return participation
  },
})
