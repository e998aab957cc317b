import type { AnyBulkWriteOperation, Collection, IndexDescription } from 'mongodb'

/** A message as a conversation holds it, of about 330 bytes. */
export interface Thing {
  _id: number
  conversation: string
  rev: number
  bucket: number
  at: Date
  from: string
  state: string
  text: string
  seen: number
}

export const CONVERSATION_SIZE = 100
const BUCKET_SIZE = 10_000
const BATCH = 500
/** Where the ids of documents begin that a turn inserts, and takes away again. */
export const INSERTED = 100_000_000

const TEXT =
  'Good morning, has my parcel left yet? It should have been here on Tuesday, and nobody answers. '.repeat(2)

/** The same documents for every server; those of a conversation lie far apart, as they would have come. */
export function thing(id: number, size: number): Thing {
  const conversations = Math.max(1, size / CONVERSATION_SIZE)
  const place = id % INSERTED
  return {
    _id: id,
    conversation: `conversation-${place % conversations}`,
    rev: Math.floor(place / conversations),
    bucket: Math.floor(place / BUCKET_SIZE),
    at: new Date(1_700_000_000_000 + place * 1000),
    from: `agent-${place % 7}`,
    state: ['queued', 'sent', 'delivered', 'read'][place % 4] ?? 'read',
    text: TEXT,
    seen: 0,
  }
}

export const INDEXES: Pick<IndexDescription, 'key'>[] = [
  { key: { conversation: 1, rev: -1 } },
  { key: { bucket: 1, at: 1 } },
]

/** A collection to work on, with what varies from call to call. */
export interface Table {
  readonly things: Collection<Thing>
  readonly size: number
  /** A whole number below the limit. */
  readonly below: (limit: number) => number
  /** An id that was not given before. */
  readonly nextId: () => number
}

export interface Operation {
  readonly name: string
  /** One call, and whether it found what there is. */
  readonly run: (table: Table) => Promise<boolean>
  readonly atOnce: number
  /** Calls in one turn, at most. */
  readonly calls: number
  /** Costs grow with what is asked for and not with what there is, so the sizes may be compared. */
  readonly scales: boolean
}

const conversation = ({ below, size }: Table): string =>
  `conversation-${below(Math.max(1, size / CONVERSATION_SIZE))}`

async function insertOne({ things, size, nextId }: Table): Promise<boolean> {
  return (await things.insertOne(thing(nextId(), size))).acknowledged
}

async function insertMany({ things, size, nextId }: Table): Promise<boolean> {
  const batch = Array.from({ length: BATCH }, () => thing(nextId(), size))
  return (await things.insertMany(batch)).insertedCount === BATCH
}

async function findById({ things, below, size }: Table): Promise<boolean> {
  return (await things.findOne({ _id: below(size) })) !== null
}

async function findPage(table: Table): Promise<boolean> {
  const page = table.things.find({ conversation: conversation(table) })
  return (await page.sort({ rev: -1 }).limit(50).toArray()).length === 50
}

async function findOneAndUpdate(table: Table): Promise<boolean> {
  const found = await table.things.findOneAndUpdate(
    { conversation: conversation(table), rev: table.below(CONVERSATION_SIZE) },
    { $set: { state: 'read' }, $inc: { seen: 1 } },
    { returnDocument: 'after' },
  )
  return found !== null
}

async function updateOne({ things, below, size }: Table): Promise<boolean> {
  return (await things.updateOne({ _id: below(size) }, { $inc: { seen: 1 } })).modifiedCount === 1
}

async function bulkWrite({ things, below, size }: Table): Promise<boolean> {
  const updates = Array.from(
    { length: BATCH },
    (): AnyBulkWriteOperation<Thing> => ({
      updateOne: { filter: { _id: below(size) }, update: { $inc: { seen: 1 } } },
    }),
  )
  return (await things.bulkWrite(updates)).matchedCount === BATCH
}

async function countByIndex(table: Table): Promise<boolean> {
  return (await table.things.countDocuments({ conversation: conversation(table) })) >= CONVERSATION_SIZE
}

async function group({ things, below, size }: Table): Promise<boolean> {
  const groups = await things
    .aggregate([
      { $match: { bucket: below(Math.max(1, size / BUCKET_SIZE)) } },
      { $group: { _id: '$from', messages: { $sum: 1 }, last: { $max: '$at' }, seen: { $avg: '$seen' } } },
    ])
    .toArray()
  return groups.length === 7
}

export const OPERATIONS: readonly Operation[] = [
  { name: 'insertOne', run: insertOne, atOnce: 1, calls: 1000, scales: true },
  { name: 'insertOne, 16 writers', run: insertOne, atOnce: 16, calls: 3000, scales: true },
  { name: 'insertMany of 500', run: insertMany, atOnce: 1, calls: 12, scales: true },
  { name: 'findOne by id', run: findById, atOnce: 1, calls: 3000, scales: true },
  { name: 'find, sorted, limit 50', run: findPage, atOnce: 1, calls: 1500, scales: true },
  { name: 'findOneAndUpdate', run: findOneAndUpdate, atOnce: 1, calls: 1000, scales: true },
  { name: 'updateOne by id', run: updateOne, atOnce: 1, calls: 1000, scales: true },
  { name: 'bulkWrite of 500', run: bulkWrite, atOnce: 1, calls: 12, scales: true },
  { name: 'count by index', run: countByIndex, atOnce: 1, calls: 1500, scales: true },
  { name: 'group over 10,000', run: group, atOnce: 1, calls: 30, scales: false },
]
