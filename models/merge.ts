import { model } from 'mongoose'
import { Contact, type ContactDoc } from './contact.ts'
import { Conversation, type ConversationDoc } from './conversation.ts'
import { Identity, type IdentityDoc } from './identity.ts'
import type { AgentId, ContactId, IdentityId, MergeId, WorkspaceId } from './ids.ts'
import { newId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/**
 * Two contacts found to be one person. It remembers which identities moved, so that it can be undone; it is written before
 * anything moves, so that whoever finds it half done can finish it: doing it again changes nothing.
 */
export interface MergeDoc {
  _id: MergeId
  workspace: WorkspaceId
  from: ContactId
  into: ContactId
  identities: IdentityId[]
  by: AgentId
  at: Date
  undoneAt?: Date
}

const schema = workspaceSchema<MergeDoc>(
  {
    from: { type: String, required: true },
    into: { type: String, required: true },
    identities: { type: [String], required: true },
    by: { type: String, required: true },
    at: { type: Date, required: true },
    undoneAt: Date,
  },
  [[{ workspace: 1, into: 1, at: -1 }]],
)

const Model = model('Merge', schema, 'merges')

export interface Merged {
  merge: MergeDoc
  /** The conversations that changed hands, as they now stand. */
  conversations: ConversationDoc[]
}

export const Merge = Object.assign(Model, {
  /** Makes one contact of two. Null where either is not there, or was merged into another before. */
  async unite(
    workspace: WorkspaceId,
    { from, into, by, at }: { from: ContactId; into: ContactId; by: AgentId; at: Date },
  ): Promise<Merged | null> {
    const found = await Contact.find({
      workspace,
      _id: { $in: [from, into] },
      mergedInto: { $exists: false },
    }).lean<ContactDoc[]>()
    if (found.length !== 2) return null
    const theirs = await Identity.find({ workspace, contact: from }, { _id: 1 }).lean<IdentityDoc[]>()
    const merge: MergeDoc = {
      _id: newId<MergeId>(),
      workspace,
      from,
      into,
      identities: theirs.map(({ _id }) => _id),
      by,
      at,
    }
    await Model.create(merge)
    await Contact.updateOne({ workspace, _id: from }, { $set: { mergedInto: into } })
    return { merge, conversations: await move(merge, into) }
  },

  /** Makes two of one again: what each was known by goes back. Null where it was undone before, or never was. */
  async undo(workspace: WorkspaceId, id: MergeId, at: Date): Promise<Merged | null> {
    const merge = await Model.findOneAndUpdate(
      { workspace, _id: id, undoneAt: { $exists: false } },
      { $set: { undoneAt: at } },
      { returnDocument: 'after' },
    ).lean<MergeDoc>()
    if (!merge) return null
    await Contact.updateOne({ workspace, _id: merge.from }, { $unset: { mergedInto: 1 } })
    return { merge, conversations: await move(merge, merge.from) }
  },
})

/** Hands the identities of a merge, and their conversations, to a contact. */
async function move({ workspace, identities }: MergeDoc, to: ContactId): Promise<ConversationDoc[]> {
  await Identity.give(workspace, identities, to)
  const theirs = await Conversation.find(
    { workspace, identity: { $in: identities }, 'contact.id': { $ne: to } },
    { _id: 1 },
  ).lean<Pick<ConversationDoc, '_id'>[]>()
  const moved = await Promise.all(
    theirs.map(({ _id }) => Conversation.advance(workspace, _id, { $set: { 'contact.id': to } })),
  )
  return moved.filter((conversation) => conversation !== null)
}
