import { ObjectId } from 'bson'
import { EMPTY_DOCUMENT, itemsOf, RawValue } from './raw.ts'
import { T } from './types.ts'

const INT_MIN = -2147483648
const INT_MAX = 2147483647
const TWO_32 = 4294967296

/** A 64-bit integer as a number when it is exact, else as a bigint. */
export function readLong(bytes: Buffer, at: number): number | bigint {
  const high = bytes.readInt32LE(at + 4)
  if (high >= -0x200000 && high < 0x200000) return high * TWO_32 + bytes.readUInt32LE(at)
  return bytes.readBigInt64LE(at)
}

/** The number in an int, long or double. Decimals are not read by this. */
export function numberIn(value: RawValue): number | bigint {
  if (value.type === T.int) return value.bytes.readInt32LE(value.start)
  if (value.type === T.double) return value.bytes.readDoubleLE(value.start)
  return readLong(value.bytes, value.start)
}

export const stringIn = (value: RawValue): string =>
  value.bytes.toString('utf8', value.start + 4, value.end - 1)

export const boolIn = (value: RawValue): boolean => value.bytes[value.start] === 1

/** Pattern and options of a regular expression. */
export function regexIn(value: RawValue): { pattern: string; options: string } {
  const middle = value.bytes.indexOf(0, value.start)
  return {
    pattern: value.bytes.toString('utf8', value.start, middle),
    options: value.bytes.toString('utf8', middle + 1, value.end - 1),
  }
}

/** MongoDB's truth: everything but false, zero, null and undefined. */
export function isTruthy(value: RawValue): boolean {
  switch (value.type) {
    case T.bool:
      return boolIn(value)
    case T.int:
    case T.double:
    case T.long:
      return Number(numberIn(value)) !== 0
    case T.null:
    case T.undefined:
      return false
    default:
      return true
  }
}

export const intValue = (value: number): RawValue => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32LE(value)
  return new RawValue(T.int, bytes, 0, 4)
}

export const doubleValue = (value: number): RawValue => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleLE(value)
  return new RawValue(T.double, bytes, 0, 8)
}

export const longValue = (value: bigint): RawValue => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64LE(value)
  return new RawValue(T.long, bytes, 0, 8)
}

/** An int when it fits, else a long. */
export const integerValue = (value: number | bigint): RawValue =>
  value >= INT_MIN && value <= INT_MAX ? intValue(Number(value)) : longValue(BigInt(value))

export const boolValue = (value: boolean): RawValue =>
  new RawValue(T.bool, Buffer.from([value ? 1 : 0]), 0, 1)

export const dateValue = (milliseconds: number): RawValue => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64LE(BigInt(milliseconds))
  return new RawValue(T.date, bytes, 0, 8)
}

export const stringValue = (text: string): RawValue => {
  const body = Buffer.from(text)
  const bytes = Buffer.alloc(body.length + 5)
  bytes.writeInt32LE(body.length + 1)
  body.copy(bytes, 4)
  return new RawValue(T.string, bytes, 0, bytes.length)
}

export const newObjectId = (): RawValue => new RawValue(T.objectId, Buffer.from(new ObjectId().id), 0, 12)

export const emptyObject = (): RawValue => new RawValue(T.object, EMPTY_DOCUMENT, 0, 5)

export const isInt32 = (value: number | bigint): boolean =>
  value >= INT_MIN && value <= INT_MAX && (typeof value === 'bigint' || Number.isInteger(value))

/** The items of an array value, or nothing when it is not an array. */
export const arrayItems = (value: RawValue | undefined): RawValue[] | undefined =>
  value?.type === T.array ? itemsOf(value) : undefined
