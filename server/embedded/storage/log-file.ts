import { crc32c } from '../crc32c.ts'

/**
 * LevelDB's write-ahead log: blocks of 32 KiB, in them pieces of seven bytes of head (checksum, length, kind) and a
 * body; a record that does not fit is cut into a first, middle and last piece. LevelDB itself skips a damaged piece
 * in the middle and goes on behind it, which would leave a state that never was; so the log is read here first.
 */
const BLOCK_BYTES = 32768
const HEAD_BYTES = 7
const WHOLE = 1
const FIRST = 2
const MIDDLE = 3
const LAST = 4

/** One write as LevelDB logged it: where it begins, and its bytes. */
export interface LogRecord {
  readonly start: number
  readonly end: number
  readonly body: Buffer
}

/** How a log ends: whole, cut short by a crash, or damaged with whole records behind the damage. */
export type LogEnd =
  | { readonly kind: 'whole' }
  | { readonly kind: 'torn'; readonly at: number }
  | { readonly kind: 'damaged'; readonly at: number }

interface Piece {
  readonly kind: number
  readonly bodyStart: number
  readonly end: number
}

/** Reads a log from front to back, as far as it can be trusted. */
export function readLog(bytes: Buffer, onRecord: (record: LogRecord) => void = () => undefined): LogEnd {
  let at = 0
  let start = 0
  let pieces: Buffer[] = []
  while (at < bytes.length) {
    const blockEnd = endOfBlock(at)
    if (blockEnd - at < HEAD_BYTES) {
      at = blockEnd
      continue
    }
    const piece = pieceAt(bytes, at, Math.min(blockEnd, bytes.length))
    const continues = piece?.kind === MIDDLE || piece?.kind === LAST
    if (!piece || continues !== pieces.length > 0) {
      return { kind: isAnyPieceAfter(bytes, at) ? 'damaged' : 'torn', at: pieces.length > 0 ? start : at }
    }
    if (!continues) start = at
    pieces.push(bytes.subarray(piece.bodyStart, piece.end))
    at = piece.end
    if (piece.kind === FIRST || piece.kind === MIDDLE) continue
    onRecord({ start, end: at, body: pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces) })
    pieces = []
  }
  return pieces.length > 0 ? { kind: 'torn', at: start } : { kind: 'whole' }
}

const endOfBlock = (at: number): number => at - (at % BLOCK_BYTES) + BLOCK_BYTES

function pieceAt(bytes: Buffer, at: number, limit: number): Piece | undefined {
  if (limit - at < HEAD_BYTES) return undefined
  const kind = bytes[at + 6] as number
  const end = at + HEAD_BYTES + bytes.readUInt16LE(at + 4)
  if (kind < WHOLE || kind > LAST || end > limit) return undefined
  if (unmasked(bytes.readUInt32LE(at)) !== crc32c(bytes, at + 6, end)) return undefined
  return { kind, bodyStart: at + HEAD_BYTES, end }
}

/** LevelDB stores checksums turned and shifted, as a checksum of checksums would say little. */
export function unmasked(stored: number): number {
  const turned = (stored - 0xa282ead8) >>> 0
  return ((turned << 15) | (turned >>> 17)) >>> 0
}

/** Whether a whole piece lies anywhere behind: a crash leaves none there, damage in the middle does. */
function isAnyPieceAfter(bytes: Buffer, from: number): boolean {
  for (let at = from + 1; at + HEAD_BYTES <= bytes.length; at++) {
    if (pieceAt(bytes, at, Math.min(endOfBlock(at), bytes.length))) return true
  }
  return false
}
