import { model, Schema } from 'mongoose'
import { Batcher } from './batcher.ts'
import type { ConversationId } from './ids.ts'

/**
 * The right to send for one conversation. Existing means taken; one that outlived `until` belonged to a node that died.
 * Moments are compared by the nodes' shared clock (`server/clock.ts`), which follows the database's.
 */
export interface LaneDoc {
  _id: ConversationId
  /** The worker's own token for this stretch: only its holder may release or extend it. */
  holder: string
  until: Date
}

const schema = new Schema<LaneDoc>(
  {
    _id: { type: String, required: true },
    holder: { type: String, required: true },
    until: { type: Date, required: true },
  } as never,
  { versionKey: false, strict: 'throw', autoIndex: false, autoCreate: false },
)

const Model = model('Lane', schema, 'lanes')

const released = new Batcher<{ conversation: ConversationId; holder: string }, void>(async (lanes) => {
  await Model.deleteMany({
    _id: { $in: lanes.map(({ conversation }) => conversation) },
    holder: { $in: [...new Set(lanes.map(({ holder }) => holder))] },
  })
  return lanes.map(() => undefined)
})

export const Lane = Object.assign(Model, {
  /** Takes the lanes that are free or abandoned, in two commands however many. Returns those that are now ours. */
  async claim(
    conversations: ConversationId[],
    holder: string,
    now: Date,
    until: Date,
  ): Promise<ConversationId[]> {
    if (conversations.length === 0) return []
    const claims = conversations.map((_id) => ({
      updateOne: { filter: { _id, until: { $lte: now } }, update: { $set: { holder, until } }, upsert: true },
    }))
    try {
      await Model.collection.bulkWrite(claims as never, { ordered: false })
    } catch (error) {
      // A duplicate key is the word for "somebody holds it": the upsert found no expired lane and could not make a new one.
      if (!isBulkDuplicate(error)) throw error
    }
    const held = await Model.find({ _id: { $in: conversations }, holder }, { _id: 1 }).lean<
      Pick<LaneDoc, '_id'>[]
    >()
    return held.map((lane) => lane._id)
  },

  /** Keeps all lanes of a holder a while longer, in one command. */
  async extendAll(holder: string, until: Date): Promise<void> {
    await Model.updateMany({ holder }, { $set: { until } })
  },

  /** Frees every lane: for a process that has the store to itself, at its start. */
  async releaseAll(): Promise<void> {
    await Model.deleteMany({})
  },

  /** Gives a lane back, with others that end at the same moment. */
  release: (conversation: ConversationId, holder: string): Promise<void> =>
    released.add({ conversation, holder }),
})

function isBulkDuplicate(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('writeErrors' in error)) return false
  const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
  return errors.length > 0 && errors.every((each: { code?: number }) => each.code === 11000)
}
