import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf, openTestStore, type TestStore } from './support/embedded.ts'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

describe('cursors', () => {
  it('hand out everything in batches, and can be killed', async () => {
    const many = store.db.collection<{ _id: number }>('many')
    await many.insertMany(Array.from({ length: 1000 }, (_, i) => ({ _id: i })))
    const cursor = many.find().batchSize(70).sort({ _id: 1 })
    const ids: number[] = []
    for await (const { _id } of cursor) ids.push(_id)
    expect(ids).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    const left = many.find().batchSize(10)
    await left.next()
    expect(store.serving.engine.cursors.count).toBe(1)
    await left.close()
    expect(store.serving.engine.cursors.count).toBe(0)
    expect(
      await failureOf(store.db.command({ getMore: BigInt(1234) as never, collection: 'many' })),
    ).toMatchObject({ code: 43 })
    expect(await many.find().skip(990).limit(5).toArray()).toHaveLength(5)
    expect(await many.find({}, { batchSize: 0 }).limit(3).toArray()).toHaveLength(3)
  })

  it('show one moment, whatever is written meanwhile', async () => {
    const moment = store.db.collection<{ _id: number }>('moment')
    await moment.insertMany(Array.from({ length: 300 }, (_, i) => ({ _id: i })))
    const cursor = moment.find().batchSize(50)
    await cursor.next()
    await moment.deleteMany({})
    expect(await cursor.toArray()).toHaveLength(299)
  })
})

describe('projections', () => {
  const document = {
    _id: 1 as never,
    a: 1,
    b: { c: 2, d: 3 },
    e: [
      { f: 1, g: 2 },
      { f: 3, g: 4 },
    ],
    h: [1, 2, 3, 4],
  }
  const cases: [string, object, object][] = [
    ['inclusion', { a: 1 }, { _id: 1, a: 1 }],
    ['without the _id', { a: 1, _id: 0 }, { a: 1 }],
    ['exclusion', { b: 0, e: 0, h: 0 }, { _id: 1, a: 1 }],
    ['inside documents and arrays', { 'b.c': 1, 'e.g': 1 }, { _id: 1, b: { c: 2 }, e: [{ g: 2 }, { g: 4 }] }],
    ['nested notation', { b: { d: 1 } }, { _id: 1, b: { d: 3 } }],
    ['$slice', { h: { $slice: [1, 2] }, b: 0, e: 0 }, { _id: 1, a: 1, h: [2, 3] }],
    ['$elemMatch', { e: { $elemMatch: { f: { $gt: 1 } } } }, { _id: 1, e: [{ f: 3, g: 4 }] }],
    ['expressions', { sum: { $add: ['$a', '$b.c'] } }, { _id: 1, sum: 3 }],
  ]
  it.each(cases)('%s', async (_name, projection, expected) => {
    const projected = store.db.collection('projected')
    await projected.updateOne(
      { _id: document._id },
      { $set: { ...document, _id: undefined } },
      { upsert: true, ignoreUndefined: true },
    )
    expect(await projected.findOne({ a: 1 }, { projection })).toEqual(expected)
  })

  it('gives the matched item for $', async () => {
    const found = await store.db.collection('projected').findOne({ 'e.f': 3 }, { projection: { 'e.$': 1 } })
    expect(found).toEqual({ _id: 1, e: [{ f: 3, g: 4 }] })
    expect(
      await failureOf(store.db.collection('projected').findOne({}, { projection: { a: 1, b: 0 } })),
    ).toMatchObject({ code: 31254 })
  })
})

describe('pipelines', () => {
  beforeAll(async () => {
    await store.db.collection('orders').insertMany([
      { _id: 1 as never, customer: 'ada', total: 10, items: ['x', 'y'] },
      { _id: 2 as never, customer: 'bo', total: 5, items: ['x'] },
      { _id: 3 as never, customer: 'ada', total: 7, items: [] },
    ])
    await store.db.collection('customers').insertMany([
      { _id: 'ada' as never, city: 'Oslo' },
      { _id: 'bo' as never, city: 'Turin' },
    ])
  })

  const run = (pipeline: object[]) => store.db.collection('orders').aggregate(pipeline).toArray()

  it('group, sort and count', async () => {
    const grouped = await run([
      {
        $group: {
          _id: '$customer',
          sum: { $sum: '$total' },
          mean: { $avg: '$total' },
          most: { $max: '$total' },
          n: { $count: {} },
        },
      },
      { $sort: { sum: -1 } },
    ])
    expect(grouped).toEqual([
      { _id: 'ada', sum: 17, mean: 8.5, most: 10, n: 2 },
      { _id: 'bo', sum: 5, mean: 5, most: 5, n: 1 },
    ])
    expect(await run([{ $match: { total: { $gte: 7 } } }, { $count: 'n' }])).toEqual([{ n: 2 }])
    expect(await run([{ $unwind: '$items' }, { $sortByCount: '$items' }])).toEqual([
      { _id: 'x', count: 2 },
      { _id: 'y', count: 1 },
    ])
  })

  it('join, by field and by pipeline', async () => {
    const joined = await run([
      { $lookup: { from: 'customers', localField: 'customer', foreignField: '_id', as: 'who' } },
      { $unwind: '$who' },
      { $sort: { _id: 1 } },
      { $project: { city: '$who.city' } },
    ])
    expect(joined.map((each) => each.city)).toEqual(['Oslo', 'Turin', 'Oslo'])
    const [first] = await run([
      {
        $lookup: {
          from: 'customers',
          let: { name: '$customer' },
          pipeline: [{ $match: { $expr: { $eq: ['$_id', '$$name'] } } }],
          as: 'who',
        },
      },
    ])
    expect(first?.who).toEqual([{ _id: 'ada', city: 'Oslo' }])
  })

  it('facet, union, merge and out', async () => {
    const [facets] = await run([
      {
        $facet: {
          count: [{ $count: 'n' }],
          top: [{ $sort: { total: -1 } }, { $limit: 1 }, { $project: { total: 1 } }],
        },
      },
    ])
    expect(facets).toEqual({ count: [{ n: 3 }], top: [{ _id: 1, total: 10 }] })
    expect(await run([{ $unionWith: 'customers' }, { $count: 'n' }])).toEqual([{ n: 5 }])
    await run([
      { $group: { _id: '$customer', spent: { $sum: '$total' } } },
      { $merge: { into: 'customers' } },
    ])
    expect(await store.db.collection('customers').findOne({ city: 'Oslo' })).toEqual({
      _id: 'ada',
      city: 'Oslo',
      spent: 17,
    })
    await run([{ $match: { total: { $gt: 6 } } }, { $out: 'great' }])
    expect(await store.db.collection('great').countDocuments()).toBe(2)
  })

  it('use an index for what comes first', async () => {
    await store.db.collection('orders').createIndex({ customer: 1, total: -1 })
    const explained = await store.db
      .collection('orders')
      .aggregate([{ $match: { customer: 'ada' } }, { $sort: { total: -1 } }, { $limit: 1 }])
      .explain()
    expect(JSON.stringify(explained)).toContain('"indexName":"customer_1_total_-1"')
  })
})

describe('administration', () => {
  it('lists, renames, drops and describes', async () => {
    const db = store.client.db('other')
    await db.createCollection('a')
    expect(await failureOf(db.createCollection('a'))).toMatchObject({ code: 48 })
    await db.collection('a').insertOne({ x: 1 })
    await db.collection('a').rename('b')
    expect((await db.listCollections({}, { nameOnly: true }).toArray()).map((each) => each.name)).toEqual([
      'b',
    ])
    expect((await db.admin().listDatabases()).databases.map((each) => each.name)).toContain('other')
    expect(await db.stats()).toMatchObject({ collections: 1, objects: 1 })
    expect(await db.collection('b').estimatedDocumentCount()).toBe(1)
    expect(await db.collection('b').distinct('x')).toEqual([1])
    await db.dropDatabase()
    expect(await db.listCollections().toArray()).toEqual([])
    expect(await db.admin().buildInfo()).toMatchObject({ version: '7.0.0' })
    expect(await db.admin().serverStatus()).toMatchObject({ ok: 1 })
  })
})
