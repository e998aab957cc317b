import { findDamagedTables } from './files.ts'

const EVERY_MS = 24 * 60 * 60 * 1000

/**
 * Reads the tables' checksums while the store is served, since LevelDB does not look at them: the first time soon
 * after the start, then once a day. What seems damaged is looked at again in the next turn before it is told, as
 * it may be a table that was being written.
 */
export class Scrub {
  readonly #directory: string
  readonly #now: () => number
  readonly #report: (damage: string) => void
  #nextAt = 0
  #suspected: ReadonlySet<string> = new Set()
  #running = false
  #stopped = false

  constructor(directory: string, now: () => number, report: (damage: string) => void) {
    this.#directory = directory
    this.#now = now
    this.#report = report
  }

  /** Does what is due; called now and then. */
  async turn(): Promise<void> {
    if (this.#running || (this.#suspected.size === 0 && this.#now() < this.#nextAt)) return
    this.#running = true
    try {
      const found = new Set<string>()
      for await (const damage of findDamagedTables(this.#directory)) {
        if (this.#stopped) return
        if (this.#suspected.has(damage)) this.#report(damage)
        else found.add(damage)
      }
      this.#suspected = found
      this.#nextAt = this.#now() + EVERY_MS
    } finally {
      this.#running = false
    }
  }

  stop(): void {
    this.#stopped = true
  }
}
