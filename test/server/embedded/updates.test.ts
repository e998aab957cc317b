import { Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf, openTestStore, type TestStore } from './support/embedded.ts'

let store: TestStore
let made = 0

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

/** A collection with one document, updated once; answers the document. */
async function updated(
  before: object,
  update: object,
  options: { filter?: object; arrayFilters?: object[] } = {},
) {
  const collection = store.db.collection<{ _id: number }>(`updates${made++}`)
  await collection.insertOne({ _id: 1, ...before })
  const { filter = { _id: 1 }, ...rest } = options
  await collection.updateOne(filter, update, rest)
  const { _id, ...after } = (await collection.findOne({ _id: 1 })) ?? { _id: 0 }
  return after
}

describe('operators', () => {
  const cases: [string, object, object, object, object?][] = [
    [
      '$set goes into documents and makes them',
      { a: { b: 1 } },
      { $set: { 'a.c': 2, 'd.e': 3 } },
      { a: { b: 1, c: 2 }, d: { e: 3 } },
    ],
    [
      '$unset takes away; in an array it leaves null',
      { a: 1, b: [1, 2] },
      { $unset: { a: '', 'b.0': '' } },
      { b: [null, 2] },
    ],
    [
      '$inc and $mul',
      { a: 1, b: 2 },
      { $inc: { a: 2, c: 5 }, $mul: { b: 3, d: 4 } },
      { a: 3, b: 6, c: 5, d: 0 },
    ],
    [
      '$min and $max across types',
      { a: 5, b: 'x' },
      { $min: { a: 3, b: 7 }, $max: { c: 1 } },
      { a: 3, b: 7, c: 1 },
    ],
    ['$rename', { a: 1, b: { c: 2 } }, { $rename: { a: 'z', 'b.c': 'y' } }, { b: {}, y: 2, z: 1 }],
    [
      '$push with modifiers',
      { a: [3, 1] },
      { $push: { a: { $each: [2, 5], $position: 0, $sort: -1, $slice: 3 } } },
      { a: [5, 3, 2] },
    ],
    [
      '$push sorted by a field',
      { a: [{ n: 2 }] },
      { $push: { a: { $each: [{ n: 1 }], $sort: { n: 1 } } } },
      { a: [{ n: 1 }, { n: 2 }] },
    ],
    [
      '$addToSet',
      { a: [1] },
      { $addToSet: { a: { $each: [1, 2, 2] }, b: { x: 1 } } },
      { a: [1, 2], b: [{ x: 1 }] },
    ],
    ['$pop', { a: [1, 2, 3], b: [1, 2, 3] }, { $pop: { a: 1, b: -1 } }, { a: [1, 2], b: [2, 3] }],
    [
      '$pull by value, condition and document',
      { a: [1, 2, 3], b: [{ x: 1, y: 2 }, { x: 2 }], c: ['ab', 'c'] },
      { $pull: { a: { $gte: 2 }, b: { x: 1 }, c: /^a/ } },
      { a: [1], b: [{ x: 2 }], c: ['c'] },
    ],
    ['$pullAll', { a: [1, 2, 1, 3] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
    ['$bit', { a: 13, b: 1 }, { $bit: { a: { and: 10 }, b: { or: 4 } } }, { a: 8, b: 5 }],
    [
      'positional $',
      {
        a: [
          { k: 1, v: 0 },
          { k: 2, v: 0 },
        ],
      },
      { $set: { 'a.$.v': 9 } },
      {
        a: [
          { k: 1, v: 0 },
          { k: 2, v: 9 },
        ],
      },
      { filter: { 'a.k': 2 } },
    ],
    [
      'positional $ by $elemMatch',
      { a: [1, 5, 9] },
      { $inc: { 'a.$': 1 } },
      { a: [1, 6, 9] },
      { filter: { a: { $elemMatch: { $gt: 2, $lt: 7 } } } },
    ],
    [
      '$[] and $[name]',
      { a: [{ g: [1, 5] }, { g: [6] }] },
      { $inc: { 'a.$[].g.$[big]': 10 } },
      { a: [{ g: [1, 15] }, { g: [16] }] },
      { arrayFilters: [{ big: { $gte: 5 } }] },
    ],
    [
      'new fields come in the order of their names',
      {},
      { $set: { b: 1, a: 2, 'c.10': 1, 'c.9': 2 } },
      { a: 2, b: 1, c: { '9': 2, '10': 1 } },
    ],
  ]
  it.each(cases)('%s', async (_name, before, update, after, options = {}) => {
    expect(JSON.stringify(await updated(before, update, options))).toBe(JSON.stringify(after))
  })

  it('by pipeline, with the time', async () => {
    const after = await updated({ a: 2, b: Long.fromNumber(7) }, [
      { $set: { c: { $add: ['$a', 1] }, at: '$$NOW' } },
      { $unset: 'a' },
    ] as never)
    expect(after).toMatchObject({ c: 3, b: 7, at: expect.any(Date) })
    expect(after).not.toHaveProperty('a')
  })

  const refused: [string, object, object, number][] = [
    ['two changes in one place', { a: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }, 40],
    ['a change inside another', { a: {} }, { $set: { a: 1, 'a.b': 1 } }, 40],
    ['another _id', {}, { $set: { _id: 2 } }, 66],
    ['a path through a number', { a: 1 }, { $set: { 'a.b': 1 } }, 28],
    ['$inc of a string', { a: 'x' }, { $inc: { a: 1 } }, 14],
    ['$push to a number', { a: 1 }, { $push: { a: 1 } }, 2],
    ['an unknown operator', {}, { $frob: { a: 1 } }, 9],
    ['an empty name', {}, { $set: { 'a..b': 1 } }, 56],
    ['$ without a match', { a: [1] }, { $set: { 'a.$': 1 } }, 2],
    ['an overflow', { a: Long.MAX_VALUE }, { $inc: { a: 1 } }, 2],
  ]
  it.each(refused)('refuses %s', async (_name, before, update, code) => {
    expect(await failureOf(updated(before, update))).toMatchObject({ code })
  })
})

describe('types', () => {
  it('keeps what an update does not touch to the bit', async () => {
    const raw = store.client.db(undefined, { promoteValues: false }).collection<{ _id: number }>('bits')
    const whole = {
      _id: 1,
      int: new Int32(1),
      double: new Double(1),
      long: Long.fromNumber(1),
      decimal: Decimal128.fromString('1.00'),
      zero: new Double(-0),
    }
    await raw.insertOne(whole as never)
    await raw.updateOne({ _id: 1 }, { $set: { other: 1 } })
    await raw.updateOne({ _id: 1 }, [{ $set: { more: { $add: ['$int', 1] } } }])
    const after = (await raw.findOne({ _id: 1 })) as unknown as typeof whole
    expect(after.double).toBeInstanceOf(Double)
    expect(after.long).toBeInstanceOf(Long)
    expect(after.int).toBeInstanceOf(Int32)
    expect(String(after.decimal)).toBe('1.00')
    expect(Object.is(after.zero.value, -0)).toBe(true)
  })

  it('widens numbers as they grow', async () => {
    const raw = store.client.db(undefined, { promoteValues: false }).collection<{ _id: number }>('widths')
    await raw.insertOne({ _id: 1, a: 2147483647, b: 1, c: 1, d: Decimal128.fromString('0.1') } as never)
    await raw.updateOne({ _id: 1 }, {
      $inc: { a: 1, b: 0.5, c: Long.fromNumber(1), d: Decimal128.fromString('0.2') },
    } as never)
    const after = (await raw.findOne({ _id: 1 })) as unknown as Record<string, { constructor: unknown }>
    expect(['a', 'b', 'c', 'd'].map((name) => after[name]?.constructor)).toEqual([
      Long,
      Double,
      Long,
      Decimal128,
    ])
    expect(String(after.d)).toBe('0.3')
  })
})

describe('upserts', () => {
  it('start from the equalities of the filter', async () => {
    const collection = store.db.collection('upserts')
    const filter = { a: 1, 'b.c': { $eq: 2 }, $and: [{ d: 3 }], e: { $gt: 4 } }
    const result = await collection.updateOne(
      filter,
      { $set: { f: 5 }, $setOnInsert: { g: 6 } },
      { upsert: true },
    )
    expect(result).toMatchObject({ matchedCount: 0, upsertedCount: 1, upsertedId: expect.any(ObjectId) })
    expect(await collection.findOne({ a: 1 }, { projection: { _id: 0 } })).toEqual({
      a: 1,
      b: { c: 2 },
      d: 3,
      f: 5,
      g: 6,
    })
    await collection.updateOne({ a: 1 }, { $setOnInsert: { g: 7 } }, { upsert: true })
    expect(await collection.findOne({ a: 1 })).toMatchObject({ g: 6 })
  })

  it('take only the _id of a filter into a replacement', async () => {
    const collection = store.db.collection<{ _id: number | string; a?: number }>('replacements')
    await collection.replaceOne({ _id: 7, a: 1 }, { a: 2 }, { upsert: true })
    expect(await collection.find().toArray()).toEqual([{ _id: 7, a: 2 }])
    expect(await failureOf(collection.updateOne({ _id: 7 }, { $set: { _id: 8 } }))).toMatchObject({
      code: 66,
    })
  })

  it('answer findAndModify in every form', async () => {
    const collection = store.db.collection<{ _id: number; a?: number; b?: number }>('modified')
    expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { a: 1 } })).toBeNull()
    expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { a: 1 } }, { upsert: true })).toBeNull()
    expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { a: 1 } })).toEqual({ _id: 1, a: 1 })
    const after = await collection.findOneAndUpdate(
      { _id: 1 },
      { $inc: { a: 1 } },
      { returnDocument: 'after', projection: { a: 1, _id: 0 } },
    )
    expect(after).toEqual({ a: 3 })
    await collection.insertOne({ _id: 2, a: 9 })
    expect(await collection.findOneAndDelete({}, { sort: { a: -1 } })).toEqual({ _id: 2, a: 9 })
    expect(await collection.findOneAndReplace({ _id: 1 }, { b: 1 }, { returnDocument: 'after' })).toEqual({
      _id: 1,
      b: 1,
    })
  })
})

describe('the clock', () => {
  it('gives timestamps that only grow, whatever the machine says, and across restarts', async () => {
    let now = 1_700_000_000_000
    const clocked = await openTestStore({ now: () => now })
    const collection = clocked.db.collection<{ _id: number; at: Timestamp }>('clock')
    await collection.insertOne({ _id: 1, at: new Timestamp({ t: 0, i: 0 }) })
    const seen: bigint[] = []
    const tick = async () => {
      await collection.updateOne({ _id: 1 }, { $currentDate: { at: { $type: 'timestamp' } } })
      const at = (await collection.findOne({ _id: 1 }))?.at
      seen.push(at ? BigInt(at.toString()) : 0n)
    }
    for (const jump of [0, 0, 5000, -3_600_000, 0, 10]) {
      now += jump
      await tick()
    }
    await clocked.serving.close()
    now -= 86_400_000
    const { serveEmbedded } = await import('../../../server/embedded/index.ts')
    const again = await serveEmbedded({ directory: clocked.directory, now: () => now })
    await tick()
    await clocked.client.close()
    await again.close()
    expect(seen[0]).toBeGreaterThan(0n)
    seen.forEach((at, i) => {
      if (i > 0) expect(at).toBeGreaterThan(seen[i - 1] ?? 0n)
    })
  })
})
