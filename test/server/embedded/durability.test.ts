import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { serveEmbedded } from '../../../server/embedded/index.ts'
import { startStore } from './support/process.ts'
import { Random } from './support/random.ts'

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 4)
const WRITERS = 12

interface Counter {
  _id: number
  n: number
  owner: string
  tags: number[]
}

it('loses no acknowledged write to kill -9, and keeps indexes and uniqueness', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-kill-'))
  const random = new Random(99)
  /** What the store acknowledged: the value each document must have at least. */
  const acknowledged = new Map<number, number>()
  const attempted = new Map<number, number>()
  let writes = 0
  let nextId = 0
  for (let round = 0; round < ROUNDS; round++) {
    const { child, uri, exited } = await startStore(directory)
    const client = await new MongoClient(uri, {
      maxPoolSize: WRITERS,
      serverSelectionTimeoutMS: 500,
    }).connect()
    const counters = client.db().collection<Counter>('counters')
    await counters.createIndexes([{ key: { owner: 1 }, unique: true }, { key: { tags: 1, n: -1 } }])
    const killAt = writes + 60 + random.below(250)
    let killed = false
    const write = async (): Promise<void> => {
      while (!killed) {
        if (acknowledged.size === 0 || random.chance(0.3)) {
          const id = nextId++
          attempted.set(id, 0)
          await counters.insertOne({ _id: id, n: 0, owner: `o${id}`, tags: [id % 5, id % 7] })
          acknowledged.set(id, 0)
        } else {
          const id = random.pick([...acknowledged.keys()])
          attempted.set(id, (attempted.get(id) ?? 0) + 1)
          const after = await counters.findOneAndUpdate(
            { _id: id },
            { $inc: { n: 1 }, $push: { tags: { $each: [id], $slice: -3 } } },
            { returnDocument: 'after' },
          )
          acknowledged.set(id, Math.max(acknowledged.get(id) ?? 0, after?.n ?? 0))
        }
        writes++
        if (writes >= killAt && !killed) {
          killed = true
          child.kill('SIGKILL')
        }
      }
    }
    await Promise.allSettled(Array.from({ length: WRITERS }, write))
    // On a busy machine the driver may give all writers up before the moment has come.
    child.kill('SIGKILL')
    await exited
    await client.close()
    await checkStore(directory, acknowledged, attempted)
  }
  console.log(
    `kill -9: ${ROUNDS} times, ${writes} acknowledged writes, ${acknowledged.size} documents, none lost`,
  )
  await rm(directory, { recursive: true, force: true })
})

async function checkStore(
  directory: string,
  acknowledged: Map<number, number>,
  attempted: Map<number, number>,
): Promise<void> {
  const serving = await serveEmbedded({ directory })
  const client = await new MongoClient(serving.uri).connect()
  try {
    const db = client.db()
    expect(await db.command({ validate: 'counters' })).toMatchObject({ valid: true, errors: [] })
    const stored = new Map(
      (await db.collection<Counter>('counters').find().toArray()).map((each) => [each._id, each]),
    )
    for (const [id, n] of acknowledged) {
      const found = stored.get(id)
      expect(found, `document ${id}`).toBeDefined()
      expect(found?.n).toBeGreaterThanOrEqual(n)
      expect(found?.n).toBeLessThanOrEqual(attempted.get(id) ?? 0)
      acknowledged.set(id, found?.n ?? 0)
      attempted.set(id, found?.n ?? 0)
    }
    expect(new Set([...stored.values()].map((each) => each.owner)).size).toBe(stored.size)
  } finally {
    await client.close()
    await serving.close()
  }
}

it('finishes what a crash left of a drop or an index build', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-half-'))
  const first = await serveEmbedded({ directory })
  const { store, catalog } = first.engine
  const client = await new MongoClient(first.uri).connect()
  await client
    .db()
    .collection('kept')
    .insertMany([{ a: 1 }, { a: 2 }])
  await client
    .db()
    .collection('gone')
    .insertMany([{ a: 1 }, { a: 2 }])
  await client.db().collection('kept').createIndex({ a: 1 })
  const kept = catalog.require('nexus', 'kept')
  const [index] = kept.indexes
  if (index) index.building = true
  catalog.save(kept)
  catalog.drop(catalog.require('nexus', 'gone'))
  await store.commit()
  await client.close()
  await first.close()
  const second = await serveEmbedded({ directory })
  expect(second.engine.catalog.require('nexus', 'kept').indexes).toEqual([])
  expect(second.engine.catalog.get('nexus', 'gone')).toBeUndefined()
  const left = async () => (await second.engine.store.level.keys().all()).filter((key) => key[0] !== 0).length
  await expect.poll(left).toBe(2)
  await second.close()
  await rm(directory, { recursive: true, force: true })
})

it('refuses a format it does not know, by name', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-format-'))
  const level = new ClassicLevel<string, string>(directory)
  await level.put('\0format', '99')
  await level.close()
  await expect(serveEmbedded({ directory })).rejects.toThrow(/storage format 99; this version reads format 1/)
  await rm(directory, { recursive: true, force: true })
})
