import { model } from 'mongoose'
import { Batcher } from './batcher.ts'
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
  /** The last of these, while it may come once more: the answer to it may have been lost on its way. */
  previous?: string
  previousUntil?: Date
  createdAt: Date
  expiresAt: Date
  revokedAt?: Date
}

const schema = workspaceSchema<SessionDoc>(
  {
    agent: { type: String, required: true },
    tokenHash: { type: String, required: true },
    spent: { type: [String], default: [] },
    previous: String,
    previousUntil: Date,
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    revokedAt: Date,
  },
  [[{ expiresAt: 1 }, { expireAfterSeconds: 0 }], [{ workspace: 1, agent: 1 }]],
)

const SPENT_KEPT = 50
/** A client whose answer was lost asks again within this. */
const GRACE_MS = 20_000
const BY_TOKEN = 'a refresh token says which workspace it belongs to only once it is found'
const OF_ALL = 'a node looks after sessions of every workspace'

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
   * Exchanges a refresh token for the next one, atomically. The token exchanged last is taken once more within
   * {@link GRACE_MS}, while its successor was not used: that one never arrived, and is spent from then on. Any other spent
   * token revokes the whole session, since one of its two holders is a thief. Null where it no longer opens anything.
   */
  async rotate(
    id: SessionId,
    given: string,
    next: string,
    expiresAt: Date,
    at: Date,
  ): Promise<SessionDoc | null> {
    const open = { _id: id, revokedAt: null, expiresAt: { $gt: at } }
    const inTurn = await Model.findOneAndUpdate(
      { ...open, tokenHash: given },
      {
        $set: {
          tokenHash: next,
          expiresAt,
          previous: given,
          previousUntil: new Date(at.getTime() + GRACE_MS),
        },
        $push: spending(given),
      },
      { returnDocument: 'after', acrossWorkspaces: BY_TOKEN },
    ).lean<SessionDoc>()
    if (inTurn) return inTurn
    const again = { ...open, previous: given, previousUntil: { $gt: at } }
    const lost = await Model.findOne(
      again,
      { tokenHash: 1 },
      { acrossWorkspaces: BY_TOKEN },
    ).lean<SessionDoc>()
    const onceMore =
      lost &&
      (await Model.findOneAndUpdate(
        { ...again, tokenHash: lost.tokenHash },
        {
          $set: { tokenHash: next, expiresAt },
          $unset: { previous: 1, previousUntil: 1 },
          $push: spending(lost.tokenHash),
        },
        { returnDocument: 'after', acrossWorkspaces: BY_TOKEN },
      ).lean<SessionDoc>())
    if (onceMore) return onceMore
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
    return (await living.add(id)) === workspace
  },

  /** Those of many that are not ended. */
  live: async (ids: SessionId[]): Promise<Set<SessionId>> => new Set((await liveOf(ids)).keys()),
})

async function liveOf(ids: SessionId[]): Promise<Map<SessionId, WorkspaceId>> {
  const live = await Model.find(
    { _id: { $in: ids }, revokedAt: null },
    { workspace: 1 },
    { acrossWorkspaces: OF_ALL },
  ).lean<Pick<SessionDoc, '_id' | 'workspace'>[]>()
  return new Map(live.map(({ _id, workspace }) => [_id, workspace]))
}

/** Asked anew for every request, so that signing out counts at once; those at the same moment ask together. */
const living = new Batcher<SessionId, WorkspaceId | undefined>(async (ids) => {
  const live = await liveOf(ids)
  return ids.map((id) => live.get(id))
})

const spending = (hash: string) => ({ spent: { $each: [hash], $slice: -SPENT_KEPT } })
