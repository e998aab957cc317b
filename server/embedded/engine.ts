import { Cursors } from './commands/cursors.ts'
import { Catalog } from './storage/catalog.ts'
import { Clock } from './storage/clock.ts'
import { Store } from './storage/store.ts'

/** Writes what operators should know. */
export type Log = (line: {
  level: 'info' | 'warn' | 'error'
  message: string
  [detail: string]: unknown
}) => void

export interface EngineOptions {
  readonly directory: string
  /** The machine's time in milliseconds. */
  readonly now?: () => number
  readonly log?: Log
}

/** Everything a command needs: what is stored, which collections there are, and the open cursors. */
export class Engine {
  readonly store: Store
  readonly catalog: Catalog
  readonly cursors: Cursors
  readonly clock: Clock
  readonly log: Log
  readonly startedAt: number

  private constructor(store: Store, catalog: Catalog, clock: Clock, log: Log) {
    this.store = store
    this.catalog = catalog
    this.clock = clock
    this.log = log
    this.cursors = new Cursors(() => clock.now())
    this.startedAt = clock.now()
  }

  static async open({ directory, now = Date.now, log = () => undefined }: EngineOptions): Promise<Engine> {
    const clock = new Clock(now)
    const store = await Store.open(directory, clock)
    const catalog = new Catalog(store)
    await catalog.load()
    store.onRollback = () => {
      log({ level: 'error', message: 'a write could not be stored; what was built on it is refused too' })
      catalog.reload().catch((error: Error) => {
        log({ level: 'error', message: 'the catalog could not be read again', error: error.message })
      })
    }
    return new Engine(store, catalog, clock, log)
  }

  async close(): Promise<void> {
    await this.cursors.closeAll()
    await this.store.close()
  }
}
