import mongoose, { Schema } from 'mongoose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestStore, type TestStore } from './support/embedded.ts'

let store: TestStore
let connection: mongoose.Connection

beforeAll(async () => {
  store = await openTestStore()
  connection = await mongoose.createConnection(store.serving.uri).asPromise()
})
afterAll(async () => {
  await connection.close()
  await store.close()
})

it('serves models, unique fields, timestamps, versions and population', async () => {
  const Agent = connection.model(
    'Agent',
    new Schema({ name: String, email: { type: String, unique: true } }, { timestamps: true }),
  )
  const Note = connection.model(
    'Note',
    new Schema({ text: String, tags: [String], author: { type: Schema.Types.ObjectId, ref: 'Agent' } }),
  )
  await Agent.init()
  const kim = await Agent.create({ name: 'Kim', email: 'kim@example.org' })
  await expect(Agent.create({ email: 'kim@example.org' })).rejects.toMatchObject({
    code: 11000,
    keyValue: { email: 'kim@example.org' },
  })
  const note = await Note.create({ text: 'hello', author: kim._id, tags: ['a'] })
  note.tags.push('b')
  await note.save()
  const stale = await Note.findById(note._id)
  note.tags = ['c']
  await note.save()
  stale?.set('tags.0', 'z')
  stale?.set({ tags: ['q'] })
  await expect(stale?.save()).rejects.toThrow(/version|No matching document/)
  const found = await Note.findOne({ tags: 'c' }).populate<{ author: { name: string } }>('author').lean()
  expect(found?.author.name).toBe('Kim')
  expect(kim.createdAt).toBeInstanceOf(Date)
})

it('serves discriminators, middleware, cursors, bulk writes and aggregation', async () => {
  const schema = new Schema({ n: Number }, { discriminatorKey: 'kind' })
  let saves = 0
  schema.pre('save', () => {
    saves++
  })
  const Event = connection.model('Event', schema)
  const Click = Event.discriminator('Click', new Schema({ x: Number }))
  await Event.create([{ n: 1 }, { n: 2 }])
  await Click.create({ n: 3, x: 9 })
  expect(saves).toBe(3)
  expect(await Click.countDocuments()).toBe(1)
  const seen: (number | null | undefined)[] = []
  for await (const event of Event.find().sort({ n: 1 }).cursor({ batchSize: 1 })) seen.push(event.n)
  expect(seen).toEqual([1, 2, 3])
  const result = await Event.bulkWrite([
    { insertOne: { document: { n: 4 } } },
    { updateMany: { filter: { n: { $gte: 3 } }, update: { $inc: { n: 10 } } } },
    { deleteOne: { filter: { n: 1 } } },
    { updateOne: { filter: { n: 99 }, update: { $set: { n: 99 } }, upsert: true } },
  ])
  expect(result).toMatchObject({ insertedCount: 1, modifiedCount: 2, deletedCount: 1, upsertedCount: 1 })
  expect(await Event.aggregate([{ $group: { _id: null, sum: { $sum: '$n' } } }])).toEqual([
    { _id: null, sum: 2 + 13 + 14 + 99 },
  ])
  expect(await Event.exists({ n: 13 })).toBeTruthy()
  expect(await Event.findOneAndUpdate({ n: 2 }, { n: 5 }, { new: true })).toMatchObject({ n: 5 })
  await Event.syncIndexes()
})
