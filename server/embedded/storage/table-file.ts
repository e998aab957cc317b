import type { FileHandle } from 'node:fs/promises'
import { crc32c } from '../crc32c.ts'
import { unmasked } from './log-file.ts'

/**
 * LevelDB's sorted tables: data blocks, a block of filters, an index of the blocks, and a footer that says where the
 * index is. Each block carries a checksum, which LevelDB does not look at when it reads; this does.
 */
const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const MAGIC = 0xdb4775248b80fb57n
const UNCOMPRESSED = 0
const SNAPPY = 1

interface Block {
  readonly offset: number
  readonly size: number
}

class Damage extends Error {}

/** Reads every block of a table; answers what is wrong with the first that is damaged. */
export async function findTableDamage(file: FileHandle, size: number): Promise<string | undefined> {
  try {
    // Without its footer a table was never finished, and nothing refers to it; where one that is in use has lost its
    // footer, LevelDB itself refuses to read it.
    if (size < FOOTER_BYTES) return undefined
    const footer = await readAt(file, size - FOOTER_BYTES, FOOTER_BYTES)
    if (footer.readBigUInt64LE(40) !== MAGIC) return undefined
    const [metaIndex, next] = readHandle(footer, 0)
    const [index] = readHandle(footer, next)
    for (const parent of [metaIndex, index]) {
      for (const block of blocksIn(await readBlock(file, parent, size))) await readBlock(file, block, size)
    }
    return undefined
  } catch (error) {
    if (error instanceof Damage) return error.message
    if (error instanceof RangeError) return 'its index cannot be read'
    throw error
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
  if (bytesRead < length) throw new Damage('it is cut short')
  return buffer
}

async function readBlock(file: FileHandle, { offset, size }: Block, fileSize: number): Promise<Buffer> {
  const end = offset + size + TRAILER_BYTES
  if (end > fileSize) throw new Damage(`a block at byte ${offset} says a length it does not have`)
  const bytes = await readAt(file, offset, size + TRAILER_BYTES)
  if (unmasked(bytes.readUInt32LE(size + 1)) !== crc32c(bytes, 0, size + 1)) {
    throw new Damage(`the block of ${size} bytes at byte ${offset} does not have its checksum`)
  }
  return bytes.subarray(0, size + 1)
}

/** The blocks that an index block names; its last byte says how it is compressed. */
function blocksIn(stored: Buffer): Block[] {
  const body = stored.subarray(0, -1)
  const kind = stored[stored.length - 1]
  if (kind !== UNCOMPRESSED && kind !== SNAPPY) throw new Damage(`a block of the unknown kind ${kind}`)
  const bytes = kind === SNAPPY ? uncompress(body) : body
  const restarts = bytes.readUInt32LE(bytes.length - 4)
  const end = bytes.length - 4 - restarts * 4
  const blocks: Block[] = []
  let at = 0
  while (at < end) {
    const [, ownLengthAt] = readVarint(bytes, at)
    const [ownLength, valueLengthAt] = readVarint(bytes, ownLengthAt)
    const [valueLength, keyAt] = readVarint(bytes, valueLengthAt)
    const valueAt = keyAt + ownLength
    blocks.push(readHandle(bytes, valueAt)[0])
    at = valueAt + valueLength
  }
  return blocks
}

function readHandle(bytes: Buffer, at: number): [Block, number] {
  const [offset, sizeAt] = readVarint(bytes, at)
  const [size, end] = readVarint(bytes, sizeAt)
  return [{ offset, size }, end]
}

function readVarint(bytes: Buffer, from: number): [number, number] {
  let value = 0
  let at = from
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes.readUInt8(at++)
    value += (byte & 0x7f) * scale
    if (byte < 128) return [value, at]
  }
}

/** Snappy: the length, then stretches that are given or copied from what is already there. */
function uncompress(bytes: Buffer): Buffer {
  const [length, start] = readVarint(bytes, 0)
  const out = Buffer.alloc(length)
  let at = start
  let written = 0
  while (at < bytes.length) {
    const tag = bytes.readUInt8(at++)
    const kind = tag & 3
    if (kind === 0) {
      const extra = Math.max(0, (tag >> 2) - 59)
      const count = (extra === 0 ? tag >> 2 : bytes.readUIntLE(at, extra)) + 1
      at += extra
      written += bytes.copy(out, written, at, at + count)
      at += count
      continue
    }
    const count = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const width = kind === 3 ? 4 : kind
    const back = bytes.readUIntLE(at, width) + (kind === 1 ? (tag >> 5) << 8 : 0)
    at += width
    for (let i = 0; i < count; i++) out[written + i] = out.readUInt8(written - back + i)
    written += count
  }
  return out
}
