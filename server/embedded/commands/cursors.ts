import { randomBytes } from 'node:crypto'
import { CommandError } from '../errors.ts'
import type { Documents } from '../query/select.ts'

/** How long a cursor nobody asks for is kept. */
const IDLE_EXPIRY_MS = 10 * 60 * 1000

/** An answer may not be longer than a document, so batches stop before that. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

/** Documents that are handed out in batches. */
export class Cursor {
  readonly namespace: string
  readonly #source: Documents
  #ready: Buffer[]
  #at = 0
  #ended = false

  constructor(namespace: string, source: Documents, ready: Buffer[] = []) {
    this.namespace = namespace
    this.#source = source
    this.#ready = ready
  }

  /** The next documents, at most `count` of them. */
  async next(count: number): Promise<Buffer[]> {
    const batch: Buffer[] = []
    let size = 0
    while (batch.length < count) {
      const bytes = this.#ready[this.#at]
      if (bytes === undefined) {
        if (!(await this.#fill())) break
        continue
      }
      if (batch.length > 0 && size + bytes.length > MAX_BATCH_BYTES) break
      batch.push(bytes)
      size += bytes.length
      this.#at++
    }
    if (this.#at >= this.#ready.length && !this.#ended && batch.length >= count) {
      // Nothing more may be left; a cursor that is known to be done needs no getMore.
      await this.#fill()
    }
    return batch
  }

  get done(): boolean {
    return this.#ended && this.#at >= this.#ready.length
  }

  async #fill(): Promise<boolean> {
    if (this.#ended) return false
    const next = await this.#source.next()
    this.#at = 0
    this.#ready = next.done ? [] : next.value
    this.#ended = next.done === true
    return !this.#ended
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#ready = []
    await this.#source.return(undefined)
  }
}

/** The cursors that wait for a getMore. */
export class Cursors {
  readonly #open = new Map<bigint, { cursor: Cursor; usedAt: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  get count(): number {
    return this.#open.size
  }

  /** Keeps a cursor and gives it a number. */
  keep(cursor: Cursor): bigint {
    const id = randomBytes(8).readBigUInt64LE() >> 1n || 1n
    this.#open.set(id, { cursor, usedAt: this.#now() })
    return id
  }

  get(id: bigint): Cursor {
    const entry = this.#open.get(id)
    if (!entry) throw new CommandError(43, `cursor id ${id} not found`)
    entry.usedAt = this.#now()
    return entry.cursor
  }

  async kill(id: bigint): Promise<boolean> {
    const entry = this.#open.get(id)
    if (!entry) return false
    this.#open.delete(id)
    await entry.cursor.close()
    return true
  }

  /** Closes what was forgotten. */
  async expire(): Promise<void> {
    const limit = this.#now() - IDLE_EXPIRY_MS
    for (const [id, { usedAt }] of [...this.#open]) if (usedAt < limit) await this.kill(id)
  }

  async closeAll(): Promise<void> {
    for (const id of [...this.#open.keys()]) await this.kill(id)
  }
}
