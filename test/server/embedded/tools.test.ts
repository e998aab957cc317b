import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { BSON, Decimal128, Double, Int32, Long, MaxKey, MongoClient, ObjectId, Timestamp } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveEmbedded } from '../../../server/embedded/index.ts'
import { afterPrefix, indexPrefix } from '../../../server/embedded/storage/keys.ts'
import type { Level } from '../../../server/embedded/storage/store.ts'
import { runTool, type Tool } from '../../../server/embedded/tools/run.ts'
import { runCli } from './support/process.ts'

const { EJSON } = BSON

let home: string
let directory: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'nexus-tools-'))
  directory = join(home, 'store')
  const serving = await serveEmbedded({ directory })
  const client = await new MongoClient(serving.uri).connect()
  const types = client.db('first').collection<Record<string, unknown> & { _id: unknown }>('types')
  await types.insertMany([
    { _id: 1, int: new Int32(1), double: new Double(1), long: Long.fromNumber(1) },
    {
      _id: new ObjectId('650000000000000000000001'),
      decimal: Decimal128.fromString('1.10'),
      nan: Number.NaN,
    },
    { _id: 'text', when: new Date(0), stamp: new Timestamp({ t: 1, i: 2 }), most: new MaxKey() },
    { _id: { a: 1 }, bytes: Buffer.from('bytes'), pattern: /^a/i, nothing: null, list: [[], {}, [1]] },
  ])
  const people = client.db('second').collection<{ _id: number }>('people / and: more')
  await people.insertMany(
    Array.from({ length: 3000 }, (_, i) => ({
      _id: i,
      name: `n${i}`,
      tags: [i % 5, i % 7],
      pad: 'x'.repeat(900),
    })),
  )
  await people.createIndexes([
    { key: { name: 1 }, unique: true },
    { key: { tags: 1, name: -1 }, sparse: true },
    { key: { at: 1 }, expireAfterSeconds: 60 },
    { key: { pad: 1 }, partialFilterExpression: { _id: { $gt: 2990 } }, name: 'some' },
  ])
  await client.db('second').createCollection('empty')
  await client.close()
  await serving.close()
})
afterAll(() => rm(home, { recursive: true, force: true }))

async function run(tool: Tool, where = directory): Promise<{ code: number; said: string }> {
  const lines: string[] = []
  const code = await runTool(tool, where, (line) => lines.push(line))
  return { code, said: lines.join('\n') }
}

interface Seen {
  documents: string[]
  indexes: unknown[]
  info: unknown
}

/** Everything a client can see of a store, with the documents' own bytes. */
async function seenIn(where: string): Promise<Record<string, Seen>> {
  const serving = await serveEmbedded({ directory: where })
  const client = await new MongoClient(serving.uri, { raw: true }).connect()
  const typed = await new MongoClient(serving.uri, { promoteValues: false }).connect()
  const seen: Record<string, Seen> = {}
  for (const database of ['first', 'second']) {
    const collections = await typed.db(database).listCollections().toArray()
    for (const info of collections) {
      const name = String(info.name)
      const documents = await client.db(database).collection(name).find().toArray()
      const indexes = await typed.db(database).collection(name).listIndexes().toArray()
      seen[`${database}.${name}`] = {
        documents: documents.map((bytes) => Buffer.from(bytes as unknown as Uint8Array).toString('hex')),
        indexes: indexes.map((index) => EJSON.stringify(index, { relaxed: false })),
        info: EJSON.stringify(info, { relaxed: false }),
      }
    }
  }
  await client.close()
  await typed.close()
  await serving.close()
  return seen
}

describe('a dump', () => {
  it('restored into another directory is the same store, byte for byte', async () => {
    const out = join(home, 'dump')
    const dumped = await runCli(['--dump', out, '--dir', directory])
    expect(dumped).toMatchObject({ code: 0, said: expect.stringContaining('3000 documents, 5 indexes') })
    const restored = await runCli(['--restore', out, '--dir', join(home, 'restored')])
    expect(restored).toMatchObject({ code: 0, said: expect.stringContaining('3000 documents') })
    const before = await seenIn(directory)
    expect(Object.keys(before)).toHaveLength(3)
    expect(await seenIn(join(home, 'restored'))).toEqual(before)
    expect((await run({ kind: 'check' }, join(home, 'restored'))).said).toMatch(
      /is sound: 3 collections, 3004 documents/,
    )
  })

  it("has mongodump's layout: documents that follow each other, metadata in canonical Extended JSON", async () => {
    const out = join(home, 'layout')
    await run({ kind: 'dump', to: out })
    expect((await readdir(join(out, 'second'))).sort()).toEqual([
      'empty.bson',
      'empty.metadata.json',
      'people%20%2F%20and%3A%20more.bson',
      'people%20%2F%20and%3A%20more.metadata.json',
    ])
    const metadata = JSON.parse(
      await readFile(join(out, 'second/people%20%2F%20and%3A%20more.metadata.json'), 'utf8'),
    )
    expect(metadata).toMatchObject({
      collectionName: 'people / and: more',
      type: 'collection',
      options: {},
      uuid: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    expect(metadata.indexes.slice(0, 2)).toEqual([
      { v: { $numberInt: '2' }, key: { _id: { $numberInt: '1' } }, name: '_id_' },
      { v: { $numberInt: '2' }, key: { name: { $numberInt: '1' } }, name: 'name_1', unique: true },
    ])
    const bytes = await readFile(join(out, 'first/types.bson'))
    expect(
      BSON.calculateObjectSize(BSON.deserialize(bytes.subarray(0, bytes.readInt32LE(0)))),
    ).toBeGreaterThan(0)
  })

  it('of MongoDB itself is read: compressed files, its own collections left out', async () => {
    const from = join(home, 'mongodump')
    await mkdir(join(from, 'shop'), { recursive: true })
    await mkdir(join(from, 'admin'))
    await writeFile(join(from, 'prelude.json'), '{"ServerVersion":"7.0.14","ToolVersion":"100.10.0"}')
    await writeFile(join(from, 'admin/system.version.bson'), BSON.serialize({ _id: 'x' }))
    const documents = [
      { _id: 1, a: 'x' },
      { _id: 2, a: 'y' },
    ].map((each) => BSON.serialize(each))
    await writeFile(join(from, 'shop/goods.bson.gz'), gzipSync(Buffer.concat(documents)))
    const metadata = {
      indexes: [
        { v: { $numberInt: '2' }, key: { _id: { $numberInt: '1' } }, name: '_id_' },
        { v: { $numberInt: '2' }, key: { a: { $numberDouble: '-1.0' } }, name: 'a_-1', unique: true },
      ],
      uuid: '0123456789abcdef0123456789abcdef',
      collectionName: 'goods',
      type: 'collection',
    }
    await writeFile(join(from, 'shop/goods.metadata.json.gz'), gzipSync(JSON.stringify(metadata)))
    const to = join(home, 'from-mongodump')
    expect((await run({ kind: 'restore', from }, to)).said).toBe(
      "admin.system.version is left out: it is MongoDB's own\nshop.goods: 2 documents",
    )
    const serving = await serveEmbedded({ directory: to })
    const client = await new MongoClient(serving.uri).connect()
    const goods = client.db('shop').collection<{ _id: number }>('goods')
    expect(await goods.find().toArray()).toEqual([
      { _id: 1, a: 'x' },
      { _id: 2, a: 'y' },
    ])
    await expect(goods.insertOne({ _id: 3, a: 'x' } as { _id: number })).rejects.toMatchObject({
      code: 11000,
    })
    await client.close()
    await serving.close()
  })

  const server = process.env.MONGODB_URI
  it.skipIf(!server)('is taken by a MongoDB server, with the same documents and indexes', async () => {
    const client = await new MongoClient(server ?? '').connect()
    const database = client.db(`nexus_tools_${process.pid}`)
    const bytes = await readFile(join(home, 'layout/second/people%20%2F%20and%3A%20more.bson'))
    const metadata = await readFile(
      join(home, 'layout/second/people%20%2F%20and%3A%20more.metadata.json'),
      'utf8',
    )
    const documents: Record<string, unknown>[] = []
    for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) {
      documents.push(
        BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at)), { promoteValues: false }),
      )
    }
    try {
      await database.collection('people').insertMany(documents)
      const { indexes } = EJSON.parse(metadata, { relaxed: false }) as { indexes: Record<string, unknown>[] }
      const made = indexes.filter(({ name }) => name !== '_id_')
      await database.command({ createIndexes: 'people', indexes: made })
      const found = await database.collection('people').find().sort({ _id: 1 }).toArray()
      expect(found).toHaveLength(3000)
      expect(BSON.serialize(found[7] ?? {})).toEqual(
        BSON.serialize(BSON.deserialize(BSON.serialize(documents[7] ?? {}))),
      )
      expect(
        (await database.collection('people').listIndexes().toArray()).map(({ name }) => name).sort(),
      ).toEqual(indexes.map(({ name }) => String(name)).sort())
    } finally {
      await database.dropDatabase()
      await client.close()
    }
  })

  it('says what it cannot do before it does anything', async () => {
    const out = join(home, 'dump')
    expect(await run({ kind: 'dump', to: out })).toMatchObject({
      code: 1,
      said: expect.stringMatching(/is not empty/),
    })
    expect(await run({ kind: 'restore', from: out })).toMatchObject({
      code: 1,
      said: expect.stringMatching(/first\.types is there already: restore into a new directory/),
    })
    expect(await run({ kind: 'restore', from: join(home, 'store') }, join(home, 'nothing'))).toMatchObject({
      code: 1,
      said: expect.stringMatching(/holds no dump/),
    })
    const capped = join(home, 'capped')
    await mkdir(join(capped, 'shop'), { recursive: true })
    await writeFile(join(capped, 'shop/log.bson'), '')
    await writeFile(
      join(capped, 'shop/log.metadata.json'),
      '{"options":{"capped":true},"indexes":[],"type":"collection"}',
    )
    expect(await run({ kind: 'restore', from: capped }, join(home, 'nothing'))).toMatchObject({
      code: 1,
      said: expect.stringMatching(/shop\.log has the option 'capped'/),
    })
    const cut = join(home, 'cut')
    await mkdir(join(cut, 'shop'), { recursive: true })
    await writeFile(join(cut, 'shop/goods.bson'), BSON.serialize({ _id: 1, a: 'x' }).subarray(0, -3))
    expect(await run({ kind: 'restore', from: cut }, join(home, 'nothing'))).toMatchObject({
      code: 1,
      said: expect.stringMatching(/goods\.bson ends in the middle of a document/),
    })
  })
})

describe('a check', () => {
  it('is content with a sound store, and needs one', async () => {
    expect(await runCli(['--check', '--dir', directory])).toMatchObject({
      code: 0,
      said: expect.stringMatching(/is sound: 3 collections, 3004 documents, \d+ index entries\./),
    })
    expect(await runCli(['--check', '--dir', join(home, 'no-such')])).toMatchObject({
      code: 1,
      said: expect.stringMatching(/holds no store: name the directory/),
    })
  })

  const people = 'second.people / and: more'
  const cases: [
    string,
    RegExp,
    (level: Level, prefixes: { documents: Buffer; names: Buffer }) => Promise<void>,
  ][] = [
    [
      'a lost entry',
      /lacks an entry of the document with the _id 0$/m,
      async (level, { names }) => level.del(await firstKey(level, names)),
    ],
    [
      'an entry without a document',
      /the index name_1 has an entry without a document/,
      (level, { names }) => level.put(Buffer.concat([names, Buffer.from([15, 1, 0])]), Buffer.from([10, 0])),
    ],
    [
      'a lost document',
      /the index name_1 has an entry without a document/,
      async (level, { documents }) => level.del(await firstKey(level, documents)),
    ],
    [
      'a broken document',
      /is broken: InvalidBSON/,
      async (level, { documents }) =>
        level.put(await firstKey(level, documents), Buffer.from([9, 0, 0, 0, 5, 5])),
    ],
    [
      'a document under the key of another',
      /the document with the _id 77 lies under the key of another/,
      async (level, { documents }) =>
        level.put(await firstKey(level, documents), Buffer.from(BSON.serialize({ _id: 77 }))),
    ],
    [
      'a document that changed behind its index',
      /should not have/,
      async (level, { documents }) =>
        level.put(await firstKey(level, documents), Buffer.from(BSON.serialize({ _id: 0, name: 'other' }))),
    ],
    [
      'two documents with one key',
      /two documents share a key of the unique index name_1/,
      async (level, { documents }) =>
        level.put(await firstKey(level, documents), Buffer.from(BSON.serialize({ _id: 0, name: 'n1' }))),
    ],
    [
      'what belongs to no collection',
      /documents of the collection number 9999, which is not in the catalog/,
      (level) => level.put(Buffer.from([1, 0, 0, 0x27, 0x0f, 1]), Buffer.from(BSON.serialize({ _id: 1 }))),
    ],
    [
      'a counter behind what it counted',
      /but the next to be given is 1$/m,
      (level) => level.put(Buffer.from('\0next'), Buffer.from([0, 0, 0, 1])),
    ],
  ]

  it.each(cases)('finds %s', async (_, wanted, damage) => {
    const copy = join(home, 'damaged')
    await rm(copy, { recursive: true, force: true })
    await run({ kind: 'restore', from: join(home, 'layout') }, copy)
    const serving = await serveEmbedded({ directory: copy })
    const { store, catalog } = serving.engine
    const collection = catalog.require('second', people.slice('second.'.length))
    const names = collection.indexes.find(({ name }) => name === 'name_1')
    await damage(store.level, {
      documents: collection.prefix,
      names: indexPrefix(collection.id, names?.id ?? 0),
    })
    await serving.close()
    const { code, said } = await run({ kind: 'check' }, copy)
    expect(code).toBe(1)
    expect(said).toMatch(wanted)
    expect(said).toMatch(/is not sound: \d+ errors/)
  })
})

async function firstKey(level: Level, prefix: Buffer): Promise<Buffer> {
  const [key] = await level.keys({ gte: prefix, lt: afterPrefix(prefix), limit: 1 }).all()
  if (!key) throw new Error('nothing lies there')
  return key
}
