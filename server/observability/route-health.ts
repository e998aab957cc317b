import type { Outcome } from '../../adapters/outcomes.ts'
import type { RouteId, WorkspaceId } from '../../models/ids.ts'
import { RouteHealth, type Tally } from '../../models/route-health.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'

interface Place {
  _id: RouteId
  workspace: WorkspaceId
}

/** What a crash may forget of the counts; the messages' own ledgers forget nothing. */
const NOTED_EVERY_MS = 3_000

/** Counts what happens on each route, and notes it down every few seconds in one write a route, however much that was. */
export class RouteHealthKeeper {
  readonly #clock: Clock
  readonly #log: Log
  #tallies = new Map<RouteId, Tally>()
  #timer: Timer | undefined

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock
    this.#log = log
  }

  received(route: Place): void {
    this.#tally(route).receiptAt = this.#clock.now()
  }

  attempted(route: Place, outcome: Outcome): void {
    const tally = this.#tally(route)
    const at = this.#clock.now()
    if (outcome.outcome === 'accepted') {
      tally.sent++
      tally.sentAt = at
      return
    }
    const { code, reason } = outcome
    const count = (tally.errors.get(code)?.count ?? 0) + 1
    tally.errors.set(code, { count, reason, at })
  }

  /** Notes down what is counted so far. */
  async flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    const tallies = this.#tallies
    this.#tallies = new Map()
    const at = this.#clock.now()
    await Promise.all(
      [...tallies].map(([route, tally]) =>
        RouteHealth.note(route, tally, at).catch((error: unknown) =>
          this.#log.warn({ event: 'route_health.not_noted', route, error }),
        ),
      ),
    )
  }

  #tally({ _id, workspace }: Place): Tally {
    const known = this.#tallies.get(_id)
    if (known) return known
    const tally: Tally = { workspace, sent: 0, errors: new Map() }
    this.#tallies.set(_id, tally)
    this.#timer ??= this.#clock.after(NOTED_EVERY_MS, () => void this.flush())
    return tally
  }
}
