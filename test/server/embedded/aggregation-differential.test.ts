import { BSON, type Db, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestStore, type TestStore } from './support/embedded.ts'
import { Random } from './support/random.ts'
import { pipeline } from './support/random-pipelines.ts'
import { document } from './support/random-typed-documents.ts'
import { type Answer, isLost, theirFault } from './support/their-faults.ts'

/*
 * The same random pipelines on the embedded store and on another server: every answer alike, the type of every
 * number included. Endless on demand: AGGREGATION_SEEDS says how many seeds of 50 pipelines, and
 * AGGREGATION_FIRST_SEED with which to begin.
 */

const oracleUri = process.env.MONGODB_URI
const SEEDS = Number(process.env.AGGREGATION_SEEDS ?? 6)
const FIRST_SEED = Number(process.env.AGGREGATION_FIRST_SEED ?? 1)
const PIPELINES = 50
const DOCUMENTS = 12

if (!oracleUri) {
  console.log(
    'aggregation-differential.test.ts compares with a MongoDB-compatible server and needs its address: MONGODB_URI=mongodb://127.0.0.1:27018/?directConnection=true',
  )
}

describe.runIf(oracleUri)('pipelines on the embedded store and on another server', () => {
  let store: TestStore
  let oracle: MongoClient

  beforeAll(async () => {
    const client = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true }
    store = await openTestStore({ client })
    oracle = await new MongoClient(oracleUri ?? '', client).connect()
  })
  afterAll(async () => {
    await oracle.db(`aggregation_${process.pid}`).dropDatabase()
    await oracle.close()
    await store.close()
  })

  it.each(Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i))('answer alike (seed %i)', async (seed) => {
    const random = new Random(seed)
    const databases = [store.db, oracle.db(`aggregation_${process.pid}`)]
    const documents = random.times(DOCUMENTS, (i) => document(random, i))
    const others = random.times(DOCUMENTS, (i) => document(random, i))
    for (const database of databases) {
      await database.collection<object>(`a${seed}`).insertMany(documents)
      await database.collection<object>(`b${seed}`).insertMany(others)
    }
    const differences: string[] = []
    for (let i = 0; i < PIPELINES; i++) {
      const stages = named(pipeline(random), `b${seed}`) as object[]
      const [ours, theirs] = await Promise.all(databases.map((database) => run(database, `a${seed}`, stages)))
      if (!ours || !theirs || isLost(theirs)) break
      if (same(ours, theirs)) continue
      const described = text(stages)
      if (theirFault(described, ours, theirs)) continue
      differences.push(`${described}\n${difference(ours, theirs)}`)
    }
    for (const database of databases) {
      await database.collection(`a${seed}`).drop()
      await database.collection(`b${seed}`).drop()
    }
    expect(differences).toEqual([])
  })
})

/** The pipeline with the other collection's name in it. */
function named(value: unknown, other: string): unknown {
  if (value === 'OTHER') return other
  if (Array.isArray(value)) return value.map((item) => named(item, other))
  if (value === null || typeof value !== 'object' || value.constructor !== Object) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, named(each, other)]))
}

async function run(database: Db, collection: string, stages: object[]): Promise<Answer> {
  try {
    const documents = await database.collection(collection).aggregate(stages).toArray()
    return { documents: documents.map(text).sort() }
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown }
    return { code: Number(code ?? -1), message }
  }
}

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

const text = (value: unknown): string =>
  JSON.stringify(sortedKeys(BSON.EJSON.serialize(value as object, { relaxed: false })))

const same = (a: Answer, b: Answer): boolean =>
  'code' in a || 'code' in b
    ? 'code' in a && 'code' in b && a.code === b.code
    : a.documents.join() === b.documents.join()

/** The first document that one has and the other has not. */
function difference(ours: Answer, theirs: Answer): string {
  const shown = (answer: Answer, other: Answer): string => {
    if ('code' in answer) return `${answer.code} ${answer.message}`
    const known = new Set('code' in other ? [] : other.documents)
    return (answer.documents.find((each) => !known.has(each)) ?? '').slice(0, 700)
  }
  return `  ours   ${shown(ours, theirs)}\n  theirs ${shown(theirs, ours)}`
}
