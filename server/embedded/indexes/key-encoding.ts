import { fieldsOf, itemsOf, type RawValue } from '../bson/raw.ts'
import { T, typeRank } from '../bson/types.ts'
import { readLong } from '../bson/values.ts'
import { ByteWriter } from '../bson/writer.ts'
import { decimalParts, writeRemainder } from './decimal-encoding.ts'

/**
 * Writes a value so that bytes compare as MongoDB compares values: first the type's rank, then a form of the
 * value that ends where it says, so that keys may be joined. Numbers of every type share one form, and equal
 * numbers have equal bytes.
 */
export function encodeKey(writer: ByteWriter, value: RawValue): void {
  writer.byte(typeRank(value.type))
  encodePayload(writer, value)
}

/** The same for a descending field: every byte is inverted. */
export function encodeDescending(writer: ByteWriter, value: RawValue): void {
  const from = writer.length
  encodeKey(writer, value)
  invert(writer.buffer, from, writer.length)
}

export function invert(bytes: Buffer, from: number, to: number): void {
  for (let i = from; i < to; i++) bytes[i] = ~(bytes[i] as number) & 0xff
}

const scratch = new ByteWriter(1024)

/** The key of one value. */
export function keyOf(value: RawValue): Buffer {
  scratch.clear()
  encodeKey(scratch, value)
  return scratch.take()
}

function encodePayload(writer: ByteWriter, value: RawValue): void {
  const { bytes, start, end } = value
  switch (value.type) {
    case T.int:
      encodeDouble(writer, bytes.readInt32LE(start), false)
      return
    case T.double:
      encodeDouble(writer, bytes.readDoubleLE(start), false)
      return
    case T.long:
      encodeLong(writer, readLong(bytes, start))
      return
    case T.decimal:
      encodeDecimal(writer, bytes.subarray(start, end))
      return
    case T.string:
    case T.symbol:
    case T.code:
      encodeText(writer, bytes, start + 4, end - 1)
      return
    case T.object:
      for (const field of fieldsOf(value)) {
        writer.byte(typeRank(field.value.type))
        writer.cstring(field.name)
        encodePayload(writer, field.value)
      }
      writer.byte(0)
      return
    case T.array:
      for (const item of itemsOf(value)) encodeKey(writer, item)
      writer.byte(0)
      return
    case T.binary:
      writer.uint32BE(end - start - 5)
      writer.bytes(bytes, start + 4, end)
      return
    case T.objectId:
    case T.bool:
      writer.bytes(bytes, start, end)
      return
    case T.date:
      for (let i = 7; i >= 0; i--) writer.byte((bytes[start + i] as number) ^ (i === 7 ? 0x80 : 0))
      return
    case T.timestamp:
      for (let i = 7; i >= 0; i--) writer.byte(bytes[start + i] as number)
      return
    case T.regex:
      writer.bytes(bytes, start, end)
      return
    case T.dbPointer:
    case T.codeWithScope:
      encodeText(writer, bytes, start, end)
      return
    default:
  }
}

/** Text ends with a zero; a zero inside is followed by 0xff, which no rank reaches. */
function encodeText(writer: ByteWriter, bytes: Buffer, start: number, end: number): void {
  const zero = bytes.indexOf(0, start)
  if (zero === -1 || zero >= end) writer.bytes(bytes, start, end)
  else {
    for (let i = start; i < end; i++) {
      writer.byte(bytes[i] as number)
      if (bytes[i] === 0) writer.byte(0xff)
    }
  }
  writer.byte(0)
}

/**
 * A number is the double next to it towards zero, made sortable, and then what the double lacks: nothing for
 * ints, doubles and most longs. `below` makes the zero of a negative number too small for a double.
 */
function encodeDouble(writer: ByteWriter, number: number, below: boolean): void {
  writeSortableDouble(writer, number, below)
  writer.byte(number < 0 || below ? 0xff : 0)
}

function writeSortableDouble(writer: ByteWriter, number: number, below: boolean): void {
  writer.reserve(8)
  const at = writer.length
  if (Number.isNaN(number)) writer.buffer.fill(0, at, at + 8)
  else {
    const negative = number < 0 || below
    writer.buffer.writeDoubleBE(number === 0 ? (negative ? -0 : 0) : number, at)
    if (negative) invert(writer.buffer, at, at + 8)
    else writer.buffer[at] = (writer.buffer[at] as number) ^ 0x80
  }
  writer.length += 8
}

function encodeLong(writer: ByteWriter, value: number | bigint): void {
  if (typeof value === 'number') {
    encodeDouble(writer, value, false)
    return
  }
  encodeParts(writer, value < 0n, value < 0n ? -value : value, 0)
}

function encodeDecimal(writer: ByteWriter, bytes: Uint8Array): void {
  const parts = decimalParts(bytes)
  if (typeof parts === 'number') {
    encodeDouble(writer, parts, false)
    return
  }
  encodeParts(writer, parts.negative, parts.digits, parts.exponent)
}

function encodeParts(writer: ByteWriter, negative: boolean, digits: bigint, exponent: number): void {
  if (digits === 0n) {
    encodeDouble(writer, 0, false)
    return
  }
  const tail = new ByteWriter(64)
  const truncated = writeRemainder(tail, digits, exponent)
  writeSortableDouble(writer, negative ? -truncated : truncated, negative)
  if (negative) invert(tail.buffer, 0, tail.length)
  writer.bytes(tail.buffer, 0, tail.length)
}
