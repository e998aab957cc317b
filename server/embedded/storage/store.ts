import { chmod, mkdir, truncate } from 'node:fs/promises'
import { ClassicLevel, type Snapshot } from 'classic-level'
import type { Clock } from './clock.ts'
import { cutRefused, findLogDamage, hasRoomToStart, type LogPosition } from './files.ts'
import { upgradeFormat } from './format.ts'
import { BATCH_KEY, CLOCK_KEY } from './keys.ts'
import { refusalOf } from './refusal.ts'

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

/** What stands on the store, and has to follow when the disk refuses a write. */
export interface StoreWatcher {
  /** A batch was not written: what was built on it in memory has to be read again. */
  rolledBack(error: Error): void
  /** The files could not be opened again; it is tried once more. */
  failed(error: Error): void
  /** The files are about to be closed: whatever reads them has to let go. */
  closing(): Promise<void>
  /** The files are open again, and writes are taken. */
  reopened(): Promise<void>
}

/** How long the store waits before it tries again whether the disk takes writes. */
const RETRY_AFTER_MS = 1000
const KEYS_PER_CLEARING = 1000
/** LevelDB's head of a logged batch: its sequence number and how many writes it has. */
const LOGGED_HEAD_BYTES = 12

/**
 * The key-value store with group commit. A write is visible to the next decision at once (`latest`), to readers
 * once it is on disk (`committed`), and acknowledged by `commit`. Everything written while one synced batch is on
 * its way goes into the next one together, so a hundred writers share one wait for the disk.
 *
 * When the disk refuses a batch, LevelDB must not be written again before its files were closed and opened: what
 * it logged is cut in the middle. Until the disk has room for that, writers are refused and readers go on.
 */
export class Store {
  readonly level: Level
  readonly clock: Clock
  readonly directory: string
  watcher: StoreWatcher | undefined
  #gathering: Batch | undefined
  #inFlight: Batch | undefined
  #batchNumber = 0n
  #clockMoved = false
  #refusal: Error | undefined
  /** What the newest log held when a write was refused; nothing more may be in it. */
  #kept: LogPosition | undefined
  #retry: NodeJS.Timeout | undefined
  #reopening: Promise<void> | undefined
  #users = 0
  #onIdle: (() => void) | undefined
  #stopClearing = false
  #closed = false

  private constructor(directory: string, level: Level, clock: Clock) {
    this.directory = directory
    this.level = level
    this.clock = clock
  }

  /** Opens the directory, which no other process may have open. */
  static async open(directory: string, clock: Clock): Promise<Store> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await chmod(directory, 0o700)
    await refuseDamagedLogs(directory)
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
    const store = new Store(directory, level, clock)
    try {
      await upgradeFormat(level, directory)
      await store.#readCounters()
    } catch (error) {
      await level.close()
      throw error
    }
    return store
  }

  async #readCounters(): Promise<void> {
    const clock = await this.level.get(CLOCK_KEY)
    if (clock) this.clock.restore(clock)
    const number = await this.level.get(BATCH_KEY)
    if (number) this.#batchNumber = number.readBigUInt64BE()
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
    if (!snapshot) return this.level.getSync(key)
    // With its encodings named, the options are not copied for each read.
    return this.level.getSync(key, { snapshot, keyEncoding: 'buffer', valueEncoding: 'buffer' })
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

  /** Resolves when everything written so far is on disk, and rejects when any of it may not be. */
  commit(): Promise<void> {
    if (this.#refusal) return Promise.reject(this.#refusal)
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

  /** Throws what writers are told while the store does not write: ask before anything changes in memory. */
  requireWritable(): void {
    if (this.#closed) throw new Error('the store is closed')
    if (this.#refusal) throw this.#refusal
  }

  /** Runs what reads or writes; waits first while the files are closed and opened. */
  async use<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    while (this.#reopening) await this.#reopening
    this.#users++
    try {
      return await work()
    } finally {
      this.#users--
      if (this.#users === 0) this.#onIdle?.()
    }
  }

  #batch(): Batch {
    if (this.#gathering) return this.#gathering
    this.requireWritable()
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
    this.#batchNumber++
    // A chained batch hands each write to LevelDB as it comes: an array of them costs fifty times as much.
    const chained = this.level.batch()
    chained.put(BATCH_KEY, numberBytes(this.#batchNumber))
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
    const refusal = refusalOf(error)
    this.#refusal = refusal
    this.#kept = this.#cutRefused()
    this.watcher?.rolledBack(refusal)
    batch.settle(refusal)
    stacked?.settle(refusal)
    this.#retryLater()
  }

  /** Takes the refused batch out of the log at once, so that no crash from here on brings it back. */
  #cutRefused(): LogPosition | undefined {
    const refused = loggedStart(this.#batchNumber)
    const isRefused = ({ body }: { body: Buffer }) =>
      refused.equals(body.subarray(LOGGED_HEAD_BYTES, LOGGED_HEAD_BYTES + refused.length))
    return cutRefused(this.directory, isRefused)
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => {
      this.#reopen().catch((error: Error) => {
        this.watcher?.failed(error)
        this.#retryLater()
      })
    }, RETRY_AFTER_MS)
    this.#retry.unref()
  }

  async #reopen(): Promise<void> {
    if (this.level.status === 'open' && !(await hasRoomToStart(this.directory))) {
      this.#retryLater()
      return
    }
    if (this.#closed) return
    let opened: () => void = () => undefined
    this.#reopening = new Promise((resolve) => {
      opened = resolve
    })
    try {
      await this.#idle()
      await this.watcher?.closing()
      await this.#closeFiles()
      await this.level.open()
      await this.#readCounters()
      this.#refusal = undefined
      await this.watcher?.reopened()
    } finally {
      this.#reopening = undefined
      opened()
    }
  }

  async #closeFiles(): Promise<void> {
    await this.level.close()
    // Closing may have written the rest of what was refused.
    if (this.#kept) await truncate(this.#kept.path, this.#kept.length)
    this.#kept = undefined
  }

  #idle(): Promise<void> {
    if (this.#users === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = () => {
        this.#onIdle = undefined
        resolve()
      }
    })
  }

  snapshot(): Snapshot {
    return this.level.snapshot()
  }

  /** Removes a range that nothing refers to any more; answers false when it was stopped before the end. */
  async clear(range: KeyRange): Promise<boolean> {
    const keys = this.level.keys({ gte: range.gte, lt: range.lt, fillCache: false })
    try {
      while (true) {
        if (this.#stopClearing) return false
        const some = await keys.nextv(KEYS_PER_CLEARING)
        if (some.length === 0) return true
        for (const key of some) this.remove(key)
        await this.commit()
      }
    } finally {
      await keys.close()
    }
  }

  /** Lets what is being cleared end early, since a stop should not wait for it. */
  stopClearing(): void {
    this.#stopClearing = true
  }

  /** Waits for what is on its way and closes the files. */
  async close(): Promise<void> {
    clearTimeout(this.#retry)
    await this.#reopening
    await this.commit().catch(() => undefined)
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#closeFiles()
  }
}

function numberBytes(number: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(number)
  return bytes
}

/** How a batch of this number begins in LevelDB's log: a put of the key, each with its length before it. */
function loggedStart(number: bigint): Buffer {
  return Buffer.concat([Buffer.from([1, BATCH_KEY.length]), BATCH_KEY, Buffer.from([8]), numberBytes(number)])
}

async function refuseDamagedLogs(directory: string): Promise<void> {
  const [damage] = await findLogDamage(directory)
  if (!damage) return
  throw new Error(
    `${damage}. Restore the directory from a backup. Without one, keep a copy of it, then cut that file at that byte ("truncate -s BYTE FILE"): the store opens as it was before what is damaged, and loses what was written after.`,
  )
}

function openingError(directory: string, error: Error): Error {
  const cause = error.cause as (Error & { code?: string }) | undefined
  if (cause?.code === 'LEVEL_LOCKED' || /lock/i.test(cause?.message ?? '')) {
    return new Error(
      `${directory} is already open in another process: stop that one first, or set DATA_DIR to another directory`,
      { cause: error },
    )
  }
  const advice = cause?.code === 'LEVEL_CORRUPTION' ? '. Restore the directory from a backup' : ''
  return new Error(`${directory} cannot be opened: ${cause?.message ?? error.message}${advice}`, {
    cause: error,
  })
}
