import { CommandError } from '../errors.ts'

/** A writer that is used again does not hold more than this for the next one. */
const LARGE_BYTES = 256 * 1024

/** What MongoDB builds at most; an expression that makes more ends its command, and not the process. */
const MAX_BYTES = 64 * 1024 * 1024

/** A growing buffer, written front to back; lengths are patched in afterwards. */
export class ByteWriter {
  buffer: Buffer
  length = 0

  constructor(capacity = 256) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.buffer.length) return
    if (needed > MAX_BYTES) {
      throw new CommandError(13548, `BufBuilder attempted to grow() to ${needed} bytes, past the 64MB limit.`)
    }
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }

  byte(value: number): void {
    this.reserve(1)
    this.buffer[this.length++] = value
  }

  int32(value: number): void {
    this.reserve(4)
    this.length = this.buffer.writeInt32LE(value, this.length)
  }

  uint32(value: number): void {
    this.reserve(4)
    this.length = this.buffer.writeUInt32LE(value, this.length)
  }

  uint32BE(value: number): void {
    this.reserve(4)
    this.length = this.buffer.writeUInt32BE(value, this.length)
  }

  int64(value: bigint): void {
    this.reserve(8)
    this.length = this.buffer.writeBigInt64LE(value, this.length)
  }

  double(value: number): void {
    this.reserve(8)
    this.length = this.buffer.writeDoubleLE(value, this.length)
  }

  bytes(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start
    this.reserve(count)
    if (count < 24) {
      for (let i = 0; i < count; i++) this.buffer[this.length + i] = source[start + i] as number
    } else {
      this.buffer.set(
        start === 0 && end === source.length ? source : source.subarray(start, end),
        this.length,
      )
    }
    this.length += count
  }

  utf8(text: string): void {
    const size = text.length
    this.reserve(size * 3)
    if (size < 32) {
      for (let i = 0; i < size; i++) {
        const code = text.charCodeAt(i)
        if (code > 127) {
          this.length += this.buffer.write(text.slice(i), this.length + i) + i
          return
        }
        this.buffer[this.length + i] = code
      }
      this.length += size
      return
    }
    this.length += this.buffer.write(text, this.length)
  }

  cstring(text: string): void {
    this.utf8(text)
    this.byte(0)
  }

  /** A BSON string: length, bytes, terminator. */
  string(text: string): void {
    const at = this.length
    this.int32(0)
    this.utf8(text)
    this.byte(0)
    this.buffer.writeInt32LE(this.length - at - 4, at)
  }

  /** Begins a document; give the answer to `endDocument`. */
  beginDocument(): number {
    const at = this.length
    this.int32(0)
    return at
  }

  endDocument(at: number): void {
    this.byte(0)
    this.buffer.writeInt32LE(this.length - at, at)
  }

  /** A copy of what was written; the writer may be reused after `clear`. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.length)
    this.buffer.copy(taken, 0, 0, this.length)
    return taken
  }

  clear(): this {
    if (this.buffer.length > LARGE_BYTES) this.buffer = Buffer.allocUnsafe(1024)
    this.length = 0
    return this
  }
}
