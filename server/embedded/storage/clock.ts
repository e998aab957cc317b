import { RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'

/**
 * The source of BSON timestamps: seconds and a counter within them. It follows the machine's clock forwards only,
 * so that a later change never carries an earlier timestamp, whatever the machine's clock does. The store keeps
 * the last one in the same batch as the documents that carry it.
 */
export class Clock {
  readonly #now: () => number
  #seconds = 0
  #counter = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** The machine's time, in milliseconds. */
  now(): number {
    return this.#now()
  }

  /** A timestamp greater than every one before. */
  next(): RawValue {
    const seconds = Math.floor(this.#now() / 1000)
    if (seconds > this.#seconds) {
      this.#seconds = seconds
      this.#counter = 1
    } else if (this.#counter < 0xffffffff) this.#counter++
    else {
      this.#seconds++
      this.#counter = 1
    }
    return new RawValue(T.timestamp, this.save(), 0, 8)
  }

  /** The last timestamp, as the eight bytes of its BSON. */
  save(): Buffer {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeUInt32LE(this.#counter, 0)
    bytes.writeUInt32LE(this.#seconds, 4)
    return bytes
  }

  restore(bytes: Buffer): void {
    this.#counter = bytes.readUInt32LE(0)
    this.#seconds = bytes.readUInt32LE(4)
  }
}
