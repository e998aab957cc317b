import { stat } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { BSON, Long, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEmbedded } from '../../../server/embedded/index.ts'
import { failureOf, openTestStore, type TestStore } from './support/embedded.ts'
import { Random } from './support/random.ts'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

const { deserialize, serialize } = BSON

const socketPath = () => join(store.directory, 'nexus.sock')

function frame(opcode: number, body: Buffer, requestId = 7): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32LE(16 + body.length, 0)
  header.writeInt32LE(requestId, 4)
  header.writeInt32LE(opcode, 12)
  return Buffer.concat([header, body])
}

function message(document: object, { flags = 0, requestId = 7, after = Buffer.alloc(0) } = {}): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(flags, 0)
  return frame(2013, Buffer.concat([head, Buffer.from(serialize(document)), after]), requestId)
}

/** Sends bytes and gathers answers until there are enough, or the connection ends. */
function exchange(
  bytes: Buffer,
  answers: number,
): Promise<{ documents: Record<string, unknown>[]; closed: boolean }> {
  return new Promise((resolve) => {
    const socket: Socket = connect(socketPath())
    let received = Buffer.alloc(0)
    const documents: Record<string, unknown>[] = []
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 16 && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0)
        const start = received.readInt32LE(12) === 1 ? 36 : 21
        documents.push(deserialize(received.subarray(start, length)))
        received = received.subarray(length)
      }
      if (documents.length >= answers) {
        resolve({ documents, closed: false })
        socket.destroy()
      }
    })
    socket.on('close', () => resolve({ documents, closed: true }))
    socket.on('error', () => undefined)
    socket.write(bytes)
  })
}

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
    const summed = message({ count: 'sequence', $db: 'x' }, { flags: 1, after: Buffer.from([1, 2, 3, 4]) })
    const { documents: answers } = await exchange(Buffer.concat([silent, summed]), 1)
    expect(answers[0]).toMatchObject({ n: 2, ok: 1 })
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

  it('stays up and flat under a thousand mutilated frames', async () => {
    const random = new Random(20)
    const whole = message({
      insert: 'hostile',
      documents: [{ a: 1, b: 'text', c: [1, { d: null }] }],
      $db: 'x',
    })
    const before = process.memoryUsage().rss
    for (let i = 0; i < 100; i++) {
      await Promise.all(
        random.times(10, () => {
          const bytes = Buffer.from(whole)
          for (let hit = 0; hit <= random.below(4); hit++)
            bytes[16 + random.below(bytes.length - 16)] = random.below(256)
          return exchange(bytes, 1)
        }),
      )
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
    expect(await store.db.command({ ping: 1 })).toMatchObject({ ok: 1 })
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
