import { LRUCache } from 'lru-cache'
import { model } from 'mongoose'
import { addressKey, isByPhone } from './address.ts'
import { CHANNELS, type Channel } from './channels.ts'
import { Contact, type ContactDoc } from './contact.ts'
import type { Address, ContactId, IdentityId, WorkspaceId } from './ids.ts'
import { contactOfPhone, newId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/** A contact on one channel: the address that is theirs there, in whichever spelling unique in the workspace. */
export interface IdentityDoc {
  _id: IdentityId
  workspace: WorkspaceId
  channel: Channel
  /** As the provider told it last: what it is sent to. */
  address: Address
  /** The same for every spelling of the address. */
  key: string
  contact: ContactId
  /** What the channel calls them. */
  name: string
  username?: string
  /** Since when they want to hear nothing more from us; absent while they do. */
  optedOutAt?: Date
  createdAt: Date
}

const schema = workspaceSchema<IdentityDoc>(
  {
    channel: { type: String, enum: CHANNELS, required: true },
    address: { type: String, required: true },
    key: { type: String, required: true },
    contact: { type: String, required: true },
    name: { type: String, required: true },
    username: String,
    optedOutAt: Date,
    createdAt: { type: Date, required: true },
  },
  [[{ workspace: 1, channel: 1, key: 1 }, { unique: true }], [{ workspace: 1, contact: 1 }]],
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
    const { key, phone } = addressKey(channel, address)
    const place = `${workspace} ${channel} ${key}`
    const known = remembered.get(place)
    if (
      known &&
      known.address === address &&
      (name === undefined || (known.name === name && known.username === username))
    )
      return known
    const identity = await upsert(workspace, channel, key, {
      $setOnInsert: {
        _id: newId<IdentityId>(),
        contact: phone === undefined ? newId<ContactId>() : contactOfPhone(workspace, phone),
        createdAt: at,
        ...(name === undefined ? { name: shown } : {}),
      },
      $set: {
        address,
        ...(name === undefined ? {} : { name: shown, ...(username === undefined ? {} : { username }) }),
      },
    })
    const contact = await Contact.findOneAndUpdate(
      { workspace, _id: identity.contact },
      { $setOnInsert: { name: shown, createdAt: at } },
      { upsert: true, returnDocument: 'after' },
    ).lean<ContactDoc>()
    // A new address of somebody who was found to be another: the number names the contact it was before.
    const standing = contact?.mergedInto
    if (standing) await Model.updateOne({ workspace, _id: identity._id }, { $set: { contact: standing } })
    const recognised = standing ? { ...identity, contact: standing } : identity
    remembered.set(place, recognised)
    return recognised
  },

  /** Whether an address is somebody's whose name we know. */
  async isNamed(workspace: WorkspaceId, channel: Channel, address: Address): Promise<boolean> {
    const { key } = addressKey(channel, address)
    const known =
      remembered.get(`${workspace} ${channel} ${key}`) ??
      (await Model.findOne({ workspace, channel, key }, { name: 1 }).lean<Pick<IdentityDoc, 'name'>>())
    return known !== undefined && known !== null && known.name !== address
  },

  /** Makes these identities another contact's. Other nodes may remember the old one for a minute. */
  async give(workspace: WorkspaceId, ids: IdentityId[], contact: ContactId): Promise<void> {
    await Model.updateMany({ workspace, _id: { $in: ids } }, { $set: { contact } })
    remembered.clear()
  },

  /**
   * A person shuts or reopens the door to us on every channel that knows them by their phone. Returns those identities.
   * Other nodes may remember them as they were for a minute; what counts is each conversation's own mark.
   */
  async consent(
    workspace: WorkspaceId,
    contact: ContactId,
    consent: 'stop' | 'start',
    at: Date,
  ): Promise<IdentityId[]> {
    const theirs = await Model.find({
      workspace,
      contact,
      channel: { $in: CHANNELS.filter(isByPhone) },
    }).lean<IdentityDoc[]>()
    const ids = theirs.map(({ _id }) => _id)
    await Model.updateMany(
      { workspace, _id: { $in: ids } },
      consent === 'stop' ? { $set: { optedOutAt: at } } : { $unset: { optedOutAt: 1 } },
    )
    for (const { channel, key } of theirs) remembered.delete(`${workspace} ${channel} ${key}`)
    return ids
  },
})

async function upsert(
  workspace: WorkspaceId,
  channel: Channel,
  key: string,
  update: object,
): Promise<IdentityDoc> {
  const find = () =>
    Model.findOneAndUpdate({ workspace, channel, key }, update, {
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
