import { Decimal128, type Document, Double, Long } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf, openTestStore, type TestStore } from './support/embedded.ts'

interface Thing extends Document {
  _id: number
}

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

const things = (name: string) => store.db.collection<Thing>(name)

describe('a validator', () => {
  it('refuses what it does not let in, and says which document it was', async () => {
    await store.db.createCollection('checked', { validator: { n: { $gte: 0 } } })
    const checked = things('checked')
    await checked.insertOne({ _id: 1, n: 1 })
    const refused = await checked.insertOne({ _id: 2, n: -1 }).catch((error) => error)
    expect(refused).toMatchObject({ code: 121, errInfo: { failingDocumentId: 2 } })
    expect(await failureOf(checked.updateOne({ _id: 1 }, { $inc: { n: -5 } }))).toMatchObject({ code: 121 })
    expect(await failureOf(checked.findOneAndUpdate({ _id: 1 }, { $set: { n: -5 } }))).toMatchObject({
      code: 121,
    })
    expect(
      await failureOf(checked.updateOne({ _id: 9 }, { $set: { n: -5 } }, { upsert: true })),
    ).toMatchObject({ code: 121 })
    await checked.insertOne({ _id: 3, n: -1 }, { bypassDocumentValidation: true })
    const many = checked.insertMany(
      [
        { _id: 4, n: -1 },
        { _id: 5, n: 5 },
      ],
      { ordered: false },
    )
    expect(await many.catch((error) => error.writeErrors?.length)).toBe(1)
    expect((await checked.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 3, 5])
  })

  it('may let be what was invalid before, or only warn, and can be changed', async () => {
    await store.db.createCollection('moderate', {
      validator: { n: { $gte: 0 } },
      validationLevel: 'moderate',
    })
    const moderate = things('moderate')
    await moderate.insertOne({ _id: 1, n: -1 }, { bypassDocumentValidation: true })
    await moderate.updateOne({ _id: 1 }, { $set: { n: -2 } })
    await moderate.updateOne({ _id: 1 }, { $set: { n: 2 } })
    expect(await failureOf(moderate.updateOne({ _id: 1 }, { $set: { n: -2 } }))).toMatchObject({ code: 121 })
    await store.db.command({ collMod: 'moderate', validationAction: 'warn' })
    await moderate.updateOne({ _id: 1 }, { $set: { n: -2 } })
    await store.db.command({ collMod: 'moderate', validationAction: 'error', validator: { s: 'x' } })
    expect(await failureOf(moderate.insertOne({ _id: 2 }))).toMatchObject({ code: 121 })
    await moderate.insertOne({ _id: 2, s: 'x' })
    const [described] = await store.db.listCollections({ name: 'moderate' }).toArray()
    expect(described).toMatchObject({
      options: { validator: { s: 'x' }, validationLevel: 'moderate', validationAction: 'error' },
    })
  })

  it('is refused where the store does not know it', async () => {
    const schema = store.db.createCollection('schema', { validator: { $jsonSchema: {} } })
    expect(await failureOf(schema)).toMatchObject({
      code: 238,
      message: expect.stringContaining('$jsonSchema'),
    })
    const level = store.db.command({ create: 'level', validationLevel: 'some' })
    expect(await failureOf(level)).toMatchObject({ code: 2 })
  })
})

describe('what is not known is refused by name', () => {
  const refusals: [string, object, number, string][] = [
    ['a field of a command', { find: 'x', nope: 1 }, 40415, 'find.nope'],
    ['a field of a statement', { update: 'x', updates: [{ q: {}, u: {}, sort: {} }] }, 40415, 'updates.sort'],
    ['a statement without a filter', { update: 'x', updates: [{ u: {} }] }, 40414, 'updates.q'],
    ['a statement without a limit', { delete: 'x', deletes: [{ q: {} }] }, 40414, 'deletes.limit'],
    ['a flag that is none', { update: 'x', updates: [{ q: {}, u: {}, multi: 1 }] }, 14, 'updates.multi'],
    ['a negative skip', { find: 'x', skip: -1 }, 51024, 'skip'],
    ['a negative limit', { find: 'x', limit: -1 }, 51024, 'limit'],
    ['min', { find: 'x', min: { a: 1 } }, 238, "'min'"],
    ['showRecordId', { find: 'x', showRecordId: true }, 238, "'showRecordId'"],
    ['a collation', { find: 'x', collation: { locale: 'fr' } }, 238, 'collation'],
    ['a capped collection', { create: 'x', capped: true, size: 10 }, 238, "'capped'"],
    ['a size without it', { create: 'x', size: 10 }, 72, 'capped'],
    ['a view', { create: 'x', viewOn: 'y', pipeline: [] }, 238, "'viewOn'"],
    ['a command', { atlasVersion: 1 }, 59, "'atlasVersion'"],
    ['a parameter', { getParameter: 1, nope: 1 }, 72, 'no option found to get'],
    ['a list of databases elsewhere', { listDatabases: 1 }, 13, 'admin database'],
    ['a transaction', { find: 'x', txnNumber: Long.fromNumber(1) }, 20, 'Transaction numbers'],
    [
      'an expression in an upsert',
      { update: 'x', updates: [{ q: { $expr: true }, u: {}, upsert: true }] },
      224,
      '$expr',
    ],
  ]
  it.each(refusals)('%s', async (_what, command, code, text) => {
    const failure = await failureOf(
      store.db.command(command).then(({ writeErrors }) => {
        const [error] = (writeErrors ?? []) as { code: number; errmsg: string }[]
        if (error) throw Object.assign(new Error(error.errmsg), { code: error.code })
      }),
    )
    expect(failure).toMatchObject({ code, message: expect.stringContaining(text) })
  })

  it('and what shells and tools ask is answered', async () => {
    const admin = store.client.db('admin')
    for (const command of [
      'getCmdLineOpts',
      'whatsmyuri',
      'hostInfo',
      'buildInfo',
      'connectionStatus',
      'serverStatus',
    ])
      expect(await admin.command({ [command]: 1 })).toMatchObject({ ok: 1 })
    expect(await admin.command({ getLog: 'startupWarnings' })).toMatchObject({ log: [] })
    expect(await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 })).toMatchObject({
      featureCompatibilityVersion: { version: '7.0' },
    })
  })
})

describe('paths', () => {
  it('that name a position try what lies there as a whole', async () => {
    const nested = things('nested')
    await nested.insertMany([
      { _id: 1, c: [[1, 2], 3] },
      { _id: 2, c: [0, 2] },
      { _id: 3, c: [[{ a: 1 }]] },
    ])
    const ids = async (filter: object) => (await nested.find(filter).toArray()).map(({ _id }) => _id)
    expect(await ids({ 'c.0': 1 })).toEqual([])
    expect(await ids({ 'c.0': [1, 2] })).toEqual([1])
    expect(await ids({ 'c.0': { $size: 2 } })).toEqual([1])
    expect(await ids({ 'c.0.1': 2 })).toEqual([1])
    expect(await ids({ 'c.0.a': 1 })).toEqual([3])
    expect(await ids({ 'c.1.a': null })).toEqual([])
  })

  it('that lead nowhere are refused to what takes away, except to $unset', async () => {
    const viable = things('viable')
    await viable.insertOne({ _id: 1, a: 5, b: [1] })
    for (const operator of ['$pop', '$pull', '$pullAll', '$rename']) {
      const operand = { $pop: 1, $pull: 1, $pullAll: [1], $rename: 'z' }[operator]
      expect(await failureOf(viable.updateOne({ _id: 1 }, { [operator]: { 'a.x': operand } }))).toMatchObject(
        {
          code: 28,
        },
      )
    }
    expect(await failureOf(viable.updateOne({ _id: 1 }, { $rename: { 'b.0': 'z' } }))).toMatchObject({
      code: 2,
    })
    expect(await viable.updateOne({ _id: 1 }, { $unset: { 'a.x': 1, 'b.x': 1 } })).toMatchObject({
      modifiedCount: 0,
    })
    expect(await viable.updateOne({ _id: 1 }, { $rename: { 'b.7': 'z' } })).toMatchObject({
      modifiedCount: 0,
    })
  })
})

describe('documents', () => {
  it('keep out of a sparse index what has none of its fields, array items too', async () => {
    const sparse = things('sparse')
    await sparse.createIndex({ 'a.c': 1 }, { unique: true, sparse: true })
    await sparse.insertMany([{ _id: 1, a: [1, 2] }, { _id: 2, a: [3] }, { _id: 3, a: [] }, { _id: 4 }])
    expect(
      await failureOf(
        sparse.insertMany([
          { _id: 5, a: { c: null } },
          { _id: 6, a: [{ c: null }] },
        ]),
      ),
    ).toMatchObject({ code: 11000 })
  })

  it('give fifteen digits of a double to a decimal', async () => {
    const decimals = things('decimals')
    await decimals.insertOne({ _id: 1, n: new Double(-1), m: new Double(100.25) })
    const decimal = Decimal128.fromString('1.5')
    await decimals.updateOne({ _id: 1 }, { $inc: { n: decimal }, $mul: { m: decimal } })
    const found = await decimals.findOne({ _id: 1 })
    expect(String(found?.n)).toBe('0.50000000000000')
    expect(String(found?.m)).toBe('150.3750000000000')
  })

  it('may not have a dollar in their _id', async () => {
    expect(await failureOf(store.db.collection('x').insertOne({ _id: { $a: 1 } as never }))).toMatchObject({
      code: 52,
    })
  })
})

describe('finding', () => {
  it('answers nothing first when a batch of nothing is asked for', async () => {
    await things('batches').insertMany([{ _id: 1 }, { _id: 2 }])
    const { cursor } = await store.db.command({ find: 'batches', batchSize: 0, limit: 1 })
    expect(cursor.firstBatch).toEqual([])
    expect(String(cursor.id)).not.toBe('0')
    const { cursor: next } = await store.db.command({ getMore: cursor.id, collection: 'batches' })
    expect(next).toMatchObject({ nextBatch: [{ _id: 1 }] })
  })

  it('leaves what is no array to a positional projection, and refuses an array nothing matched in', async () => {
    const positional = things('positional')
    await positional.insertMany([
      { _id: 1, c: 4 },
      { _id: 2, c: [3, 4] },
    ])
    expect(await positional.find({ c: 4 }, { projection: { 'c.$': 1 } }).toArray()).toEqual([
      { _id: 1, c: 4 },
      { _id: 2, c: [4] },
    ])
    expect(await failureOf(positional.find({}, { projection: { 'c.$': 1 } }).toArray())).toMatchObject({
      code: 51246,
    })
    expect(
      await failureOf(positional.find({}, { projection: { c: { $slice: 'x' } } }).toArray()),
    ).toMatchObject({
      code: 28667,
    })
  })

  it('evaluates the variables of let', async () => {
    await things('lets').insertMany([
      { _id: 1, n: 3 },
      { _id: 2, n: 4 },
    ])
    const found = things('lets').find(
      { $expr: { $eq: ['$n', '$$wanted'] } },
      { let: { wanted: { $add: [1, 2] } } },
    )
    expect(await found.toArray()).toEqual([{ _id: 1, n: 3 }])
  })
})
