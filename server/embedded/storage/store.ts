import { chmod, mkdir } from 'node:fs/promises'
import { ClassicLevel, type Snapshot } from 'classic-level'
import type { Clock } from './clock.ts'
import { CLOCK_KEY, FORMAT_KEY, FORMAT_VERSION } from './keys.ts'

interface Write {
  readonly key: Buffer
  /** Null removes the key. */
  readonly value: Buffer | null
}

interface Batch {
  readonly writes: Map<string, Write>
  readonly done: Promise<void>
  readonly settle: (error?: Error) => void
}

/** A range of keys: from `gte` up to, not including, `lt`. */
export interface KeyRange {
  readonly gte: Buffer
  readonly lt: Buffer
}

export type Level = ClassicLevel<Buffer, Buffer>

/**
 * The key-value store with group commit. A write is visible to the next decision at once (`latest`), to readers
 * once it is on disk (`committed`), and acknowledged by `commit`. Everything written while one synced batch is on
 * its way goes into the next one together, so a hundred writers share one wait for the disk.
 */
export class Store {
  readonly level: Level
  readonly clock: Clock
  #gathering: Batch | undefined
  #inFlight: Batch | undefined
  #clockMoved = false
  #failed: Error | undefined
  /** Called when a batch could not be written, so that what was built on it can be read again from disk. */
  onRollback: (() => void) | undefined

  private constructor(level: Level, clock: Clock) {
    this.level = level
    this.clock = clock
  }

  /** Opens the directory, which no other process may have open. */
  static async open(directory: string, clock: Clock): Promise<Store> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await chmod(directory, 0o700)
    const level: Level = new ClassicLevel<Buffer, Buffer>(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      cacheSize: 32 * 1024 * 1024,
      writeBufferSize: 16 * 1024 * 1024,
    })
    try {
      await level.open()
    } catch (error) {
      throw openingError(directory, error as Error)
    }
    const store = new Store(level, clock)
    try {
      await store.#readFormat(directory)
    } catch (error) {
      await level.close()
      throw error
    }
    return store
  }

  async #readFormat(directory: string): Promise<void> {
    const format = await this.level.get(FORMAT_KEY)
    if (format === undefined) {
      await this.level.put(FORMAT_KEY, Buffer.from(String(FORMAT_VERSION)), { sync: true })
    } else if (Number(format.toString()) !== FORMAT_VERSION) {
      throw new Error(
        `${directory} was written in storage format ${format.toString()}; this version reads format ${FORMAT_VERSION}. Start the version that wrote it, or name another directory.`,
      )
    }
    const clock = await this.level.get(CLOCK_KEY)
    if (clock) this.clock.restore(clock)
  }

  /** The newest value, written to disk or not. */
  latest(key: Buffer): Buffer | undefined {
    if (this.#gathering || this.#inFlight) {
      const name = key.toString('latin1')
      const write = this.#gathering?.writes.get(name) ?? this.#inFlight?.writes.get(name)
      if (write) return write.value ?? undefined
    }
    return this.level.getSync(key)
  }

  /** The value on disk, as readers see it. */
  committed(key: Buffer, snapshot?: Snapshot): Buffer | undefined {
    return snapshot ? this.level.getSync(key, { snapshot }) : this.level.getSync(key)
  }

  put(key: Buffer, value: Buffer): void {
    this.#batch().writes.set(key.toString('latin1'), { key, value })
  }

  remove(key: Buffer): void {
    this.#batch().writes.set(key.toString('latin1'), { key, value: null })
  }

  /** A timestamp that is stored with the batch being gathered. */
  timestamp() {
    this.#clockMoved = true
    this.#batch()
    return this.clock.next()
  }

  /** Resolves when everything written so far is on disk. */
  commit(): Promise<void> {
    return this.#gathering?.done ?? this.#inFlight?.done ?? Promise.resolve()
  }

  /** What is written and not yet on disk, under a prefix. */
  unsettled(prefix: Buffer): Map<string, Write> {
    const name = prefix.toString('latin1')
    const found = new Map<string, Write>()
    for (const batch of [this.#inFlight, this.#gathering]) {
      if (!batch) continue
      for (const [key, write] of batch.writes) if (key.startsWith(name)) found.set(key, write)
    }
    return found
  }

  #batch(): Batch {
    if (this.#failed) throw this.#failed
    if (this.#gathering) return this.#gathering
    let settle: (error?: Error) => void = () => undefined
    const done = new Promise<void>((resolve, reject) => {
      settle = (error) => (error ? reject(error) : resolve())
    })
    // A write without concern has nobody waiting; its failure is told to the others.
    done.catch(() => undefined)
    this.#gathering = { writes: new Map(), done, settle }
    if (!this.#inFlight) setImmediate(() => this.#flush())
    return this.#gathering
  }

  #flush(): void {
    const batch = this.#gathering
    if (!batch || this.#inFlight) return
    this.#gathering = undefined
    this.#inFlight = batch
    // A chained batch hands each write to LevelDB as it comes: an array of them costs fifty times as much.
    const chained = this.level.batch()
    for (const { key, value } of batch.writes.values()) {
      if (value === null) chained.del(key)
      else chained.put(key, value)
    }
    if (this.#clockMoved) {
      this.#clockMoved = false
      chained.put(CLOCK_KEY, this.clock.save())
    }
    chained.write({ sync: true }).then(
      () => {
        this.#inFlight = undefined
        batch.settle()
        if (this.#gathering) this.#flush()
      },
      (error: Error) => this.#rollBack(batch, error),
    )
  }

  /** What was decided on top of a batch that failed has to fail with it. */
  #rollBack(batch: Batch, error: Error): void {
    const stacked = this.#gathering
    this.#inFlight = undefined
    this.#gathering = undefined
    const told = new Error(`the store could not write to disk: ${error.message}`, { cause: error })
    this.onRollback?.()
    batch.settle(told)
    stacked?.settle(told)
  }

  snapshot(): Snapshot {
    return this.level.snapshot()
  }

  /** Removes a range that nothing refers to any more. */
  async clear(range: KeyRange): Promise<void> {
    await this.level.clear({ gte: range.gte, lt: range.lt })
  }

  /** Waits for what is on its way and closes the files. */
  async close(): Promise<void> {
    await this.commit().catch(() => undefined)
    this.#failed = new Error('the store is closed')
    await this.level.close()
  }
}

function openingError(directory: string, error: Error): Error {
  const cause = error.cause as (Error & { code?: string }) | undefined
  if (cause?.code === 'LEVEL_LOCKED' || /lock/i.test(cause?.message ?? '')) {
    return new Error(
      `${directory} is already open in another process: stop that one first, or set DATA_DIR to another directory`,
      { cause: error },
    )
  }
  return new Error(`${directory} cannot be opened: ${cause?.message ?? error.message}`, { cause: error })
}
