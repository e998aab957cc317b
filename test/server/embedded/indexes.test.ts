import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expireDocuments } from '../../../server/embedded/indexes/ttl.ts'
import { failureOf, openTestStore, type TestStore } from './support/embedded.ts'

let store: TestStore
let now = 1_700_000_000_000

beforeAll(async () => {
  store = await openTestStore({ now: () => now })
  const documents = Array.from({ length: 600 }, (_, i) => ({
    _id: i as never,
    conversation: i % 20,
    rev: i,
    state: i % 3 === 0 ? 'queued' : 'sent',
    labels: [`l${i % 5}`, `m${i % 7}`],
    name: `name${String(i).padStart(3, '0')}`,
  }))
  await store.db.collection('messages').insertMany(documents)
  await store.db
    .collection('messages')
    .createIndexes([
      { key: { conversation: 1, rev: -1 } },
      { key: { labels: 1 } },
      { key: { name: 1 }, unique: true },
      { key: { state: 1, rev: 1 }, partialFilterExpression: { state: 'queued' }, name: 'due' },
    ])
})
afterAll(() => store.close())

interface Plan {
  stage: string
  indexName?: string
  direction?: string
  inputStage?: Plan
  inputStages?: Plan[]
}

async function explained(filter: object, sort: Record<string, 1 | -1> = {}, limit = 0) {
  const explain = await store.db
    .collection('messages')
    .find(filter)
    .sort(sort)
    .limit(limit)
    .explain('executionStats')
  const stages: Plan[] = []
  const walk = (plan: Plan | undefined): void => {
    if (!plan) return
    stages.push(plan)
    walk(plan.inputStage)
    plan.inputStages?.forEach(walk)
  }
  walk(explain.queryPlanner.winningPlan)
  return {
    stages: stages.map((plan) => plan.stage),
    index: stages.find((plan) => plan.stage === 'IXSCAN')?.indexName,
    examined: explain.executionStats.totalDocsExamined as number,
    found: explain.executionStats.nReturned as number,
  }
}

describe('plans', () => {
  it('reads a page of a conversation backwards or forwards, and no more than the page', async () => {
    for (const direction of [1, -1] as const) {
      const { stages, index, examined } = await explained({ conversation: 3 }, { rev: direction }, 5)
      expect(stages).toEqual(['LIMIT', 'FETCH', 'IXSCAN'])
      expect(index).toBe('conversation_1_rev_-1')
      expect(examined).toBeLessThanOrEqual(5)
    }
  })

  it('uses ranges, $in, prefixes, items of arrays and partial indexes', async () => {
    expect(await explained({ conversation: 3, rev: { $gt: 300, $lt: 400 } })).toMatchObject({
      index: 'conversation_1_rev_-1',
      examined: 5,
      found: 5,
    })
    expect(await explained({ name: /^name01/ })).toMatchObject({ index: 'name_1', examined: 10, found: 10 })
    expect(await explained({ name: { $in: ['name001', 'name002', 'none'] } })).toMatchObject({
      index: 'name_1',
      found: 2,
    })
    expect(await explained({ labels: 'l2' })).toMatchObject({ index: 'labels_1', examined: 120, found: 120 })
    expect(await explained({ state: 'queued', rev: { $lte: 30 } }, { rev: 1 }, 3)).toMatchObject({
      index: 'due',
      examined: 3,
    })
    expect(await explained({ state: 'sent' })).toMatchObject({ stages: ['COLLSCAN'] })
    expect(await explained({ _id: 7 })).toMatchObject({ stages: ['IDHACK'], found: 1 })
    expect(
      await explained({ $or: [{ name: 'name001' }, { conversation: 4, rev: { $gt: 500 } }] }),
    ).toMatchObject({ stages: ['FETCH', 'OR', 'IXSCAN', 'IXSCAN'], found: 6 })
  })

  it('merges the ranges of $in to keep an order', async () => {
    const found = await store.db
      .collection('messages')
      .find({ conversation: { $in: [1, 2, 3] } })
      .sort({ rev: -1 })
      .limit(4)
      .toArray()
    expect(found.map((each) => each.rev)).toEqual([583, 582, 581, 563])
    expect(await explained({ conversation: { $in: [1, 2, 3] } }, { rev: -1 }, 4)).toMatchObject({
      stages: ['LIMIT', 'FETCH', 'SORT_MERGE', 'IXSCAN'],
    })
  })

  it('obeys a hint, and refuses one for an index that is not there', async () => {
    const messages = store.db.collection('messages')
    expect(await messages.find({ conversation: 1 }).hint('labels_1').toArray()).toHaveLength(30)
    expect(await failureOf(messages.find().hint('nope').toArray())).toMatchObject({ code: 2 })
  })

  it('finds the same with an index and without', async () => {
    const messages = store.db.collection('messages')
    const filters = [
      { labels: { $all: ['l1', 'm3'] } },
      { labels: { $in: ['l1', 'm3'] } },
      { labels: { $gt: 'l3', $lt: 'm1' } },
      { name: { $gte: 'name590' } },
      { conversation: { $ne: 3 }, rev: { $lt: 10 } },
      { labels: { $elemMatch: { $gt: 'l3', $lt: 'm1' } } },
    ]
    for (const filter of filters) {
      const by = await messages.find(filter).sort({ _id: 1 }).toArray()
      const scanned = await messages.find(filter).hint({ $natural: 1 }).sort({ _id: 1 }).toArray()
      expect(by).toEqual(scanned)
    }
  })
})

describe('unique indexes', () => {
  it('name the index and the value', async () => {
    const error = await store.db
      .collection('messages')
      .insertMany([{ name: 'new' }, { name: 'name001' }, { name: 'newer' }], { ordered: false })
      .catch((caught) => caught)
    expect(error).toMatchObject({ code: 11000, insertedCount: 2 })
    const [write] = error.writeErrors
    expect(write).toMatchObject({
      index: 1,
      code: 11000,
      errmsg:
        'E11000 duplicate key error collection: nexus.messages index: name_1 dup key: { name: "name001" }',
    })
    const single = await store.db
      .collection('messages')
      .insertOne({ name: 'name001' })
      .catch((caught) => caught)
    expect(single).toMatchObject({ keyPattern: { name: 1 }, keyValue: { name: 'name001' } })
    await store.db.collection('messages').deleteMany({ name: /^new/ })
  })

  it('know null, sparse, partial and arrays', async () => {
    const collection = store.db.collection('unique')
    await collection.createIndex({ a: 1 }, { unique: true })
    await collection.createIndex({ b: 1 }, { unique: true, sparse: true })
    await collection.createIndex({ c: 1 }, { unique: true, partialFilterExpression: { live: true } })
    await collection.insertOne({ a: [1, 2], c: 1, live: true })
    expect(await failureOf(collection.insertOne({ a: 2 }))).toMatchObject({ code: 11000 })
    await collection.insertOne({ c: 1, live: false })
    expect(await failureOf(collection.insertOne({ c: 9 }))).toMatchObject({
      code: 11000,
      message: expect.stringContaining('{ a: null }'),
    })
    expect(await failureOf(collection.insertOne({ a: 3, c: 1, live: true }))).toMatchObject({ code: 11000 })
    await collection.updateOne({ live: true }, { $set: { a: 7 } })
    await collection.insertOne({ a: 2 })
  })

  it('are not built over duplicates, and leave nothing then', async () => {
    const collection = store.db.collection('clash')
    await collection.insertMany([{ a: 1 }, { a: 1 }])
    expect(await failureOf(collection.createIndex({ a: 1 }, { unique: true }))).toMatchObject({ code: 11000 })
    expect(await collection.indexes()).toHaveLength(1)
    expect(await store.db.command({ validate: 'clash' })).toMatchObject({ valid: true })
  })
})

describe('index administration', () => {
  it('is quiet about what is there, and loud about a clash', async () => {
    const collection = store.db.collection('admin')
    expect(await collection.createIndex({ a: 1 })).toBe('a_1')
    expect(await collection.createIndex({ a: 1 })).toBe('a_1')
    expect(await failureOf(collection.createIndex({ a: 1 }, { name: 'other' }))).toMatchObject({ code: 85 })
    expect(await failureOf(collection.createIndex({ a: 1 }, { unique: true }))).toMatchObject({ code: 86 })
    expect(await failureOf(collection.createIndex({ b: '2dsphere' }))).toMatchObject({ code: 67 })
    expect(await failureOf(collection.dropIndex('none'))).toMatchObject({ code: 27 })
    await collection.dropIndex('a_1')
    expect((await collection.indexes()).map((index) => index.name)).toEqual(['_id_'])
  })

  it('removes documents whose time has come', async () => {
    const collection = store.db.collection('expiring')
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 })
    await collection.insertMany([
      { at: new Date(now) },
      { at: new Date(now - 120_000) },
      { at: 'never' },
      { at: [new Date(now + 1e6), new Date(0)] },
    ])
    expect(await expireDocuments(store.serving.engine)).toBe(2)
    now += 61_000
    expect(await expireDocuments(store.serving.engine)).toBe(1)
    await store.db.command({ collMod: 'expiring', index: { name: 'at_1', expireAfterSeconds: 5 } })
    expect((await collection.indexes())[1]).toMatchObject({ expireAfterSeconds: 5 })
    expect(await collection.countDocuments()).toBe(1)
  })
})
