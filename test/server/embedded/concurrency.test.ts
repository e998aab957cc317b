import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestStore, type TestStore } from './support/embedded.ts'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore({ client: { minPoolSize: 50, maxPoolSize: 50 } })
})
afterAll(() => store.close())

const together = <Answer>(count: number, call: (i: number) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => call(i)))

it('adds up increments from fifty connections', async () => {
  const counters = store.db.collection<{ _id: number; n: number }>('counters')
  const answers = await together(500, () =>
    counters.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { upsert: true, returnDocument: 'after' }),
  )
  expect(new Set(answers.map((each) => each?.n)).size).toBe(500)
  expect(await counters.findOne({ _id: 1 })).toEqual({ _id: 1, n: 500 })
})

it('gives each worker a job of its own, in order', async () => {
  const jobs = store.db.collection<{ _id: number; state: string; due: number; by?: number }>('jobs')
  await jobs.createIndex({ state: 1, due: 1 })
  await jobs.insertMany(Array.from({ length: 200 }, (_, i) => ({ _id: i, state: 'queued', due: i })))
  const claimed = await together(250, (by) =>
    jobs.findOneAndUpdate({ state: 'queued' }, { $set: { state: 'taken', by } }, { sort: { due: 1 } }),
  )
  const taken = claimed.filter((job) => job !== null).map((job) => job._id)
  expect(taken).toHaveLength(200)
  expect(new Set(taken).size).toBe(200)
  expect(await jobs.countDocuments({ state: 'queued' })).toBe(0)
})

it('makes one document of many upserts, by a filter without a unique index too', async () => {
  const made = store.db.collection('made')
  const results = await together(60, (i) =>
    made.updateOne({ key: i % 3 }, { $inc: { n: 1 } }, { upsert: true }),
  )
  expect(results.filter((result) => result.upsertedCount === 1)).toHaveLength(3)
  expect((await made.find().toArray()).map((each) => each.n)).toEqual([20, 20, 20])
})

it('lets one of many inserts have a unique value', async () => {
  const named = store.db.collection('named')
  await named.createIndex({ name: 1 }, { unique: true })
  const results = await together(60, (i) =>
    named.insertOne({ name: `n${i % 6}` }).then(
      () => 1,
      () => 0,
    ),
  )
  expect(results.reduce<number>((sum, each) => sum + each, 0)).toBe(6)
  expect(await store.db.command({ validate: 'named' })).toMatchObject({ valid: true, nrecords: 6 })
})

it('keeps indexes and documents in step while an index is built under writes', async () => {
  const busy = store.db.collection<{ _id: number; n: number }>('busy')
  await busy.insertMany(Array.from({ length: 2000 }, (_, i) => ({ _id: i, n: i % 50 })))
  const writes = together<unknown>(400, (i) =>
    i % 4 === 0 ? busy.deleteOne({ _id: i }) : busy.updateOne({ _id: i }, { $set: { n: 1000 + i } }),
  )
  await busy.createIndex({ n: 1 })
  await writes
  expect(await store.db.command({ validate: 'busy' })).toMatchObject({
    valid: true,
    errors: [],
    nrecords: 1900,
  })
  expect(await busy.countDocuments({ n: { $gte: 1000 } })).toBe(300)
})

it('updates many once each, though they move in the index that finds them', async () => {
  const moving = store.db.collection<{ _id: number; n: number }>('moving')
  await moving.createIndex({ n: 1 })
  await moving.insertMany(Array.from({ length: 1500 }, (_, i) => ({ _id: i, n: i })))
  expect(await moving.updateMany({ n: { $gte: 0 } }, { $inc: { n: 700 } })).toMatchObject({
    modifiedCount: 1500,
  })
  expect(await moving.countDocuments({ n: { $gte: 700, $lt: 2200 } })).toBe(1500)
})
