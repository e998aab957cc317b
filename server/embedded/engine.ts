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
  #clearing: Promise<void> = Promise.resolve()

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
    const engine = new Engine(store, catalog, clock, log)
    store.watcher = {
      rolledBack: (error) => {
        log({ level: 'error', message: 'writes are refused until the disk takes them', error: error.message })
        catalog.reload().catch((failed: Error) => {
          log({ level: 'error', message: 'the catalog could not be read again', error: failed.message })
        })
      },
      failed: (error) => {
        log({ level: 'error', message: 'the store cannot be opened again', error: error.message })
      },
      closing: () => engine.cursors.closeAll(),
      reopened: async () => {
        await catalog.load()
        engine.clearDropped()
        log({ level: 'info', message: 'the disk takes writes again' })
      },
    }
    engine.clearDropped()
    return engine
  }

  /** Takes away what dropped collections and indexes left; what a stop interrupts is taken at the next start. */
  clearDropped(): void {
    const before = this.#clearing
    const clearing = async () => {
      await before
      await this.catalog.clearDropped()
    }
    this.#clearing = clearing().catch((error: Error) => {
      this.log({
        level: 'warn',
        message: 'what was dropped is cleared at the next start',
        error: error.message,
      })
    })
  }

  async close(): Promise<void> {
    this.store.stopClearing()
    await this.#clearing
    await this.cursors.closeAll()
    await this.store.close()
  }
}
