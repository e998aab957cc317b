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

export const Identity = Object.assign(Model, {
  /**
   * Finds or makes the person behind an address in one unique write, so that two webhooks at once make one contact. The
   * contact is written second: if we die in between, the next sighting writes it under the same id.
   */
  async recognise({ workspace, channel, address, name, username, at }: Sighting): Promise<IdentityDoc> {
    const shown = name ?? username ?? address
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
