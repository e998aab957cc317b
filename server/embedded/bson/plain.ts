import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson'
import { CommandError } from '../errors.ts'
import { RawValue, valueEnd } from './raw.ts'
import { T } from './types.ts'
import { isInt32, readLong, regexIn, stringIn } from './values.ts'
import { ByteWriter } from './writer.ts'

/** A document as expressions see it: numbers are ints or doubles, other BSON types keep their class. */
export type Plain = Record<string, unknown>

/**
 * Decodes for expressions, which know one kind of number. A long beyond a double's precision, and a decimal, keep
 * their class. What a document had before is given back its type by `encodeLike`.
 */
export function decode(value: RawValue): unknown {
  const { bytes, start } = value
  switch (value.type) {
    case T.int:
      return bytes.readInt32LE(start)
    case T.double:
      return bytes.readDoubleLE(start)
    case T.long: {
      const number = readLong(bytes, start)
      return typeof number === 'number' ? number : Long.fromBigInt(number)
    }
    case T.string:
      return stringIn(value)
    case T.object:
      return decodeDocument(bytes, start)
    case T.array:
      return decodeArray(bytes, start)
    case T.bool:
      return bytes[start] === 1
    case T.null:
      return null
    case T.undefined:
      return undefined
    case T.date:
      return new Date(Number(readLong(bytes, start)))
    case T.objectId:
      return new ObjectId(Uint8Array.prototype.slice.call(bytes, start, start + 12))
    case T.binary:
      return new Binary(
        Uint8Array.prototype.slice.call(bytes, start + 5, value.end),
        bytes[start + 4] as number,
      )
    case T.decimal:
      return new Decimal128(Uint8Array.prototype.slice.call(bytes, start, start + 16))
    case T.timestamp:
      return new Timestamp({ t: bytes.readUInt32LE(start + 4), i: bytes.readUInt32LE(start) })
    case T.regex: {
      const { pattern, options } = regexIn(value)
      return new BSONRegExp(pattern, options)
    }
    case T.minKey:
      return new MinKey()
    case T.maxKey:
      return new MaxKey()
    case T.code:
      return new Code(stringIn(value))
    case T.symbol:
      return new BSONSymbol(stringIn(value))
    default:
      return value
  }
}

/** Decodes the document that starts at a position. */
export function decodeDocument(bytes: Buffer, start = 0): Plain {
  const end = start + bytes.readInt32LE(start) - 1
  const plain: Plain = {}
  let at = start + 4
  while (at < end) {
    const type = bytes[at] as number
    const nameEnd = bytes.indexOf(0, at + 1)
    const name = bytes.toString('utf8', at + 1, nameEnd)
    at = valueEnd(type, bytes, nameEnd + 1)
    const value = decode(new RawValue(type, bytes, nameEnd + 1, at))
    if (name === '__proto__') {
      Object.defineProperty(plain, name, { value, enumerable: true, configurable: true, writable: true })
    } else plain[name] = value
  }
  return plain
}

function decodeArray(bytes: Buffer, start: number): unknown[] {
  const end = start + bytes.readInt32LE(start) - 1
  const items: unknown[] = []
  let at = start + 4
  while (at < end) {
    const type = bytes[at] as number
    let name = at + 1
    while (bytes[name] !== 0) name++
    at = valueEnd(type, bytes, name + 1)
    items.push(decode(new RawValue(type, bytes, name + 1, at)))
  }
  return items
}

/** The BSON of a plain document. Fields that are `undefined` are left out, as drivers do. */
export function encodeDocument(plain: Plain): Buffer {
  const writer = new ByteWriter(512)
  writeDocument(writer, plain, 0)
  return writer.take()
}

/** The BSON value of a plain value. */
export function encode(plain: unknown): RawValue {
  const writer = new ByteWriter()
  const type = writeValue(writer, plain, 0)
  return new RawValue(type, writer.take(), 0, writer.length)
}

function writeDocument(writer: ByteWriter, plain: Plain, depth: number): void {
  if (depth > 200) throw new CommandError(15, 'a document nests too deep')
  const at = writer.beginDocument()
  for (const name of Object.keys(plain)) {
    const value = plain[name]
    if (value !== undefined && typeof value !== 'function') writeNamed(writer, name, value, depth)
  }
  writer.endDocument(at)
}

function writeNamed(writer: ByteWriter, name: string, value: unknown, depth: number): void {
  const at = writer.length
  writer.byte(0)
  writer.cstring(name)
  const type = writeValue(writer, value, depth)
  writer.buffer[at] = type
}

/** Writes a value's bytes and answers its type. */
export function writeValue(writer: ByteWriter, value: unknown, depth: number): number {
  switch (typeof value) {
    case 'number':
      if (isInt32(value) && !Object.is(value, -0)) {
        writer.int32(value)
        return T.int
      }
      writer.double(value)
      return T.double
    case 'string':
      writer.string(value)
      return T.string
    case 'boolean':
      writer.byte(value ? 1 : 0)
      return T.bool
    case 'bigint':
      writer.int64(value)
      return T.long
    case 'undefined':
      return T.null
    case 'object':
      return value === null ? T.null : writeObject(writer, value, depth)
    default:
      throw new CommandError(2, `a ${typeof value} cannot be stored`)
  }
}

function writeObject(writer: ByteWriter, value: object, depth: number): number {
  if (Array.isArray(value)) {
    const at = writer.beginDocument()
    for (let i = 0; i < value.length; i++) writeNamed(writer, String(i), value[i], depth + 1)
    writer.endDocument(at)
    return T.array
  }
  if (value instanceof Date) {
    writer.int64(BigInt(Number.isNaN(value.getTime()) ? 0 : value.getTime()))
    return T.date
  }
  if (value instanceof ObjectId) {
    writer.bytes(value.id)
    return T.objectId
  }
  if (value instanceof Timestamp) {
    writer.uint32(value.i)
    writer.uint32(value.t)
    return T.timestamp
  }
  if (value instanceof Long) {
    writer.int32(value.low)
    writer.int32(value.high)
    return T.long
  }
  if (value instanceof Double) {
    writer.double(value.value)
    return T.double
  }
  if (value instanceof Decimal128) {
    writer.bytes(value.bytes)
    return T.decimal
  }
  if (value instanceof Binary) {
    writer.int32(value.position)
    writer.byte(value.sub_type)
    writer.bytes(value.buffer, 0, value.position)
    return T.binary
  }
  return writeRareObject(writer, value, depth)
}

function writeRareObject(writer: ByteWriter, value: object, depth: number): number {
  if (value instanceof RawValue) {
    writer.bytes(value.bytes, value.start, value.end)
    return value.type
  }
  if (value instanceof BSONRegExp || value instanceof RegExp) {
    writer.cstring(value instanceof RegExp ? value.source : value.pattern)
    writer.cstring(value instanceof RegExp ? value.flags.replace(/[^imsux]/g, '') : value.options)
    return T.regex
  }
  if (value instanceof MinKey) return T.minKey
  if (value instanceof MaxKey) return T.maxKey
  if (value instanceof Code || value instanceof BSONSymbol) {
    writer.string(value instanceof Code ? String(value.code) : value.value)
    return value instanceof Code ? T.code : T.symbol
  }
  if (value instanceof Uint8Array) {
    writer.int32(value.length)
    writer.byte(0)
    writer.bytes(value)
    return T.binary
  }
  writeDocument(writer, value as Plain, depth + 1)
  return T.object
}
