import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { model } from 'mongoose'
import type { AgentId, ApiKeyId, WorkspaceId } from './ids.ts'
import { newId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/** What another system shows to send through us: a campaign tool, a shop, a bank. Only the hash of its secret is kept. */
export interface ApiKeyDoc {
  _id: ApiKeyId
  workspace: WorkspaceId
  /** What people call that system; it stands beside what it sends. */
  name: string
  hash: string
  createdBy: AgentId
  createdAt: Date
  revokedAt?: Date
}

const schema = workspaceSchema<ApiKeyDoc>(
  {
    name: { type: String, required: true },
    hash: { type: String, required: true },
    createdBy: { type: String, required: true },
    createdAt: { type: Date, required: true },
    revokedAt: Date,
  },
  [[{ workspace: 1, createdAt: 1 }]],
)

const Model = model('ApiKey', schema, 'apiKeys')

/** So that a key is known for one wherever it turns up: in a log, a repository, a scanner. */
const PREFIX = 'nxk'
const BY_KEY = 'a key says which workspace it belongs to only once it is found'

export const ApiKey = Object.assign(Model, {
  /** Makes a key. `secret` is shown once and kept nowhere. */
  async issue(
    given: Pick<ApiKeyDoc, 'workspace' | 'name' | 'createdBy'> & { at: Date },
  ): Promise<{ key: ApiKeyDoc; secret: string }> {
    const { at, ...rest } = given
    const random = randomBytes(32).toString('base64url')
    const key: ApiKeyDoc = { ...rest, _id: newId<ApiKeyId>(), hash: hashOf(random), createdAt: at }
    await Model.create(key)
    return { key, secret: `${PREFIX}_${key._id.replaceAll('-', '')}_${random}` }
  },

  /** The key a caller shows, while it is good. */
  async identify(secret: string): Promise<ApiKeyDoc | null> {
    const match = /^nxk_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([\w-]{43})$/.exec(
      secret,
    )
    if (!match) return null
    const random = match[6] ?? ''
    const id = match.slice(1, 6).join('-') as ApiKeyId
    const key = await Model.findOne({ _id: id }, null, { acrossWorkspaces: BY_KEY }).lean<ApiKeyDoc>()
    const good = timingSafeEqual(Buffer.from(hashOf(random)), Buffer.from(key?.hash ?? hashOf('')))
    return key && good && !key.revokedAt ? key : null
  },

  /** Null where there is none. */
  async revoke(workspace: WorkspaceId, id: ApiKeyId, at: Date): Promise<ApiKeyDoc | null> {
    return Model.findOneAndUpdate(
      { workspace, _id: id },
      [{ $set: { revokedAt: { $ifNull: ['$revokedAt', at] } } }],
      { returnDocument: 'after', updatePipeline: true },
    ).lean<ApiKeyDoc>()
  },
})

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64')
