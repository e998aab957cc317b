import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Collection, MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { encodeDocument } from '../../server/embedded/bson/plain.ts'
import { documentOf } from '../../server/embedded/bson/raw.ts'
import { Engine } from '../../server/embedded/engine.ts'
import { startStore } from '../server/embedded/support/process.ts'
import { Random } from '../server/embedded/support/random.ts'

/** A gigabyte takes two minutes to make: BIG_STORE=600000 asks for it. */
const DOCUMENTS = Number(process.env.BIG_STORE ?? 0)
const STARTS = 7
const UPDATES = 3000

interface Thing {
  _id: number
  text: string
}

const noise = randomBytes(4 * 1024 * 1024).toString('base64')
const text = (random: Random): string => {
  const at = random.below(noise.length - 1600)
  return noise.slice(at, at + 1550)
}

async function fill(directory: string, random: Random): Promise<void> {
  const engine = await Engine.open({ directory })
  const things = engine.catalog.create('nexus', 'big', encodeDocument({}))
  for (const specification of [
    { key: { owner: 1, at: -1 }, name: 'owner' },
    { key: { name: 1 }, name: 'name', unique: true },
    { key: { tags: 1 }, name: 'tags' },
  ]) {
    engine.catalog.addIndex(things, engine.catalog.newIndex(documentOf(encodeDocument(specification))))
  }
  for (let i = 0; i < DOCUMENTS; i++) {
    const tags = [i % 17, i % 31]
    const document = { _id: i, owner: i % 5000, at: new Date(i), name: `name ${i}`, tags, text: text(random) }
    things.insert(encodeDocument(document))
    if (i % 1000 === 999) await engine.store.commit()
  }
  await engine.store.commit()
  await engine.close()
}

async function logBytes(directory: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(directory)) {
    if (name.endsWith('.log')) bytes += (await stat(join(directory, name))).size
  }
  return bytes
}

/** Updates documents everywhere in the collection, and kills the process in the middle. */
async function updateAndKill(things: Collection<Thing>, random: Random, kill: () => void): Promise<void> {
  let updates = 0
  const target = 500 + random.below(UPDATES)
  const update = async () => {
    while (updates < target) {
      await things.updateOne({ _id: random.below(DOCUMENTS) }, { $set: { text: text(random) } })
      updates++
    }
    kill()
  }
  await Promise.allSettled(Array.from({ length: 16 }, update))
}

it.skipIf(DOCUMENTS === 0)(
  'a store of a gigabyte answers within a second of its start, after a kill under writes',
  { timeout: 900_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nexus-big-'))
    const random = new Random(3)
    await fill(directory, random)
    const took: number[] = []
    for (let start = 0; start < STARTS; start++) {
      const log = await logBytes(directory)
      const began = performance.now()
      const { child, uri, exited } = await startStore(directory)
      const client = await new MongoClient(uri, { retryWrites: false }).connect()
      const things = client.db().collection<Thing>('big')
      expect(await things.findOne({ name: 'name 4711' } as object)).toMatchObject({ _id: 4711 })
      took.push(performance.now() - began)
      console.log(
        `first answer after ${took.at(-1)?.toFixed()} ms, with a log of ${(log / 1e6).toFixed(1)} MB`,
      )
      void exited.then(() => client.close())
      await updateAndKill(things, random, () => child.kill('SIGKILL'))
      await exited
    }
    const [median = 0] = took.sort((a, b) => a - b).slice(STARTS >> 1)
    expect(median).toBeLessThan(1000)
    await rm(directory, { recursive: true, force: true })
  },
)
