import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BSON, Decimal128, Double, Long, MongoClient, ObjectId } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type StoreProcess, startStore } from './support/process.ts'
import { Random } from './support/random.ts'
import { frame, message } from './support/wire.ts'

const FRAMES = Number(process.env.HOSTILE_FRAMES ?? 2_500)
const AT_ONCE = 20
const MEBIBYTE = 1024 * 1024

let directory: string
let store: StoreProcess
let port: number
let client: MongoClient

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nexus-hostile-'))
  store = await startStore(directory)
  port = Number(new URL(store.uri).port)
  client = await new MongoClient(store.uri, { serverSelectionTimeoutMS: 5000 }).connect()
  await client
    .db('x')
    .collection<{ _id: number }>('things')
    .insertMany(
      Array.from({ length: 200 }, (_, i) => ({
        _id: i,
        a: i % 7,
        text: 'a'.repeat(40),
        list: [1, { b: i }],
      })),
    )
})
afterAll(async () => {
  await client.close()
  store.child.kill('SIGKILL')
  await store.exited
  await rm(directory, { recursive: true, force: true })
})

/** Resident memory of the store's process, in MiB. */
const resident = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${store.child.pid}/status`, 'utf8'))?.[1]) / 1024

/** Another client is answered meanwhile. */
async function isServed(): Promise<number> {
  const started = performance.now()
  expect(await client.db('x').command({ ping: 1 })).toMatchObject({ ok: 1 })
  return performance.now() - started
}

type End = 'answered' | 'closed' | 'silent'

/** Sends bytes; says how the store has taken them by the time `stop` is called. */
async function send(bytes: Buffer): Promise<{ ended: () => boolean; stop: () => End }> {
  const socket = connect({ port, host: '127.0.0.1' })
  let end: End = 'silent'
  const close = () => {
    if (end === 'silent') end = 'closed'
  }
  socket.on('data', () => {
    end = 'answered'
  })
  socket.on('end', close)
  socket.on('error', close)
  await new Promise((resolve) => socket.write(bytes, resolve))
  return {
    ended: () => end !== 'silent',
    stop: () => {
      socket.removeAllListeners('end')
      socket.destroy()
      return end
    },
  }
}

const DOCUMENT = {
  _id: new ObjectId('650000000000000000000001'),
  double: new Double(1.5),
  text: 'text',
  inner: { list: [1, 2, { deep: null }] },
  bytes: Buffer.from('bytes'),
  yes: true,
  when: new Date(0),
  long: Long.fromNumber(2 ** 40),
  decimal: Decimal128.fromString('1.5'),
  pattern: /^a/i,
}

const TEMPLATES: Buffer[] = [
  { insert: 'hostile', documents: [DOCUMENT], $db: 'x' },
  {
    find: 'things',
    filter: { a: { $in: [1, 2] }, text: { $regex: '^a' } },
    sort: { a: 1 },
    limit: 3,
    $db: 'x',
  },
  {
    update: 'hostile',
    updates: [{ q: { a: 1 }, u: { $set: { 'b.c': 1 }, $push: { d: 2 } }, upsert: true }],
    $db: 'x',
  },
  { delete: 'hostile', deletes: [{ q: { a: { $gt: 1 } }, limit: 1 }], $db: 'x' },
  {
    findAndModify: 'hostile',
    query: { a: 1 },
    update: { $inc: { n: 1 } },
    upsert: true,
    new: true,
    $db: 'x',
  },
  {
    aggregate: 'things',
    pipeline: [{ $match: { a: 1 } }, { $group: { _id: '$a', n: { $sum: 1 } } }],
    cursor: {},
    $db: 'x',
  },
  { createIndexes: 'hostile', indexes: [{ key: { a: 1 }, name: 'a_1' }], $db: 'x' },
  { getMore: Long.fromNumber(7), collection: 'things', $db: 'x' },
  { hello: 1, $db: 'admin' },
].map((command) => message(command))

const nested = (depth: number, type: number): Buffer => {
  let inner = Buffer.from([5, 0, 0, 0, 0])
  for (let i = 0; i < depth; i++) {
    const size = Buffer.alloc(4)
    size.writeInt32LE(inner.length + 8)
    inner = Buffer.concat([size, Buffer.from([type, 0x30, 0]), inner, Buffer.from([0])])
  }
  return inner
}

/** One hostile frame, chosen by chance. */
function hostileFrame(random: Random): Buffer {
  const whole = Buffer.from(random.pick(TEMPLATES))
  const somewhere = () => random.below(whole.length)
  switch (random.below(12)) {
    case 0:
      for (let hit = 0; hit <= random.below(3); hit++) {
        const at = 16 + random.below(whole.length - 16)
        whole[at] = (whole[at] as number) ^ (1 << random.below(8))
      }
      return whole
    case 1:
      for (let hit = 0; hit <= random.below(6); hit++)
        whole[16 + random.below(whole.length - 16)] = random.below(256)
      return whole
    case 2:
      return whole.subarray(0, somewhere())
    case 3:
      whole.writeInt32LE(
        random.pick([-1, 0, 1, 15, -2147483648, 2147483647, 48_000_000, whole.length - 1]),
        0,
      )
      return whole
    case 4:
      whole.writeInt32LE(random.pick([-1, 0, 4, -2147483648, 2147483647, whole.length]), 21)
      return whole
    case 5: {
      const at = 21 + random.below(Math.max(1, whole.length - 25))
      whole.writeInt32LE(random.pick([-1, 0, 2147483647, -2147483648, 65536]), Math.min(at, whole.length - 4))
      return whole
    }
    case 6:
      whole.writeInt32LE(random.pick([0, 1, 1000, 2001, 2002, 2004, 2005, 2010, 2012, 9999, -1]), 12)
      return whole
    case 7: {
      const depth = random.pick([100, 178, 181, 250, 2000])
      return frame(2013, Buffer.concat([Buffer.alloc(5), nested(depth, random.pick([3, 4]))]))
    }
    case 8: {
      // Text that is no UTF-8, and fields that come twice.
      const document = Buffer.from(
        BSON.serialize({ find: 'things', filter: { text: 'xxxx', texu: 'yyyy' }, $db: 'x' }),
      )
      document.fill(0xff, document.indexOf('xxxx'), document.indexOf('xxxx') + 4)
      document.write('text', document.indexOf('texu'))
      return frame(2013, Buffer.concat([Buffer.alloc(5), document]))
    }
    case 9: {
      const at = whole.indexOf(random.pick([2, 3, 4, 16, 1]), 26)
      if (at > 0) whole[at] = random.pick([0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 18, 20, 127, 255])
      return whole
    }
    case 10:
      return Buffer.from(random.times(random.below(400), () => random.below(256)))
    default:
      whole.writeUInt32LE(random.pick([1, 2, 4, 8, 0xffff, 0x10000, 0xffffffff]), 16)
      return whole
  }
}

describe('under hostile frames', () => {
  it(`stays up, answers others, and does not grow: ${FRAMES} of them`, async () => {
    const random = new Random(20)
    const ends: Record<End, number> = { answered: 0, closed: 0, silent: 0 }
    const throughSome = async (count: number) => {
      for (let i = 0; i < count; i += AT_ONCE) {
        const sent = await Promise.all(random.times(AT_ONCE, () => send(hostileFrame(random))))
        // Others are answered meanwhile; what was cut in the middle is waited for in vain.
        for (let ping = 0; ping < 20 && !sent.every(({ ended }) => ended()); ping++) await isServed()
        for (const { stop } of sent) ends[stop()]++
      }
    }
    // The first of them fill caches and compile code.
    await throughSome(FRAMES / 5)
    const before = resident()
    await throughSome((FRAMES * 4) / 5)
    const after = resident()
    expect(ends.answered).toBeGreaterThan(FRAMES / 20)
    expect(ends.closed).toBeGreaterThan(FRAMES / 5)
    console.log(
      `${FRAMES} hostile frames: ${JSON.stringify(ends)}, ${before.toFixed()} MiB before, ${after.toFixed()} MiB after`,
    )
    expect(after - before).toBeLessThan(60)
  })

  it('allocates nothing for what is only announced', async () => {
    const before = resident()
    const header = Buffer.alloc(16)
    header.writeInt32LE(48_000_000)
    header.writeInt32LE(2013, 12)
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect({ port, host: '127.0.0.1' })
        await new Promise((resolve) => socket.write(header, resolve))
        return socket
      }),
    )
    await isServed()
    expect(resident() - before).toBeLessThan(100)
    for (const socket of sockets) socket.destroy()
  })

  it('does not gather answers for a client that does not read them', async () => {
    const pad = 'x'.repeat(MEBIBYTE)
    await client
      .db('x')
      .collection<{ _id: number }>('big')
      .insertMany(Array.from({ length: 8 }, (_, i) => ({ _id: i, pad })))
    const before = resident()
    const ask = message({ find: 'big', $db: 'x' })
    const sockets: Socket[] = []
    for (let i = 0; i < 4; i++) {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.pause()
      for (let asked = 0; asked < 200; asked++) socket.write(ask)
      sockets.push(socket)
    }
    for (let i = 0; i < 20; i++) await isServed()
    // Together they asked for 6.4 GB.
    expect(resident() - before).toBeLessThan(400)
    for (const socket of sockets) socket.destroy()
  })
})

/** Nobody is kept waiting for so long by work that ends, on any machine; by work that does not, for ever. */
const STUCK_MS = 30_000

describe('under hostile commands', () => {
  const deepAnd = (depth: number): object => (depth === 0 ? { a: 1 } : { $and: [deepAnd(depth - 1)] })
  const project = (e: object) => ({ aggregate: 'things', pipeline: [{ $project: { e } }], cursor: {} })
  const doubled = (initialValue: unknown, operator: string) => ({
    $reduce: { input: { $range: [0, 40] }, initialValue, in: { [operator]: ['$$value', '$$value'] } },
  })
  const cases: [string, object][] = [
    [
      'a list of a million',
      { find: 'things', filter: { a: { $in: Array.from({ length: 1_000_000 }, (_, i) => i) } } },
    ],
    [
      'a pattern that backtracks',
      { find: 'things', filter: { text: { $regex: '^(a+)+$', $options: 'i' }, a: 1 } },
    ],
    [
      'a pattern that backtracks, and does not match',
      { find: 'things', filter: { text: { $regex: '^((a+)+)+!$' } } },
    ],
    ['a negative size', { find: 'things', filter: { list: { $size: -1 } } }],
    ['a limit beyond every number', { find: 'things', limit: Long.MAX_VALUE, skip: Long.MAX_VALUE }],
    ['a negative batch', { find: 'things', batchSize: -1 }],
    [
      'an increment beyond every number',
      {
        update: 'hostile',
        updates: [
          { q: { _id: 1 }, u: { $inc: { n: Long.MAX_VALUE } }, upsert: true },
          { q: { _id: 1 }, u: { $inc: { n: Long.MAX_VALUE } } },
        ],
      },
    ],
    [
      'powers of powers',
      {
        aggregate: 'things',
        pipeline: [{ $project: { p: { $pow: [{ $pow: [10, 300] }, 300] } } }],
        cursor: {},
      },
    ],
    ['a range beyond memory', project({ $size: { $range: [0, 2 ** 31 - 1] } })],
    ['arrays of arrays', project({ $map: { input: { $range: [0, 3000] }, in: { $range: [0, 100_000] } } })],
    ['a string that doubles', project({ $strLenCP: doubled('text', '$concat') })],
    ['an array that doubles', project({ $size: doubled([1], '$concatArrays') })],
    ['a pattern in an expression', project({ $regexMatch: { input: '$text', regex: '^((a+)+)+!$' } })],
    ['a deep filter', { find: 'things', filter: deepAnd(80) }],
    ['a deeper filter', { find: 'things', filter: deepAnd(89) }],
    [
      'a sort by everything',
      { find: 'things', sort: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, 1])) },
    ],
    [
      'an array index beyond every array',
      {
        update: 'hostile',
        updates: [
          { q: { _id: 'x' }, u: { $set: { 'list.2000000000': 1 } }, upsert: true },
          { q: { _id: 'y' }, u: { $set: { list: [] } }, upsert: true },
          { q: { _id: 'y' }, u: { $set: { 'list.2000000000': 1 } } },
        ],
      },
    ],
    [
      'a prototype',
      {
        update: 'hostile',
        updates: [
          {
            q: { _id: 'p' },
            u: { $set: { '__proto__.polluted': 1, 'constructor.prototype.polluted': 1 } },
            upsert: true,
          },
        ],
      },
    ],
    [
      'a path of a thousand steps',
      { find: 'things', filter: { [Array.from({ length: 1000 }, () => 'a').join('.')]: 1 } },
    ],
    [
      'a thousand alternatives',
      {
        find: 'things',
        filter: { $or: Array.from({ length: 1000 }, (_, i) => ({ a: i, [`f${i}`]: { $gt: i } })) },
      },
    ],
    ['a name that is none', { find: 'x\u0000y' }],
    ['a command that is a number', { insert: 5, documents: [{}] }],
    [
      'an index of itself',
      {
        createIndexes: 'hostile',
        indexes: [
          { key: { 'a.b': 1, a: 1 }, name: 'x' },
          { key: {}, name: 'y' },
        ],
      },
    ],
  ]
  it.each(cases)('%s is answered, and others meanwhile', async (_, command) => {
    const answer = client
      .db('x')
      .command(command)
      .then(
        (answered) => answered.ok,
        (error: Error) => `${error.name}: ${error.message}`,
      )
    const waited = await isServed()
    expect([1, expect.stringMatching(/^Mongo(Server|Bulk\w+)?Error|BSONError/)]).toContainEqual(await answer)
    expect(waited).toBeLessThan(STUCK_MS)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
