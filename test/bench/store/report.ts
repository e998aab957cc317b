import { type Latency, latencyOf } from '../watch.ts'
import { OPERATIONS } from './operations.ts'
import type { StoreServer } from './server.ts'
import type { Tally } from './turn.ts'

const HEAD =
  '| Operation | embedded p50 / p95 / p99, ms | calls/s | processor, ms | other p50 / p95 / p99, ms | calls/s | processor, ms | p50, embedded to other | processor, embedded to other | p50, many to few |'

/** A table of all operations on one size. @param few the same operations on few documents, to compare with */
export function reportOperations(
  size: number,
  servers: readonly StoreServer[],
  tallies: readonly Tally[][],
  few: readonly Tally[][] | undefined,
): string[] {
  const rows = OPERATIONS.map((operation, i) => {
    const [embedded, other] = tallies[i] ?? []
    const [before] = few?.[i] ?? []
    return row([
      operation.name,
      ...(embedded ? figures(embedded) : ['', '', '']),
      ...(other ? figures(other) : ['', '', '']),
      embedded && other ? ratio(p50(embedded), p50(other)) : '',
      embedded && other ? ratio(embedded.cpuMsPerCall, other.cpuMsPerCall) : '',
      embedded && before && operation.scales ? ratio(p50(embedded), p50(before)) : '',
    ])
  })
  return [
    `${size.toLocaleString('en')} documents, ${servers.map(({ name }) => name).join(' and ')} in turns`,
    '',
    HEAD,
    row(Array(10).fill('---')).replaceAll(' ', ''),
    ...rows,
  ]
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const p50 = (tally: Tally): number => latencyOf(tally.latencies).p50

function figures(tally: Tally): string[] {
  const { p50, p95, p99 }: Latency = latencyOf(tally.latencies)
  return [[p50, p95, p99].map(shown).join(' / '), tally.perSecond.toFixed(0), shown(tally.cpuMsPerCall)]
}

const shown = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms.toFixed(0))

const ratio = (a: number, b: number): string => (a / b).toFixed(2)
