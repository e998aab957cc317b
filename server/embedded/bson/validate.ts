import { CommandError } from '../errors.ts'
import { T } from './types.ts'

/** How deep MongoDB lets documents nest. */
const MAX_DEPTH = 180

const invalid = (why: string) => new CommandError(22, `InvalidBSON: ${why}`)

/**
 * Checks a document's structure, so that everything behind it may walk the bytes without looking over its
 * shoulder. Returns where the document ends.
 */
export function validateDocument(bytes: Buffer, start: number, limit: number, depth = 0): number {
  if (depth > MAX_DEPTH)
    throw new CommandError(15, `BSONObj exceeded maximum nested object depth: ${MAX_DEPTH}`)
  if (limit - start < 5) throw invalid('a document is cut short')
  const size = bytes.readInt32LE(start)
  const end = start + size
  if (size < 5 || end > limit) throw invalid('a document says a length it does not have')
  if (bytes[end - 1] !== 0) throw invalid('a document has no end')
  let at = start + 4
  const last = end - 1
  while (at < last) {
    const type = bytes[at] as number
    at = cstringEnd(bytes, at + 1, last)
    at = validateValue(type, bytes, at, last, depth)
  }
  if (at !== last) throw invalid('a value runs past its document')
  return end
}

function validateValue(type: number, bytes: Buffer, at: number, limit: number, depth: number): number {
  switch (type) {
    case T.double:
    case T.date:
    case T.timestamp:
    case T.long:
      return fits(at + 8, limit)
    case T.int:
      return fits(at + 4, limit)
    case T.objectId:
      return fits(at + 12, limit)
    case T.decimal:
      return fits(at + 16, limit)
    case T.undefined:
    case T.null:
    case T.minKey:
    case T.maxKey:
      return at
    case T.bool:
      fits(at + 1, limit)
      if ((bytes[at] as number) > 1) throw invalid('a boolean is neither true nor false')
      return at + 1
    case T.string:
    case T.code:
    case T.symbol:
      return stringEnd(bytes, at, limit)
    case T.object:
    case T.array:
      return validateDocument(bytes, at, limit, depth + 1)
    case T.binary: {
      fits(at + 5, limit)
      const size = bytes.readInt32LE(at)
      if (size < 0) throw invalid('a binary has a negative length')
      return fits(at + 5 + size, limit)
    }
    case T.regex:
      return cstringEnd(bytes, cstringEnd(bytes, at, limit), limit)
    case T.dbPointer:
      return fits(stringEnd(bytes, at, limit) + 12, limit)
    case T.codeWithScope: {
      fits(at + 14, limit)
      const end = at + bytes.readInt32LE(at)
      if (end > limit || end < at + 14) throw invalid('a code with scope says a length it does not have')
      const scope = stringEnd(bytes, at + 4, end)
      if (validateDocument(bytes, scope, end, depth + 1) !== end)
        throw invalid('a scope has the wrong length')
      return end
    }
    default:
      throw invalid(`there is no type ${type}`)
  }
}

function fits(end: number, limit: number): number {
  if (end > limit) throw invalid('a value runs past its document')
  return end
}

function cstringEnd(bytes: Buffer, at: number, limit: number): number {
  let end = at
  while (end < limit && bytes[end] !== 0) end++
  if (end >= limit) throw invalid('a name has no end')
  return end + 1
}

function stringEnd(bytes: Buffer, at: number, limit: number): number {
  fits(at + 5, limit)
  const size = bytes.readInt32LE(at)
  const end = at + 4 + size
  if (size < 1 || end > limit) throw invalid('a string says a length it does not have')
  if (bytes[end - 1] !== 0) throw invalid('a string has no end')
  return end
}
