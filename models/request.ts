import { createHash } from 'node:crypto'
import { model } from 'mongoose'
import { isDuplicateKey } from './identity.ts'
import type { ApiKeyId, RequestId, WorkspaceId } from './ids.ts'
import { requestId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/**
 * A request of another system, by the name it gave it (`Idempotency-Key`). It remembers what was asked under that name and
 * nothing of the answer: what is made of it has ids made of the name, so that asking again finds what the first time made.
 */
interface RequestDoc {
  _id: RequestId
  workspace: WorkspaceId
  fingerprint: string
  expiresAt: Date
}

const schema = workspaceSchema<RequestDoc>(
  { fingerprint: { type: String, required: true }, expiresAt: { type: Date, required: true } },
  [[{ expiresAt: 1 }, { expireAfterSeconds: 0 }]],
)

const Model = model('Request', schema, 'requests')

/** Nobody repeats a request after this. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000

export const IdempotentRequest = Object.assign(Model, {
  /** `different` where another body came under this name before: one of the two is a mistake of the caller's. */
  async recognise(
    given: { workspace: WorkspaceId; key: ApiKeyId; name: string; body: unknown },
    at: Date,
  ): Promise<'first' | 'same' | 'different'> {
    const { workspace, key, name, body } = given
    const fingerprint = createHash('sha256').update(JSON.stringify(body)).digest('base64')
    const _id = requestId(key, name)
    try {
      await Model.create({ _id, workspace, fingerprint, expiresAt: new Date(at.getTime() + KEPT_MS) })
      return 'first'
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
    }
    const first = await Model.findOne({ workspace, _id }).lean<RequestDoc>()
    return first === null || first.fingerprint === fingerprint ? 'same' : 'different'
  },
})
