import { model } from 'mongoose'
import type { AgentId, SessionId, WorkspaceId } from './ids.ts'
import { newId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/** A sign-in on one device: the family of refresh tokens that follow each other. Only hashes are kept. */
export interface SessionDoc {
  _id: SessionId
  workspace: WorkspaceId
  agent: AgentId
  tokenHash: string
  /** Tokens that were exchanged already; seeing one again means that somebody copied it. */
  spent: string[]
  createdAt: Date
  expiresAt: Date
  revokedAt?: Date
}

const schema = workspaceSchema<SessionDoc>(
  {
    agent: { type: String, required: true },
    tokenHash: { type: String, required: true },
    spent: { type: [String], default: [] },
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    revokedAt: Date,
  },
  [[{ expiresAt: 1 }, { expireAfterSeconds: 0 }], [{ workspace: 1, agent: 1 }]],
)

const SPENT_KEPT = 50
const BY_TOKEN = 'a refresh token says which workspace it belongs to only once it is found'

const Model = model('Session', schema, 'sessions')

export const Session = Object.assign(Model, {
  async start(
    given: Pick<SessionDoc, 'workspace' | 'agent' | 'tokenHash' | 'expiresAt'> & { at: Date },
  ): Promise<SessionDoc> {
    const { at, ...rest } = given
    const session: SessionDoc = { ...rest, _id: newId<SessionId>(), spent: [], createdAt: at }
    await Model.create(session)
    return session
  },

  /**
   * Exchanges a refresh token for the next one, atomically: of two uses at once one wins. A token that was spent before
   * revokes the whole session, since one of its two holders is a thief. Null where it no longer opens anything.
   */
  async rotate(
    id: SessionId,
    given: string,
    next: string,
    expiresAt: Date,
    at: Date,
  ): Promise<SessionDoc | null> {
    const live = await Model.findOneAndUpdate(
      { _id: id, tokenHash: given, revokedAt: null, expiresAt: { $gt: at } },
      { $set: { tokenHash: next, expiresAt }, $push: { spent: { $each: [given], $slice: -SPENT_KEPT } } },
      { returnDocument: 'after', acrossWorkspaces: BY_TOKEN },
    ).lean<SessionDoc>()
    if (live) return live
    await Model.updateOne({ _id: id, spent: given, revokedAt: null }, { $set: { revokedAt: at } }).setOptions(
      {
        acrossWorkspaces: BY_TOKEN,
      },
    )
    return null
  },

  async revoke(workspace: WorkspaceId, id: SessionId, at: Date): Promise<void> {
    await Model.updateOne({ workspace, _id: id, revokedAt: null }, { $set: { revokedAt: at } })
  },

  async isLive(workspace: WorkspaceId, id: SessionId): Promise<boolean> {
    return (await Model.exists({ workspace, _id: id, revokedAt: null })) !== null
  },
})
