import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BSON, Long, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { crc32c } from '../../../server/embedded/crc32c.ts'
import { startEmbedded } from '../../../server/embedded/index.ts'
import { failureOf, openTestStore, type TestStore } from './support/embedded.ts'
import { exchange as exchangeAt, frame, message, withChecksum } from './support/wire.ts'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

const { serialize } = BSON
const at = () => ({ path: join(store.directory, 'nexus.sock') })
const exchange = (bytes: Buffer, answers: number) => exchangeAt(at(), bytes, answers)

describe('the wire', () => {
  it('says hello as a standalone, by both opcodes', async () => {
    const legacy = Buffer.concat([
      Buffer.alloc(4),
      Buffer.from('admin.$cmd\0'),
      Buffer.alloc(4),
      Buffer.from([255, 255, 255, 255]),
      serialize({ isMaster: 1, helloOk: true }),
    ])
    for (const bytes of [message({ hello: 1, $db: 'admin' }), frame(2004, legacy)]) {
      const { documents } = await exchange(bytes, 1)
      expect(documents[0]).toMatchObject({
        maxWireVersion: 21,
        maxBsonObjectSize: 16777216,
        maxWriteBatchSize: 100000,
        ok: 1,
      })
      expect(documents[0]).not.toHaveProperty('setName')
    }
  })

  it('answers the requests of one connection in their order', async () => {
    const requests = Array.from({ length: 40 }, (_, i) =>
      message(i % 2 ? { ping: 1, $db: 'x' } : { insert: 'order', documents: [{ _id: i }], $db: 'x' }, {
        requestId: i,
      }),
    )
    const { documents } = await exchange(Buffer.concat(requests), 40)
    expect(documents.map((answer) => 'n' in answer)).toEqual(requests.map((_, i) => i % 2 === 0))
  })

  it('takes document sequences and checksums, and is silent when nobody waits', async () => {
    const documents = Buffer.concat([serialize({ _id: 1 }), serialize({ _id: 2 })])
    const name = Buffer.from('documents\0')
    const size = Buffer.alloc(4)
    size.writeInt32LE(4 + name.length + documents.length)
    const sequence = Buffer.concat([Buffer.from([1]), size, name, documents])
    const silent = message({ insert: 'sequence', $db: 'x' }, { flags: 2, after: sequence })
    const summed = withChecksum(message({ count: 'sequence', $db: 'x' }, { flags: 1 }))
    const { documents: answers } = await exchange(Buffer.concat([silent, summed]), 1)
    expect(answers[0]).toMatchObject({ n: 2, ok: 1 })
    const changed = Buffer.from(summed)
    changed[40] = (changed[40] as number) ^ 1
    expect(await exchange(changed, 1)).toEqual({ documents: [], closed: true })
  })

  it('computes the checksum that everyone computes', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  })

  it('answers a client that would take more with the one answer there is', async () => {
    const bytes = message({ hello: 1, $db: 'admin' }, { flags: 1 << 16 })
    const { documents } = await exchange(Buffer.concat([bytes, message({ ping: 1, $db: 'x' })]), 2)
    expect(documents.map((answer) => 'isWritablePrimary' in answer)).toEqual([true, false])
  })

  it('takes no compression, and says so before anybody tries', async () => {
    const { documents } = await exchange(
      message({ hello: 1, compression: ['snappy', 'zlib'], $db: 'admin' }),
      1,
    )
    expect(documents[0]).not.toHaveProperty('compression')
    expect(await exchange(frame(2012, Buffer.alloc(20)), 1)).toEqual({ documents: [], closed: true })
  })

  it('closes what breaks the protocol, and nothing else', async () => {
    const hugeLength = Buffer.from([0xff, 0xff, 0xff, 0x7f, ...Array(12).fill(0)])
    const nested = Buffer.alloc(5)
    nested.writeInt32LE(2_000_000)
    const deep = Array.from({ length: 300 }).reduce<object>((inner) => ({ a: inner }), {})
    const broken = [
      hugeLength,
      frame(2013, Buffer.alloc(3)),
      frame(9999, Buffer.alloc(40)),
      frame(2013, Buffer.concat([Buffer.alloc(5), nested])),
      message({ ping: 1 }, { flags: 4 }),
      message(deep),
      frame(2004, Buffer.from('x')),
    ]
    for (const bytes of broken) expect(await exchange(bytes, 1)).toEqual({ documents: [], closed: true })
    expect(await store.db.command({ ping: 1 })).toMatchObject({ ok: 1 })
  })

  it('serves a cursor to another connection than the one that opened it', async () => {
    await store.db.collection<{ _id: number }>('across').insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }])
    const opened = await exchange(message({ find: 'across', batchSize: 1, $db: store.db.databaseName }), 1)
    const { id } = (opened.documents[0]?.cursor ?? {}) as { id: Long }
    const more = await exchange(message({ getMore: id, collection: 'across', $db: store.db.databaseName }), 1)
    expect(more.documents[0]).toMatchObject({ cursor: { id: 0, nextBatch: [{ _id: 2 }, { _id: 3 }] } })
  })

  it('serves five hundred connections at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        exchange(
          Buffer.concat([
            message({ insert: 'many', documents: [{ _id: i }], $db: 'x' }),
            message({ find: 'many', filter: { _id: i }, $db: 'x' }),
          ]),
          2,
        ),
      ),
    )
    for (const [i, { documents }] of answers.entries()) {
      expect(documents).toMatchObject([{ n: 1 }, { cursor: { firstBatch: [{ _id: i }] } }])
    }
  })

  it('holds the limits it announces', async () => {
    const ids = Array.from({ length: 100_001 }, () => ({}))
    const tooMany = await exchange(message({ insert: 'limits', documents: ids, $db: 'x' }), 1)
    expect(tooMany.documents[0]).toMatchObject({ ok: 0, code: 16 })
    const tooLong = Buffer.alloc(16)
    tooLong.writeInt32LE(48_000_001)
    expect(await exchange(tooLong, 1)).toEqual({ documents: [], closed: true })
    const big = (bytes: number) => {
      const empty = serialize({ _id: 1, pad: '' }).length
      const document = serialize({ _id: 1, pad: 'x'.repeat(bytes - empty) })
      const name = Buffer.from('documents\0')
      const head = Buffer.alloc(5)
      head[0] = 1
      head.writeInt32LE(4 + name.length + document.length, 1)
      const after = Buffer.concat([head, name, document])
      return exchange(message({ insert: 'limits', $db: 'x' }, { after }), 1)
    }
    expect((await big(16 * 1024 * 1024 + 1)).documents[0]).toMatchObject({
      n: 0,
      writeErrors: [{ code: 10334 }],
    })
    expect((await big(16 * 1024 * 1024)).documents[0]).toMatchObject({ n: 1, ok: 1 })
  })

  it('ends a client that is silent in the middle of a message, and no other', async () => {
    const impatient = await openTestStore({ halfFrameMs: 50 })
    try {
      const path = join(impatient.directory, 'nexus.sock')
      const half = message({ ping: 1, $db: 'x' }).subarray(0, 20)
      expect(await exchangeAt({ path }, half, 1)).toEqual({ documents: [], closed: true })
      expect(await impatient.db.command({ ping: 1 })).toMatchObject({ ok: 1 })
    } finally {
      await impatient.close()
    }
  })

  it('refuses by name what it does not know', async () => {
    const cases: [object, number, string][] = [
      [{ mapReduce: 'x' }, 59, "no such command: 'mapReduce'"],
      [{ find: 'x', flavour: 1 }, 40415, "BSON field 'find.flavour' is an unknown field."],
      [{ find: 'x', filter: { a: { $near: [1, 2] } } }, 238, '$near'],
      [{ find: 'x', filter: { a: { $nope: 1 } } }, 2, 'unknown operator: $nope'],
      [{ find: 'x', filter: { $where: 'true' } }, 238, '$where'],
      [{ aggregate: 'x', pipeline: [{ $nope: 1 }], cursor: {} }, 40324, "'$nope'"],
      [{ aggregate: 'x', pipeline: [{ $changeStream: {} }], cursor: {} }, 40573, '$changeStream'],
      [{ aggregate: 'x', pipeline: [{ $project: { a: { $nope: 1 } } }], cursor: {} }, 168, '$nope'],
      [{ update: 'x', updates: [{ q: {}, u: { $nope: { a: 1 } } }] }, 9, '$nope'],
      [{ create: 'x', capped: true, size: 1 }, 238, 'capped'],
      [{ find: 'x', collation: { locale: 'de' } }, 238, 'collation'],
    ]
    for (const [command, code, words] of cases) {
      const answer = 'update' in command ? writeErrorOf(command) : failureOf(store.db.command(command))
      const { code: given, message: text } = await answer
      expect([given, text]).toEqual([code, expect.stringContaining(words)])
    }
  })

  async function writeErrorOf(command: object) {
    const { writeErrors } = await store.db.command(command)
    return { code: writeErrors[0].code, message: writeErrors[0].errmsg }
  }

  it('accepts sessions and refuses transactions', async () => {
    const session = store.client.startSession()
    await store.db.collection('sessions').insertOne({ a: 1 }, { session })
    const started = {
      insert: 'sessions',
      documents: [{ a: 2 }],
      txnNumber: Long.fromNumber(1),
      startTransaction: true,
      autocommit: false,
    }
    expect(await failureOf(store.db.command(started))).toMatchObject({ code: 20 })
    await session.endSession()
  })
})

describe('the thread', () => {
  it('serves a private socket, and one process at a time', async () => {
    const directory = join(store.directory, 'thread')
    const embedded = await startEmbedded({ directory })
    const client = await new MongoClient(embedded.uri).connect()
    await client.db().collection('t').insertOne({ a: 1 })
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    expect((await stat(join(directory, 'nexus.sock'))).mode & 0o777).toBe(0o600)
    const { message: told } = await failureOf(startEmbedded({ directory }))
    expect(told).toMatch(/already open in another process.*DATA_DIR/)
    await client.close()
    await embedded.close()
    const again = await startEmbedded({ directory, listen: { host: '127.0.0.1', port: 0 } })
    const byPort = await new MongoClient(again.uri).connect()
    expect(await byPort.db().collection('t').countDocuments()).toBe(1)
    await byPort.close()
    await again.close()
  })
})
