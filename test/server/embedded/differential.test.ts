import { BSON, type Collection, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestStore, type TestStore } from './support/embedded.ts'
import { Random } from './support/random.ts'
import * as make from './support/random-commands.ts'

const oracleUri = process.env.MONGODB_URI
const SEEDS = Number(process.env.DIFFERENTIAL_SEEDS ?? 6)
const FIRST_SEED = Number(process.env.DIFFERENTIAL_FIRST_SEED ?? 1)
const STEPS = 50

if (!oracleUri) {
  console.log(
    'differential.test.ts compares with a MongoDB-compatible server and needs its address: MONGODB_URI=mongodb://127.0.0.1:27018/?directConnection=true (tools/mongo-server/start gives one)',
  )
}

type Answer = { value: unknown } | { code: number; message: string }
type Things = Collection<{ _id: number }>

const sortedKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (value === null || typeof value !== 'object') return value
  const plain = value as Record<string, unknown>
  return Object.fromEntries(
    Object.keys(plain)
      .sort()
      .map((name) => [name, sortedKeys(plain[name])]),
  )
}
const text = (value: unknown, relaxed = false): string =>
  JSON.stringify(sortedKeys(BSON.EJSON.serialize(value as BSON.Document, { relaxed })))
const asSet = (values: unknown[], relaxed = false): string[] =>
  values.map((each) => text(each, relaxed)).sort()

/**
 * Differences that are the other server's: DocumentDB accepts indexes over parallel arrays and arithmetic on
 * booleans, makes empty documents for operators that only take away, lets `$setOnInsert` meet another operator,
 * sorts an empty array with null, and now and then cannot build an index. MongoDB's manual says what ours does.
 */
function isTheirs(kind: string, described: string, ours: Answer, theirs: Answer): boolean {
  const ourCode = 'code' in ours ? ours.code : 0
  const theirCode = 'code' in theirs ? theirs.code : 0
  return (
    ourCode === 171 ||
    (ourCode === 14 && 'message' in ours && ours.message.includes('bool')) ||
    (ourCode === 40 && described.includes('$setOnInsert')) ||
    theirCode === 8 ||
    theirCode === 9 ||
    theirCode > 100_000 ||
    (kind === 'upsert' && /pull|pop|rename|unset/i.test(described)) ||
    (kind === 'update' && theirCode === 28 && /\$pop|\$rename|\$unset/.test(described)) ||
    (kind === 'update' &&
      'value' in theirs &&
      /\$(pull|pop|rename|unset)/.test(described) &&
      text(theirs.value).includes('{}')) ||
    (ourCode === 14 && theirCode === 2 && described.includes('$pop')) ||
    (kind === 'aggregate' && described.includes('$type')) ||
    ('value' in ours && text(ours.value).includes('[]'))
  )
}

describe.runIf(oracleUri)('the embedded store and another server', () => {
  let store: TestStore
  let oracle: MongoClient

  beforeAll(async () => {
    const client = { promoteValues: false, promoteLongs: false }
    store = await openTestStore({ client })
    oracle = await new MongoClient(oracleUri ?? '', client).connect()
  })
  afterAll(async () => {
    await oracle.db('differential').dropDatabase()
    await oracle.close()
    await store.close()
  })

  it.each(Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i))('answer alike (seed %i)', async (seed) => {
    const random = new Random(seed)
    const ours: Things = store.db.collection(`d${seed}`)
    const theirs: Things = oracle.db('differential').collection(`d${seed}_${process.pid}`)
    const differences: string[] = []
    const both = async (kind: string, described: unknown, call: (things: Things) => Promise<unknown>) => {
      const [a, b] = await Promise.all([ours, theirs].map((things) => answerOf(call(things))))
      if (!a || !b || same(a, b)) return
      if (!isTheirs(kind, text(described), a, b))
        differences.push(`${kind} ${text(described)}\n  ours   ${show(a)}\n  theirs ${show(b)}`)
      await align(ours, theirs)
    }
    let id = 0
    const documents = random.times(20, () => make.document(random, id++) as { _id: number })
    await both('insert', documents.length, (things) => things.insertMany(documents))
    for (let step = 0; step < STEPS; step++) await runStep(random, step, () => id++, both)
    expect(differences).toEqual([])
  })
})

type Both = (kind: string, described: unknown, call: (things: Things) => Promise<unknown>) => Promise<void>

async function runStep(random: Random, step: number, nextId: () => number, both: Both): Promise<void> {
  const filter = make.filter(random)
  const update = make.update(random)
  const sort = make.sort(random)
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
      return both('find', { filter, sort }, (things) => things.find(filter).sort(sort).toArray())
    case 3: {
      const projection = make.projection(random)
      return both('project', projection, (things) =>
        things.find({}).sort({ _id: 1 }).project(projection).toArray(),
      )
    }
    case 4:
    case 5: {
      const _id = random.below(20)
      return both('update', { _id, update }, async (things) => {
        await things.updateOne({ _id }, update)
        return things.findOne({ _id })
      })
    }
    case 6: {
      const _id = 1000 + step
      return both('upsert', { filter, update }, async (things) => {
        try {
          await things.updateOne({ $and: [filter, { _id }] }, update, { upsert: true })
          return await things.findOne({ _id })
        } finally {
          await things.deleteOne({ _id })
        }
      })
    }
    case 7: {
      const pipeline = make.pipeline(random)
      // A difference of our own, known: what a pipeline gives keeps a number's value, and not always its type.
      return both('aggregate', pipeline, async (things) =>
        asSet(await things.aggregate(pipeline).toArray(), true),
      )
    }
    default: {
      if (random.chance(0.4)) {
        const { key, ...options } = make.index(random)
        return both('index', { key, options }, (things) => things.createIndex(key, options).then(() => 1))
      }
      const document = make.document(random, nextId()) as { _id: number }
      return both('insert', document, (things) => things.insertOne(document).then(() => 1))
    }
  }
}

async function answerOf(call: Promise<unknown>): Promise<Answer> {
  try {
    return { value: await call }
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown }
    return { code: Number(code ?? -1), message }
  }
}

const same = (a: Answer, b: Answer): boolean =>
  'code' in a || 'code' in b
    ? 'code' in a && 'code' in b && a.code === b.code
    : text(a.value) === text(b.value)

const show = (answer: Answer): string =>
  ('code' in answer ? `${answer.code} ${answer.message}` : text(answer.value)).slice(0, 1500)

/** After a difference both hold what theirs holds, so that one is not counted again. */
async function align(ours: Things, theirs: Things): Promise<void> {
  const documents = await theirs.find().toArray()
  await ours.deleteMany({})
  for (const document of documents)
    await ours.insertOne(document).catch(() => theirs.deleteOne({ _id: document._id }))
}
