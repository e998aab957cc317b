import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyBulkWriteOperation,
  type Collection,
  type Db,
  MongoBulkWriteError,
  MongoClient,
  MongoError,
  MongoServerError,
} from 'mongodb'
import { expect, it } from 'vitest'
import { runCli, type StoreProcess, startStore } from './support/process.ts'
import { Random } from './support/random.ts'

const KILLS = Number(process.env.KILLS ?? 30)
const SEED = Number(process.env.KILL_SEED ?? 1)
const CONNECTIONS = 3
const WRITERS = 4
const DUPLICATE_KEY = 11000
const INDEX_EXISTS_NOT = 27

interface Thing {
  _id: number
  n: number
  /** Unique. */
  name: string
  tags: number[]
}

/** How many changes a document has seen; undefined when it is not there. */
type Version = number | undefined

/**
 * What one writer knows. No other writer changes its documents, so each of them is as it was acknowledged, or as
 * the one change on its way when the process died would have it.
 */
class Ledger {
  readonly acknowledged = new Map<number, Version>()
  readonly onTheWay = new Map<number, Version>()
  readonly refused = new Set<number>()

  present(): number[] {
    return [...this.acknowledged].filter(([, version]) => version !== undefined).map(([id]) => id)
  }

  async change(changes: Map<number, Version>, send: () => Promise<unknown>): Promise<void> {
    for (const [id, version] of changes) this.onTheWay.set(id, version)
    await send()
    for (const [id, version] of changes) {
      this.acknowledged.set(id, version)
      this.onTheWay.delete(id)
    }
  }

  /** Compares with what is stored, and goes on from there. */
  settle(stored: ReadonlyMap<number, Version>): void {
    for (const id of this.refused) expect(stored.has(id), `the refused document ${id}`).toBe(false)
    for (const id of new Set([...this.acknowledged.keys(), ...this.onTheWay.keys()])) {
      const version = stored.get(id)
      const allowed = [this.acknowledged.get(id)]
      if (this.onTheWay.has(id)) allowed.push(this.onTheWay.get(id))
      expect(allowed, `document ${id}`).toContain(version)
      this.acknowledged.set(id, version)
    }
    this.onTheWay.clear()
  }
}

const thing = (id: number, n: number): Thing => ({ _id: id, n, name: `name ${id}`, tags: [id % 5, n % 7] })
const changed = (n: number) => ({ $inc: { n: 1 }, $push: { tags: { $each: [n % 7], $slice: -3 } } })

let nextId = 0

/** One change, chosen by chance; resolves when it is acknowledged. */
async function writeOnce(things: Collection<Thing>, ledger: Ledger, random: Random): Promise<void> {
  const present = ledger.present()
  const kind = present.length < 4 ? 0 : random.below(8)
  const id = present.length > 0 ? random.pick(present) : 0
  const n = ledger.acknowledged.get(id) ?? 0
  switch (kind) {
    case 0:
    case 1: {
      const fresh = nextId++
      return ledger.change(new Map([[fresh, 0]]), () => things.insertOne(thing(fresh, 0)))
    }
    case 2:
      return ledger.change(new Map([[id, n + 1]]), () => things.updateOne({ _id: id }, changed(n)))
    case 3:
      return ledger.change(new Map([[id, n + 1]]), () =>
        things.findOneAndUpdate({ name: `name ${id}` }, changed(n), { returnDocument: 'after' }),
      )
    case 4:
      return ledger.change(new Map([[id, n + 1]]), () => things.replaceOne({ _id: id }, thing(id, n + 1)))
    case 5:
      return ledger.change(new Map([[id, undefined]]), () => things.deleteOne({ _id: id }))
    case 6: {
      const [first = 0, second = 0] = [nextId++, nextId++]
      const operations: AnyBulkWriteOperation<Thing>[] = [
        { insertOne: { document: thing(first, 0) } },
        { updateOne: { filter: { _id: id }, update: changed(n) } },
        { insertOne: { document: thing(second, 0) } },
      ]
      return ledger.change(
        new Map([
          [first, 0],
          [id, n + 1],
          [second, 0],
        ]),
        () => things.bulkWrite(operations),
      )
    }
    default:
      return collide(things, ledger, id)
  }
}

/** A unique name that is taken: whatever happens, the second document may not be there. */
async function collide(things: Collection<Thing>, ledger: Ledger, taken: number): Promise<void> {
  const id = nextId++
  ledger.refused.add(id)
  const error = await things
    .insertOne({ ...thing(id, 0), name: `name ${taken}` })
    .catch((each: unknown) => each)
  if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return
  if (error instanceof Error) throw error
  throw new Error(`two documents are named "name ${taken}"`)
}

/** Makes and drops an index, again and again. */
async function changeIndexes(things: Collection<Thing>, random: Random): Promise<void> {
  if (random.chance(0.5)) await things.createIndex({ tags: 1, n: random.pick([1, -1]) })
  else {
    await things.dropIndex(`tags_1_n_${random.pick([1, -1])}`).catch((error: MongoServerError) => {
      if (error.code !== INDEX_EXISTS_NOT) throw error
    })
  }
}

/** Writes from many sides until the process is killed in the middle; answers how much was acknowledged. */
async function writeUntilKilled(store: StoreProcess, ledgers: Ledger[], random: Random): Promise<number> {
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => new MongoClient(store.uri, { retryWrites: false }).connect()),
  )
  const collections = clients.map((client) => client.db().collection<Thing>('things'))
  await collections[0]?.createIndex({ name: 1 }, { unique: true })
  const killAt = 10 + random.below(150)
  let acknowledged = 0
  let killed = false
  const untilKilled = async (write: () => Promise<void>): Promise<void> => {
    while (!killed) {
      await write()
      acknowledged++
      if (acknowledged < killAt || killed) continue
      killed = true
      store.child.kill('SIGKILL')
    }
  }
  // Nobody waits for a server that is gone.
  void store.exited.then(() => Promise.all(clients.map((client) => client.close())))
  const writers = ledgers.map((ledger, i) => {
    const things = collections[i % CONNECTIONS] as Collection<Thing>
    return untilKilled(() => writeOnce(things, ledger, random))
  })
  const indexer = untilKilled(() => changeIndexes(collections[0] as Collection<Thing>, random))
  const ends = await Promise.allSettled([...writers, indexer])
  for (const end of ends) {
    if (end.status === 'rejected' && !wasCutOff(end.reason)) throw end.reason
  }
  await store.exited
  return acknowledged
}

/** The process died before it answered. */
const wasCutOff = (error: unknown): boolean =>
  (error instanceof MongoError && !(error instanceof MongoServerError)) ||
  (error instanceof MongoBulkWriteError && /closed|ECONNRESET|ECONNREFUSED/.test(error.message))

async function verify(db: Db, ledgers: Ledger[]): Promise<void> {
  expect(await db.command({ validate: 'things' })).toMatchObject({ valid: true, errors: [] })
  const stored = await db.collection<Thing>('things').find().toArray()
  expect(new Set(stored.map(({ name }) => name)).size).toBe(stored.length)
  for (const document of stored) expect(document.name).toBe(`name ${document._id}`)
  const versions = new Map(stored.map(({ _id, n }) => [_id, n]))
  for (const ledger of ledgers) ledger.settle(versions)
  const known = new Set(ledgers.flatMap((ledger) => ledger.present()))
  expect([...versions.keys()].filter((id) => !known.has(id))).toEqual([])
}

it(`loses nothing it acknowledged to ${KILLS} kills under mixed writes`, {
  timeout: KILLS * 10_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-kill-'))
  const random = new Random(SEED)
  const ledgers = Array.from({ length: CONNECTIONS * WRITERS }, () => new Ledger())
  let acknowledged = 0
  let store = await startStore(directory)
  for (let kill = 1; kill <= KILLS; kill++) {
    acknowledged += await writeUntilKilled(store, ledgers, random)
    if (kill % 10 === 0) expect(await runCli(['--check', '--dir', directory])).toMatchObject({ code: 0 })
    store = await startStore(directory)
    const client = await new MongoClient(store.uri).connect()
    await verify(client.db(), ledgers)
    await client.close()
  }
  store.child.kill('SIGTERM')
  await store.exited
  const documents = ledgers.reduce((sum, ledger) => sum + ledger.present().length, 0)
  console.log(
    `kill -9: ${KILLS} times, ${acknowledged} acknowledged writes, ${documents} documents, none lost`,
  )
  await rm(directory, { recursive: true, force: true })
})
