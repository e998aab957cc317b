import { join } from 'node:path'
import mongoose from 'mongoose'
import { beforeAll, describe, expect, test } from 'vitest'
import { WorkspaceMissing } from '../../models/tenancy.ts'
import { MODELS } from '../../server/database.ts'
import { filesIn, placesOf, ROOT } from './source.ts'

/** Without a wall between workspaces, each for a reason. */
const WITHOUT_WORKSPACE: Record<string, string> = {
  Workspace: 'it is the tenant itself',
  Lane: 'holds a conversation id, a token and a moment; only the worker looks',
}

const models = MODELS as unknown as mongoose.Model<unknown>[]
const walled = models.filter((model) => !(model.modelName in WITHOUT_WORKSPACE))

beforeAll(async () => {
  // A query that the wall lets through fails at once instead of waiting for a connection.
  mongoose.set('bufferCommands', false)
  for (const file of filesIn(['models'], /\.ts$/)) await import(/* @vite-ignore */ join(ROOT, file))
})

test('every model there is belongs to the list that the start makes', () => {
  expect(models.map((model) => model.modelName).sort()).toEqual(mongoose.modelNames().sort())
})

test('the exceptions are still exceptions', () => {
  expect(models.filter((model) => !model.schema.path('workspace')).map((model) => model.modelName)).toEqual(
    Object.keys(WITHOUT_WORKSPACE),
  )
})

describe('no tenant sees another: a query without a workspace never reaches the database', () => {
  type Ask = (model: mongoose.Model<unknown>) => PromiseLike<unknown>
  const asks: Record<string, Ask> = {
    find: (model) => model.find({ _id: 'x' }),
    findOne: (model) => model.findOne({ _id: 'x' }),
    findById: (model) => model.findById('x'),
    exists: (model) => model.exists({ _id: 'x' }),
    countDocuments: (model) => model.countDocuments({}),
    estimatedDocumentCount: (model) => model.estimatedDocumentCount(),
    distinct: (model) => model.distinct('_id'),
    findOneAndUpdate: (model) => model.findOneAndUpdate({ _id: 'x' }, { $set: { _id: 'x' } }),
    findByIdAndUpdate: (model) => model.findByIdAndUpdate('x', { $set: { _id: 'x' } }),
    findOneAndReplace: (model) => model.findOneAndReplace({ _id: 'x' }, {}),
    findOneAndDelete: (model) => model.findOneAndDelete({ _id: 'x' }),
    findByIdAndDelete: (model) => model.findByIdAndDelete('x'),
    updateOne: (model) => model.updateOne({ _id: 'x' }, { $set: { _id: 'x' } }),
    updateMany: (model) => model.updateMany({}, { $set: { _id: 'x' } }),
    replaceOne: (model) => model.replaceOne({ _id: 'x' }, {}),
    deleteOne: (model) => model.deleteOne({ _id: 'x' }),
    deleteMany: (model) => model.deleteMany({}),
    aggregate: (model) => model.aggregate([{ $match: { _id: 'x' } }]),
    'an operator for a workspace': (model) => model.find({ workspace: { $ne: 'x' } as never }),
  }
  test.each(Object.keys(asks))('%s', async (name) => {
    const ask = asks[name] as Ask
    const open: string[] = []
    for (const model of walled) {
      const answer = await Promise.resolve(ask(model)).then(
        () => 'answered',
        (error: unknown) => error,
      )
      if (!(answer instanceof WorkspaceMissing)) open.push(`${model.modelName}.${name}`)
    }
    expect(open).toEqual([])
  })

  test('with a workspace it is let through, and fails only for want of a connection', async () => {
    for (const model of walled) {
      const answer = await model.find({ workspace: 'x' }).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(answer).toBeInstanceOf(Error)
      expect(answer).not.toBeInstanceOf(WorkspaceMissing)
    }
  })

  test('no request looks over the wall', () => {
    expect(placesOf(/acrossWorkspaces/, filesIn(['server/http', 'server/realtime'], /\.ts$/))).toEqual([])
  })

  // Whole documents may be written past the tenancy's hooks. Beyond those: indexes at the start, the two writes that every
  // change is made of (their filters' types ask for a workspace), and what is known by its id alone.
  const PAST_THE_WALL = [
    'models/conversation.ts',
    'models/lane.ts',
    'models/message.ts',
    'models/outbox.ts',
    'server/database.ts',
  ]

  test('whoever passes the wall by is known by name', () => {
    const files = filesIn(['server', 'models'], /\.ts$/).filter(
      (file) => !/^server\/(embedded|sandbox)\//.test(file),
    )
    const past = placesOf(/\.collection\.(?!insertOne\b|insertMany\b)|\.(bulkWrite|bulkSave|watch)\(/, files)
    expect(past.map((place) => place.split(':')[0]).sort()).toEqual(PAST_THE_WALL)
  })
})
