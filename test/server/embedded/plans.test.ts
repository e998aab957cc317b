import { BSON, type Collection, type CreateIndexesOptions, type IndexDirection } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentOf } from '../../../server/embedded/bson/raw.ts'
import { parseSort, sortKey } from '../../../server/embedded/query/sort.ts'
import { openTestStore, type TestStore } from './support/embedded.ts'
import { Random } from './support/random.ts'

/*
 * Whatever index is used, the answer is that of reading every document: random documents, indexes, filters and sorts
 * of a small world, in which null, missing, empty arrays, arrays in arrays and NaN are frequent.
 */
const SEEDS = Number(process.env.PLANS_SEEDS ?? 12)
const FIRST_SEED = Number(process.env.PLANS_FIRST_SEED ?? 1)
const QUESTIONS = 60
const PATHS = ['a', 'b', 'a.x', 'a.y', 'b.x', 'a.0', 'a.x.z', '_id']

type Key = Record<string, IndexDirection>
type Thing = { _id: number } & Record<string, unknown>

function scalar(random: Random): unknown {
  return random.pick([0, 1, 2, 2.5, 3, 'p', 'pq', 'q', '', null, Number.NaN, true, new Date(5), new Date(9)])
}

function value(random: Random, depth = 0): unknown {
  if (depth < 3 && random.chance(0.3)) return random.times(random.below(4), () => value(random, depth + 1))
  if (depth < 2 && random.chance(0.35)) return fields(random, ['x', 'y', 'z'], depth + 1)
  return scalar(random)
}

const fields = (random: Random, names: string[], depth: number): Record<string, unknown> =>
  Object.fromEntries(names.filter(() => random.chance(0.6)).map((name) => [name, value(random, depth)]))

function comparison(random: Random): unknown {
  switch (random.below(12)) {
    case 0:
      return { $gt: scalar(random) }
    case 1:
      return { $gte: scalar(random), $lt: scalar(random) }
    case 2:
      return { $lte: scalar(random) }
    case 3:
      return { $in: random.times(random.below(4), () => (random.chance(0.1) ? /^p/ : scalar(random))) }
    case 4:
      return { $exists: random.chance(0.6) }
    case 5:
      return { $type: random.pick(['number', 'string', 'null', 'array', 'object', 'date']) }
    case 6:
      return { $regex: random.pick(['^p', '^', '^pq', 'q$']) }
    case 7:
      return { $elemMatch: random.chance(0.5) ? { $gte: random.below(3), $lt: 3 } : { $gt: 'p' } }
    case 8:
      return { $elemMatch: { x: comparisonOrValue(random), y: comparisonOrValue(random) } }
    case 9:
      return { $elemMatch: { x: { $gte: random.below(2), $lte: 2 } } }
    case 10:
      return { $ne: scalar(random) }
    default:
      return { $all: [scalar(random), scalar(random)] }
  }
}

const comparisonOrValue = (random: Random): unknown =>
  random.chance(0.5) ? scalar(random) : comparison(random)

function filter(random: Random, depth = 0): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  for (let i = 0; i < 1 + random.below(2); i++) made[random.pick(PATHS)] = comparisonOrValue(random)
  if (depth === 0 && random.chance(0.3))
    made[random.pick(['$or', '$and', '$nor'])] = random.times(1 + random.below(2), () => filter(random, 1))
  return made
}

const pattern = (random: Random): Key =>
  Object.fromEntries(
    random.times(1 + random.below(3), () => [random.pick(PATHS), random.pick([1, -1] as const)]),
  )

function options(random: Random): CreateIndexesOptions {
  if (random.chance(0.25)) return { sparse: true }
  if (!random.chance(0.25)) return {}
  return {
    partialFilterExpression: random.pick([
      { a: { $exists: true } },
      { b: { $gt: 0 } },
      { b: { $in: ['p', 1] } },
    ]),
  }
}

describe('an index changes nothing in the answer', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await openTestStore()
  })
  afterAll(() => store.close())

  async function indexed(random: Random, name: string): Promise<Collection<Thing>> {
    const things = store.db.collection<Thing>(name)
    const arrays = random.chance(0.7)
    const made = random.times(90, (i) => ({
      _id: i,
      ...(arrays
        ? fields(random, ['a', 'b'], 0)
        : {
            a: scalar(random),
            b: scalar(random),
            ...(random.chance(0.5) ? { a: { x: scalar(random) } } : {}),
          }),
    }))
    await things.insertMany(made.slice(0, 45))
    // Half of the documents are there before the indexes, half come after. Parallel arrays are refused, and stay out.
    for (let i = 0; i < 4; i++) {
      const key = pattern(random)
      await things.createIndex(key, { ...options(random), name: `i${i}` }).catch(ignoreRefusal)
    }
    await things.insertMany(made.slice(45), { ordered: false }).catch(ignoreRefusal)
    for (let i = 0; i < 20; i++) {
      const update = { $set: { [random.pick(['a', 'b'])]: value(random) } }
      await things.updateOne({ _id: random.below(90) }, update).catch(ignoreRefusal)
    }
    await things.deleteMany({ _id: { $gte: 80, $lt: 84 } })
    return things
  }

  const ids = (found: BSON.Document[]): unknown[] => found.map(({ _id }) => _id)
  const inOrder = (found: BSON.Document[], sort: Key): string[] =>
    found.map((each) =>
      sortKey(
        documentOf(Buffer.from(BSON.serialize(each))),
        parseSort(documentOf(Buffer.from(BSON.serialize(sort)))),
      ).toString('hex'),
    )

  it.each(Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i))('seed %i', async (seed) => {
    const random = new Random(seed)
    const things = await indexed(random, `t${seed}`)
    const indexes = (await things.indexes()).map(({ name = '', sparse, partialFilterExpression }) => ({
      name,
      whole: !sparse && !partialFilterExpression,
    }))
    for (let i = 0; i < QUESTIONS; i++) {
      const asked = filter(random)
      const sort = pattern(random)
      const limit = 1 + random.below(30)
      const about = JSON.stringify({ seed, i, asked, sort, limit })
      const scanned = await things.find(asked).hint({ $natural: 1 }).toArray()
      const truth = new Set(ids(scanned))
      for (const hint of [undefined, ...indexes.filter(({ whole }) => whole).map(({ name }) => name)]) {
        const by = `${about} by ${hint}`
        const hinted = hint === undefined ? {} : { hint }
        const found = ids(await things.find(asked, hinted).toArray())
        expect(found.length, by).toBe(truth.size)
        expect(new Set(found), by).toEqual(truth)
        expect(await things.countDocuments(asked, hinted), by).toBe(truth.size)
        expect(
          await store.db.command({ count: things.collectionName, query: asked, ...hinted }),
          by,
        ).toMatchObject({
          n: truth.size,
        })
        const sorted = await things
          .find(asked, hinted)
          .sort(sort as never)
          .skip(3)
          .limit(limit)
          .toArray()
        const reference = await things
          .find(asked)
          .hint({ $natural: 1 })
          .sort(sort as never)
          .skip(3)
          .limit(limit)
          .toArray()
        expect(inOrder(sorted, sort), by).toEqual(inOrder(reference, sort))
      }
    }
  })
})

function ignoreRefusal(error: { code?: number }): void {
  // Parallel arrays, a name that is a position and a field, and an index that is there by another name.
  if (![171, 16746, 85].includes(error.code ?? 0)) throw error
}
