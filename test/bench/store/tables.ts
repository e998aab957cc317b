import { MongoClient } from 'mongodb'
import { residentMb } from '../process-stats.ts'
import { INDEXES, INSERTED, type Table, type Thing, thing } from './operations.ts'
import type { StoreServer } from './server.ts'
import { cpuOf, memoryMb } from './turn.ts'

const DATABASE = 'nexus_store_bench'
const LOADED_AT_ONCE = 1_000
const IDLE_PINGS_MS = 5_000
const SETTLING_S = 60

/** The collections of one server, one of each size. */
export class Tables {
  readonly server: StoreServer
  readonly #client: MongoClient
  readonly #tables = new Map<number, Table>()

  private constructor(server: StoreServer, client: MongoClient) {
    this.server = server
    this.#client = client
  }

  static readonly open = async (server: StoreServer): Promise<Tables> => {
    const client = new MongoClient(server.uri, {
      maxPoolSize: 16,
      writeConcern: { w: 'majority', journal: true },
    })
    const tables = new Tables(await client.connect().then(() => server), client)
    await tables.drop(false)
    return tables
  }

  readonly table = (size: number): Table => {
    const known = this.#tables.get(size)
    if (known) return known
    let seed = size
    let id = INSERTED
    const table: Table = {
      things: this.#client.db(DATABASE).collection<Thing>(`things${size}`),
      size,
      below: (limit) => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
        return Math.floor((seed / 2 ** 32) * limit)
      },
      nextId: () => id++,
    }
    this.#tables.set(size, table)
    return table
  }

  /** Removes what a turn has inserted, so that the size stays what it is called. */
  readonly takeAway = async (size: number): Promise<void> => {
    await this.table(size).things.deleteMany({ _id: { $gte: INSERTED } })
  }

  /** Builds an index on what is there, and asks for a sign of life before and all the while. */
  async buildIndex(size: number): Promise<string> {
    const { things } = this.table(size)
    const watcher = await new MongoClient(this.server.uri, { maxPoolSize: 1 }).connect()
    let done = false
    const longestWait = async (): Promise<number> => {
      let longest = 0
      while (!done) {
        const asked = performance.now()
        await watcher.db(DATABASE).command({ ping: 1 })
        longest = Math.max(longest, performance.now() - asked)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      return longest
    }
    setTimeout(() => {
      done = true
    }, IDLE_PINGS_MS)
    const idle = await longestWait()
    done = false
    const since = performance.now()
    const building = things.createIndex({ from: 1, at: -1 }).finally(() => {
      done = true
    })
    const busy = await longestWait()
    await building
    await watcher.close()
    const seconds = (performance.now() - since) / 1000
    return `${this.server.name}: an index on ${size.toLocaleString('en')} documents is built in ${seconds.toFixed(1)} s; a ping waits ${busy.toFixed(1)} ms at most meanwhile, ${idle.toFixed(1)} ms in the ${IDLE_PINGS_MS / 1000} s before`
  }

  /** Waits until the server has done what it put off, as far as a minute suffices. */
  async settle(): Promise<void> {
    for (let i = 0; i < SETTLING_S; i++) {
      const before = cpuOf(this.server)
      await new Promise((resolve) => setTimeout(resolve, 1000))
      if (cpuOf(this.server) - before < 0.05) return
    }
  }

  async drop(close = true): Promise<void> {
    await this.#client.db(DATABASE).dropDatabase()
    if (close) await this.#client.close()
  }
}

/** Loads a collection with its indexes. */
export async function fill(tables: Tables, size: number): Promise<string> {
  const { things } = tables.table(size)
  const since = performance.now()
  await things.insertOne(thing(INSERTED, size))
  for (const { key } of INDEXES) await persist(() => things.createIndex(key as Record<string, 1 | -1>))
  await things.deleteOne({ _id: INSERTED })
  for (let from = 0; from < size; from += LOADED_AT_ONCE) {
    const length = Math.min(LOADED_AT_ONCE, size - from)
    await things.insertMany(
      Array.from({ length }, (_, i) => thing(from + i, size)),
      { ordered: false },
    )
  }
  const seconds = (performance.now() - since) / 1000
  const [pid] = tables.server.pids()
  const peak = tables.server.name === 'embedded' && pid ? `, ${residentMb(pid, 'VmHWM')} MB at most` : ''
  return `${tables.server.name}: ${size.toLocaleString('en')} documents loaded with their indexes in ${seconds.toFixed(1)} s (${Math.round(size / seconds)}/s); ${memoryMb(tables.server)} MB in memory${peak}`
}

const ATTEMPTS = 10
const PAUSE_MS = 300

/** DocumentDB refuses an index now and then, and takes it when it is asked again. */
async function persist(attempt: () => Promise<unknown>): Promise<void> {
  for (let i = 1; ; i++) {
    try {
      await attempt()
      return
    } catch (error) {
      if (i === ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}
