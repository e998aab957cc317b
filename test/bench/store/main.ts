import { MongoClient } from 'mongodb'
import type { Options } from '../options.ts'
import { residentMb } from '../process-stats.ts'
import { OPERATIONS, type Operation } from './operations.ts'
import { reportOperations } from './report.ts'
import { Embedded, otherServer, type StoreServer } from './server.ts'
import { fill, Tables } from './tables.ts'
import { memoryMb, Tally, takeTurn } from './turn.ts'

const SMALL = 1_000
/** Embedded and other take turns, E-O-O-E, so that whatever the machine does besides falls on both. */
const ROUNDS = 2

export const HOW_TO_GIVE_ANOTHER =
  'MONGODB_URI is not set, so the embedded store runs alone. To compare: MONGODB_URI=mongodb://127.0.0.1:27017/?directConnection=true npm run bench -- store'

type Print = (lines: string[]) => void

/** The embedded store beside a MongoDB-compatible server, operation by operation, on few and on many documents. */
export async function measureStore(options: Options, print: Print): Promise<void> {
  const embedded = new Embedded(options.profile)
  const startMs = await embedded.start()
  const servers: StoreServer[] = [embedded]
  const { MONGODB_URI } = process.env
  if (MONGODB_URI) servers.push(otherServer(MONGODB_URI))
  else print([HOW_TO_GIVE_ANOTHER])
  const tables = await Promise.all(servers.map(Tables.open))
  try {
    print([`embedded: listens ${Math.round(startMs)} ms after its start with nothing stored`])
    const sizes = [SMALL, options.documents]
    const results = new Map<number, Tally[][]>()
    for (const size of sizes) {
      for (const each of tables) {
        print([await fill(each, size)])
        await each.settle()
      }
      results.set(size, [])
      for (const operation of OPERATIONS)
        results.get(size)?.push(await measure(operation, tables, size, options))
      print(
        reportOperations(
          size,
          servers,
          results.get(size) ?? [],
          size === SMALL ? undefined : results.get(SMALL),
        ),
      )
    }
    print(servers.map((server) => `${server.name}: ${memoryMb(server)} MB in memory now`))
    print([`embedded: ${residentMb(embedded.pid, 'VmHWM')} MB at most`])
    if (tables[0]) print([await tables[0].buildIndex(options.documents)])
    print([await restart(embedded)])
  } finally {
    for (const each of tables) await each.drop().catch(() => undefined)
    for (const server of servers) await server.close()
  }
}

async function measure(
  operation: Operation,
  tables: readonly Tables[],
  size: number,
  { storeSeconds }: Options,
): Promise<Tally[]> {
  const tallies = tables.map(() => new Tally())
  for (let round = 0; round < ROUNDS; round++) {
    const order = tables.map((_, i) => (round % 2 === 0 ? i : tables.length - 1 - i))
    for (const i of order) {
      const { server, table, takeAway } = tables[i] as Tables
      await takeTurn(server, operation, table(size), storeSeconds, tallies[i] as Tally)
      if (operation.name.startsWith('insert')) await takeAway(size)
    }
  }
  return tallies
}

/** A start with everything stored, until the first answer. */
async function restart(embedded: Embedded): Promise<string> {
  await embedded.stop()
  const listening = await embedded.start()
  const since = performance.now()
  const client = await new MongoClient(embedded.uri).connect()
  await client.db().command({ ping: 1 })
  await client.close()
  return `embedded: with everything stored it listens ${Math.round(listening)} ms after its start, and answers ${Math.round(performance.now() - since)} ms later`
}
