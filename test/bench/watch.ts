import { build, type Histogram } from 'hdr-histogram-js'

/** What every run says of its latencies, in milliseconds. */
export interface Latency {
  p50: number
  p95: number
  p99: number
  p999: number
  max: number
}

/** Microseconds, to three digits, up to a minute. */
export const histogram = (): Histogram =>
  build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 })

export const record = (into: Histogram, ms: number): void =>
  into.recordValue(Math.max(1, Math.min(60_000_000, Math.round(ms * 1000))))

export function latencyOf(from: Histogram): Latency {
  const at = (percentile: number): number => from.getValueAtPercentile(percentile) / 1000
  return { p50: at(50), p95: at(95), p99: at(99), p999: at(99.9), max: from.maxValue / 1000 }
}

interface Awaited {
  since: number
  counts: boolean
  /** One bit an agent. */
  arrived: number
}

/** Follows every message from its scheduled moment to each agent's socket: once each, or it is lost or doubled. */
export class Watch {
  readonly delivered = histogram()
  readonly #agents: number
  readonly #awaited = new Map<string, Awaited>()
  #open = 0
  doubled = 0
  lastArrival = 0

  constructor(agents: number) {
    this.#agents = agents
  }

  /** @param since the moment it was due, from which its latency is counted */
  expect(text: string, since: number, counts: boolean): void {
    this.#awaited.set(text, { since, counts, arrived: 0 })
    this.#open++
  }

  /** It was refused, so it must not arrive. */
  forget(text: string): void {
    if (this.#awaited.delete(text)) this.#open--
  }

  arrive(agent: number, text: string): void {
    const message = this.#awaited.get(text)
    if (!message) return
    if (message.arrived & (1 << agent)) {
      this.doubled++
      return
    }
    message.arrived |= 1 << agent
    this.lastArrival = performance.now()
    if (message.counts) record(this.delivered, this.lastArrival - message.since)
    if (message.arrived === (1 << this.#agents) - 1) this.#open--
  }

  /** How many have not reached every agent yet. */
  get open(): number {
    return this.#open
  }
}
