import { readFileSync } from 'node:fs'
import type { Histogram } from 'hdr-histogram-js'
import { cpuSecondsWithEnded } from '../process-stats.ts'
import { histogram, record } from '../watch.ts'
import type { Operation, Table } from './operations.ts'
import type { StoreServer } from './server.ts'

/** What all turns of one operation at one server add up to. */
export class Tally {
  readonly latencies: Histogram = histogram()
  calls = 0
  seconds = 0
  /** Of the server's processes. */
  cpuSeconds = 0

  get perSecond(): number {
    return this.calls / this.seconds
  }

  get cpuMsPerCall(): number {
    return (this.cpuSeconds / this.calls) * 1000
  }
}

const WARM_UP = 0.1

/** Calls an operation until it was called often enough or the time is up; each caller waits for its answer. */
export async function takeTurn(
  server: StoreServer,
  operation: Operation,
  table: Table,
  seconds: number,
  into: Tally,
): Promise<void> {
  await repeat(
    operation,
    table,
    operation.calls * WARM_UP,
    performance.now() + seconds * 1000 * WARM_UP,
    undefined,
  )
  const cpuBefore = cpuOf(server)
  const since = performance.now()
  into.calls += await repeat(operation, table, operation.calls, since + seconds * 1000, into.latencies)
  into.seconds += (performance.now() - since) / 1000
  into.cpuSeconds += cpuOf(server) - cpuBefore
}

async function repeat(
  { run, atOnce, name }: Operation,
  table: Table,
  most: number,
  until: number,
  latencies: Histogram | undefined,
): Promise<number> {
  let begun = 0
  const caller = async (): Promise<void> => {
    while (begun < most && performance.now() < until) {
      begun++
      const since = performance.now()
      if (!(await run(table))) throw new Error(`${name} did not find what there is`)
      if (latencies) record(latencies, performance.now() - since)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  return begun
}

/** Seconds of processor time of all processes of a server; PostgreSQL's come and go with their connections. */
export const cpuOf = (server: StoreServer): number =>
  server.pids().reduce((sum, pid) => {
    try {
      return sum + cpuSecondsWithEnded(pid)
    } catch {
      return sum
    }
  }, 0)

/** Megabytes in memory, what processes share counted once. */
export function memoryMb(server: StoreServer): number {
  const kilobytes = server.pids().reduce((sum, pid) => {
    try {
      const [, pss] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
      return sum + Number(pss ?? 0)
    } catch {
      return sum
    }
  }, 0)
  return Math.round(kilobytes / 1024)
}
