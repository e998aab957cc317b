import mongoose, { type Connection, Schema } from 'mongoose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestStore, type TestStore } from './support/embedded.ts'

const given = process.env.MONGODB_URI
let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

const servers = [
  { server: 'the embedded store', uri: () => store.serving.uri },
  ...(given ? [{ server: 'the server at MONGODB_URI', uri: () => given }] : []),
]

describe.each(servers)('mongoose on $server', ({ uri }) => {
  let connection: Connection

  beforeAll(async () => {
    const dbName = `mongoose_${process.pid}`
    connection = await mongoose.createConnection(uri(), { dbName, autoIndex: false }).asPromise()
  })
  afterAll(async () => {
    await connection.dropDatabase()
    await connection.close()
  })

  it('keeps fields unique and gives timestamps', async () => {
    const schema = new Schema({ name: String, email: { type: String, unique: true } }, { timestamps: true })
    const Agent = connection.model('UniqueAgent', schema)
    await Agent.createIndexes()
    const kim = await Agent.create({ name: 'Kim', email: 'kim@example.org' })
    await expect(Agent.create({ email: 'kim@example.org' })).rejects.toMatchObject({ code: 11000 })
    expect(kim.createdAt).toBeInstanceOf(Date)
    const before = kim.updatedAt
    kim.name = 'Kim R.'
    await kim.save()
    expect(kim.updatedAt.getTime()).toBeGreaterThanOrEqual(before.getTime())
    expect(kim.createdAt).toEqual((await Agent.findById(kim._id))?.createdAt)
  })

  it('populates by reference, nested and by virtuals', async () => {
    const City = connection.model('City', new Schema({ name: String }))
    const author = new Schema({ name: String, city: { type: Schema.Types.ObjectId, ref: 'City' } })
    author.virtual('books', { ref: 'Book', localField: '_id', foreignField: 'author' })
    author.virtual('count', { ref: 'Book', localField: '_id', foreignField: 'author', count: true })
    const Author = connection.model('Author', author)
    const Book = connection.model(
      'Book',
      new Schema({ title: String, author: { type: Schema.Types.ObjectId, ref: 'Author' } }),
    )
    const oslo = await City.create({ name: 'Oslo' })
    const ada = await Author.create({ name: 'Ada', city: oslo._id })
    await Book.create([
      { title: 'One', author: ada._id },
      { title: 'Two', author: ada._id },
    ])
    const book = await Book.findOne({ title: 'One' }).populate({ path: 'author', populate: 'city' }).lean()
    expect(book).toMatchObject({ author: { name: 'Ada', city: { name: 'Oslo' } } })
    const found = await Author.findOne({ name: 'Ada' })
      .populate({ path: 'books', select: 'title -_id', options: { sort: { title: -1 } } })
      .populate('count')
    expect(found?.toObject({ virtuals: true })).toMatchObject({
      books: [{ title: 'Two' }, { title: 'One' }],
      count: 2,
    })
  })

  it('tells kinds of documents apart by their discriminator', async () => {
    const Event = connection.model('Event', new Schema({ n: Number }, { discriminatorKey: 'kind' }))
    const Click = Event.discriminator('Click', new Schema({ x: Number }))
    await Event.create([{ n: 1 }, { n: 2 }])
    await Click.create({ n: 3, x: 9 })
    expect(await Click.countDocuments()).toBe(1)
    expect(await Event.countDocuments()).toBe(3)
    expect(await Click.updateMany({}, { $inc: { x: 1 } })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 1,
    })
    expect(await Event.findOne({ kind: 'Click' }).lean()).toMatchObject({ kind: 'Click', x: 10 })
  })

  it('runs middleware around documents and queries', async () => {
    const heard: string[] = []
    const schema = new Schema({ name: String })
    schema.pre('save', () => void heard.push('before save'))
    schema.post('save', () => void heard.push('after save'))
    schema.pre('findOneAndUpdate', () => void heard.push('before update'))
    schema.pre('deleteOne', { document: true, query: false }, () => void heard.push('before delete'))
    const Thing = connection.model('Heard', schema)
    const thing = await Thing.create({ name: 'a' })
    await Thing.findOneAndUpdate({ _id: thing._id }, { name: 'b' })
    await thing.deleteOne()
    expect(heard).toEqual(['before save', 'after save', 'before update', 'before delete'])
    expect(await Thing.exists({ _id: thing._id })).toBeNull()
  })

  it('reads by cursor, in batches', async () => {
    const Row = connection.model('Row', new Schema({ n: Number }))
    await Row.insertMany(Array.from({ length: 25 }, (_, n) => ({ n })))
    const seen: (number | null | undefined)[] = []
    for await (const row of Row.find().sort({ n: 1 }).cursor({ batchSize: 4 })) seen.push(row.n)
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => n))
    expect(await Row.find().sort({ n: -1 }).skip(2).limit(3).select('n -_id').lean()).toEqual([
      { n: 22 },
      { n: 21 },
      { n: 20 },
    ])
    expect(await Row.estimatedDocumentCount()).toBe(25)
    expect((await Row.distinct('n', { n: { $lt: 3 } })).sort()).toEqual([0, 1, 2])
  })

  it('writes in bulk, and says what became of each', async () => {
    const Bulk = connection.model('Bulk', new Schema({ key: { type: String, unique: true }, n: Number }))
    await Bulk.createIndexes()
    const result = await Bulk.bulkWrite([
      { insertOne: { document: { key: 'a', n: 1 } } },
      { insertOne: { document: { key: 'b', n: 2 } } },
      { updateMany: { filter: { n: { $gte: 1 } }, update: { $inc: { n: 10 } } } },
      { updateOne: { filter: { key: 'c' }, update: { $set: { n: 3 } }, upsert: true } },
      { deleteOne: { filter: { key: 'a' } } },
    ])
    expect(result).toMatchObject({ insertedCount: 2, modifiedCount: 2, deletedCount: 1, upsertedCount: 1 })
    const clash = Bulk.insertMany([{ key: 'b' }, { key: 'd' }], { ordered: false })
    await expect(clash).rejects.toMatchObject({ code: 11000 })
    expect((await Bulk.find().sort({ key: 1 }).lean()).map(({ key, n }) => [key, n])).toEqual([
      ['b', 12],
      ['c', 3],
      ['d', undefined],
    ])
    const [one, two] = await Bulk.find({ key: { $in: ['b', 'c'] } }).sort({ key: 1 })
    one?.set({ n: 100 })
    two?.set({ n: 200 })
    await Bulk.bulkSave([one, two].filter((each) => each !== undefined))
    expect(await Bulk.countDocuments({ n: { $gte: 100 } })).toBe(2)
  })

  it('aggregates, and casts what a pipeline matches', async () => {
    const Sale = connection.model('Sale', new Schema({ by: String, total: Number }))
    await Sale.create([
      { by: 'ada', total: 10 },
      { by: 'bo', total: 5 },
      { by: 'ada', total: 7 },
    ])
    const sums = await Sale.aggregate([
      { $match: { total: { $gt: 1 } } },
      { $group: { _id: '$by', sum: { $sum: '$total' } } },
      { $sort: { sum: -1 } },
    ])
    expect(sums).toEqual([
      { _id: 'ada', sum: 17 },
      { _id: 'bo', sum: 5 },
    ])
  })

  it('refuses a document that was changed by somebody else meanwhile', async () => {
    const schema = new Schema({ tags: [String], title: String })
    const Note = connection.model('Versioned', schema)
    const note = await Note.create({ title: 'hello', tags: ['a', 'b'] })
    const stale = await Note.findById(note._id)
    note.tags = ['c']
    await note.save()
    stale?.set('tags.0', 'z')
    await expect(stale?.save()).rejects.toBeInstanceOf(mongoose.Error.VersionError)
    const Strict = connection.model('Strict', new Schema({ n: Number }, { optimisticConcurrency: true }))
    const first = await Strict.create({ n: 1 })
    const second = await Strict.findById(first._id)
    await first.set({ n: 2 }).save()
    await expect(second?.set({ n: 3 }).save()).rejects.toBeInstanceOf(mongoose.Error.VersionError)
    expect(await Strict.findById(first._id).lean()).toMatchObject({ n: 2, __v: 1 })
  })

  it('changes subdocuments and arrays in place', async () => {
    const item = new Schema({ name: String, n: { type: Number, default: 0 } })
    const List = connection.model('List', new Schema({ items: [item], marks: [Number] }))
    const list = await List.create({ items: [{ name: 'a' }, { name: 'b' }, { name: 'c' }], marks: [1, 2, 3] })
    list.items.push({ name: 'd' })
    const marks = list.marks as mongoose.Types.Array<number>
    marks.pull(2)
    const second = list.items[1]
    if (second) second.n = 5
    await list.save()
    list.items.id(String(list.items[0]?._id))?.deleteOne()
    marks.addToSet(3, 4)
    await list.save()
    marks.set(0, 9)
    list.items.splice(1, 1)
    await list.save()
    const found = await List.findById(list._id).lean()
    expect(found?.items.map(({ name, n }) => [name, n])).toEqual([
      ['b', 5],
      ['d', 0],
    ])
    expect(found?.marks).toEqual([9, 3, 4])
    await List.updateOne(
      { _id: list._id, 'items.name': 'd' },
      { $set: { 'items.$.n': 7 }, $pull: { marks: 9 } },
    )
    await List.updateOne(
      { _id: list._id },
      { $inc: { 'items.$[i].n': 1 } },
      { arrayFilters: [{ 'i.n': { $gt: 6 } }] },
    )
    const changed = await List.findById(list._id).lean()
    expect(changed?.items.map(({ n }) => n)).toEqual([5, 8])
    expect(changed?.marks).toEqual([3, 4])
  })

  it('keeps maps, enumerations and mixed values', async () => {
    const schema = new Schema({
      state: { type: String, enum: ['open', 'closed'], default: 'open' },
      counts: { type: Map, of: Number },
      age: { type: Number, min: [0, 'too young'] },
      any: Schema.Types.Mixed,
      amount: Schema.Types.Decimal128,
      bytes: Buffer,
    })
    const Case = connection.model('Case', schema)
    await expect(new Case().set('state', 'lost').save()).rejects.toBeInstanceOf(
      mongoose.Error.ValidationError,
    )
    await expect(Case.create({ age: -1 })).rejects.toThrow('too young')
    const amount = mongoose.Types.Decimal128.fromString('12.50')
    const made = await Case.create({
      counts: { a: 1, b: 2 },
      any: { deep: [1, { x: null }] },
      amount,
      bytes: Buffer.from('hi'),
    })
    made.counts?.set('c', 3)
    made.counts?.delete('a')
    made.set('any.deep', 'changed')
    await made.save()
    const found = await Case.findById(made._id)
    expect(found?.state).toBe('open')
    expect(Object.fromEntries(found?.counts ?? [])).toEqual({ b: 2, c: 3 })
    expect(found?.any).toEqual({ deep: 'changed' })
    expect(String(found?.amount)).toBe('12.50')
    expect(found?.bytes?.toString()).toBe('hi')
    expect(await Case.countDocuments({ 'counts.c': 3 })).toBe(1)
  })

  it('finds one and changes it', async () => {
    const Counter = connection.model('Counter', new Schema({ _id: String, n: Number, made: Date }))
    const options = { upsert: true, returnDocument: 'after', setDefaultsOnInsert: true } as const
    const update = { $inc: { n: 1 }, $setOnInsert: { made: new Date(0) } }
    expect(await Counter.findOneAndUpdate({ _id: 'a' }, update, options).lean()).toMatchObject({ n: 1 })
    expect(await Counter.findByIdAndUpdate('a', update, options).lean()).toMatchObject({
      n: 2,
      made: new Date(0),
    })
    expect(
      await Counter.findOneAndReplace({ _id: 'a' }, { n: 9 }, { returnDocument: 'after' }).lean(),
    ).toEqual({
      _id: 'a',
      n: 9,
    })
    expect(await Counter.findOneAndUpdate({ _id: 'b' }, { n: 1 })).toBeNull()
    expect(await Counter.findByIdAndDelete('a').lean()).toMatchObject({ n: 9 })
    expect(await Counter.updateOne({ _id: 'z' }, { n: 1 }, { upsert: true })).toMatchObject({
      matchedCount: 0,
      upsertedCount: 1,
      upsertedId: 'z',
    })
    expect(await Counter.replaceOne({ _id: 'z' }, { n: 2 })).toMatchObject({ modifiedCount: 1 })
  })

  it('makes the indexes a schema asks for, and drops the others', async () => {
    const schema = new Schema({ at: Date, a: Number, b: String })
    schema.index({ at: 1 }, { expireAfterSeconds: 3600 })
    schema.index({ a: 1, b: -1 }, { unique: true, partialFilterExpression: { a: { $gt: 0 } } })
    const Indexed = connection.model('Indexed', schema)
    await Indexed.createCollection()
    await Indexed.collection.createIndex({ b: 1 })
    expect(await Indexed.diffIndexes()).toMatchObject({ toDrop: ['b_1'] })
    expect(await Indexed.syncIndexes()).toEqual(['b_1'])
    const indexes = await Indexed.listIndexes()
    expect(indexes.map(({ key }) => key)).toEqual([{ _id: 1 }, { at: 1 }, { a: 1, b: -1 }])
    expect(indexes[1]).toMatchObject({ expireAfterSeconds: 3600 })
    expect(await Indexed.syncIndexes()).toEqual([])
    await Indexed.create([
      { a: 1, b: 'x' },
      { a: 0, b: 'x' },
      { a: 0, b: 'x' },
    ])
    await expect(Indexed.create({ a: 1, b: 'x' })).rejects.toMatchObject({ code: 11000 })
  })
})
