import { LRUCache } from 'lru-cache'
import { model } from 'mongoose'
import { CHANNELS, type Channel } from './channels.ts'
import { Contact } from './contact.ts'
import type { Address, ContactId, IdentityId, WorkspaceId } from './ids.ts'
import { newId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/** A contact on one channel: the address that is theirs there, unique in the workspace. */
export interface IdentityDoc {
  _id: IdentityId
  workspace: WorkspaceId
  channel: Channel
  address: Address
  contact: ContactId
  /** What the channel calls them. */
  name: string
  username?: string
  createdAt: Date
}

const schema = workspaceSchema<IdentityDoc>(
  {
    channel: { type: String, enum: CHANNELS, required: true },
    address: { type: String, required: true },
    contact: { type: String, required: true },
    name: { type: String, required: true },
    username: String,
    createdAt: { type: Date, required: true },
  },
  [[{ workspace: 1, channel: 1, address: 1 }, { unique: true }]],
)

const Model = model('Identity', schema, 'identities')

interface Sighting {
  workspace: WorkspaceId
  channel: Channel
  address: Address
  name: string | undefined
  username: string | undefined
  at: Date
}

/** People seen a moment ago, as this process knows them: most messages are from somebody who wrote just before. */
const remembered = new LRUCache<string, IdentityDoc>({ max: 20_000, ttl: 60_000 })

export const Identity = Object.assign(Model, {
  /**
   * Finds or makes the person behind an address in one unique write, so that two webhooks at once make one contact. The
   * contact is written second: if we die in between, the next sighting writes it under the same id.
   */
  async recognise({ workspace, channel, address, name, username, at }: Sighting): Promise<IdentityDoc> {
    const shown = name ?? username ?? address
    const key = `${workspace} ${channel} ${address}`
    const known = remembered.get(key)
    if (known && (name === undefined || (known.name === name && known.username === username))) return known
    const identity = await upsert(workspace, channel, address, {
      $setOnInsert: {
        _id: newId<IdentityId>(),
        contact: newId<ContactId>(),
        createdAt: at,
        ...(name === undefined ? { name: shown } : {}),
      },
      ...(name === undefined
        ? {}
        : { $set: { name: shown, ...(username === undefined ? {} : { username }) } }),
    })
    await Contact.updateOne(
      { workspace, _id: identity.contact },
      { $setOnInsert: { name: shown, createdAt: at } },
      { upsert: true },
    )
    remembered.set(key, identity)
    return identity
  },
})

async function upsert(
  workspace: WorkspaceId,
  channel: Channel,
  address: Address,
  update: object,
): Promise<IdentityDoc> {
  const find = () =>
    Model.findOneAndUpdate({ workspace, channel, address }, update, {
      upsert: true,
      returnDocument: 'after',
    }).lean<IdentityDoc>()
  const identity = await find().catch((error: unknown) => {
    if (isDuplicateKey(error)) return find() // another webhook made it between our look and our write
    throw error
  })
  if (!identity) throw new Error('an upsert returned nothing')
  return identity
}

export const isDuplicateKey = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 11000
