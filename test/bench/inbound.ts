import type { InboundResult } from './generator.ts'
import type { Server, Stage } from './stage.ts'
import { median, spread, turns } from './statistics.ts'

type Run = InboundResult & { cpu: Record<string, number> }
const WARM_SECONDS = 3
/** Enough that the server is never idle; more would only measure the queue. */
const CONNECTIONS = 64

/** Webhook to ten agents' sockets at a fixed rate, from the moment each was due. */
export async function measureLatency(stage: Stage): Promise<string[]> {
  const { rate, latencySeconds, repeats } = stage.options
  const runs: Record<Server, Run[]> = { floor: [], product: [] }
  await stage.product.loopDelayMs()
  for (const server of turns(repeats))
    runs[server].push(
      await stage.inbound(server, 'openLoop', { rate, warmSeconds: WARM_SECONDS, seconds: latencySeconds }),
    )
  const loopDelay = await stage.product.loopDelayMs()
  const lines = [
    `inbound at ${rate}/s for ${latencySeconds} s after ${WARM_SECONDS} s of warm-up, webhook to ten agents' sockets, ms (median of ${repeats}, spread):`,
  ]
  for (const which of ['p50', 'p95', 'p99', 'p999', 'max'] as const) {
    const of = (server: Server) => runs[server].map(({ delivered }) => delivered[which])
    const ratio = median(of('product')) / median(of('floor'))
    lines.push(
      `  ${which.padEnd(5)} floor ${spread(of('floor'))}   product ${spread(of('product'))}   ratio ${ratio.toFixed(2)}`,
    )
  }
  const answered = (server: Server) => spread(runs[server].map((run) => run.answered.p99))
  lines.push(`  webhook answered, p99: floor ${answered('floor')}   product ${answered('product')}`)
  lines.push(...cpuLines(runs), `  event loop delay of the product, p99: ${loopDelay.toFixed(1)} ms`)
  return lines
}

/** The most that goes through: each run ends when the last message is at the last agent. */
export async function measureRate(stage: Stage): Promise<string[]> {
  const { rateSeconds, repeats } = stage.options
  const runs: Record<Server, Run[]> = { floor: [], product: [] }
  for (const server of turns(repeats))
    runs[server].push(
      await stage.inbound(server, 'closedLoop', { connections: CONNECTIONS, seconds: rateSeconds }),
    )
  const rates = (server: Server) => runs[server].map(({ acknowledged, seconds }) => acknowledged / seconds)
  const ratio = median(rates('product')) / median(rates('floor'))
  return [
    `inbound as fast as it goes, ${CONNECTIONS} at a time for ${rateSeconds} s, until the last is at all agents, messages a second:`,
    `  floor ${spread(rates('floor'), 0)}   product ${spread(rates('product'), 0)}   ratio ${ratio.toFixed(2)}`,
    ...cpuLines(runs),
  ]
}

function cpuLines(runs: Record<Server, Run[]>): string[] {
  return (['floor', 'product'] as const).map((server) => {
    const of = (who: string) => median(runs[server].map(({ cpu }) => cpu[who] ?? 0))
    return `  CPU, percent of one core, ${server}: server ${of('server')}, generator ${of('generator')}`
  })
}
