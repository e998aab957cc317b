import { keyOf } from '../indexes/key-encoding.ts'
import { fieldsOf, itemsOf, type RawValue } from './raw.ts'
import { T, typeRank } from './types.ts'
import { numberIn } from './values.ts'

/** MongoDB's order of two values of any types: negative, zero or positive. */
export function compareValues(a: RawValue, b: RawValue): number {
  const rank = typeRank(a.type) - typeRank(b.type)
  return rank !== 0 ? rank : compareSameRank(a, b)
}

/** Whether two values are equal as MongoDB sees it: numbers by value, documents by field order too. */
export const equalValues = (a: RawValue, b: RawValue): boolean =>
  typeRank(a.type) === typeRank(b.type) && compareSameRank(a, b) === 0

function compareSameRank(a: RawValue, b: RawValue): number {
  switch (a.type) {
    case T.int:
    case T.double:
    case T.long:
    case T.decimal:
      return compareNumbers(a, b)
    case T.string:
    case T.symbol:
    case T.code:
      return a.bytes.compare(b.bytes, b.start + 4, b.end - 1, a.start + 4, a.end - 1)
    case T.object:
      return compareDocuments(a, b)
    case T.array:
      return compareArrays(a, b)
    case T.objectId:
    case T.bool:
    case T.regex:
      return a.bytes.compare(b.bytes, b.start, b.end, a.start, a.end)
    case T.null:
    case T.undefined:
    case T.minKey:
    case T.maxKey:
      return 0
    case T.date:
      return orderOf(numberInLong(a), numberInLong(b))
    default:
      return keyOf(a).compare(keyOf(b))
  }
}

const numberInLong = (value: RawValue): bigint => value.bytes.readBigInt64LE(value.start)

const orderOf = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0)

function compareNumbers(a: RawValue, b: RawValue): number {
  if (a.type === T.decimal || b.type === T.decimal) return keyOf(a).compare(keyOf(b))
  const left = numberIn(a)
  const right = numberIn(b)
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : -1
  if (Number.isNaN(right)) return 1
  return orderOf(left, right)
}

function compareDocuments(a: RawValue, b: RawValue): number {
  const left = fieldsOf(a)
  const right = fieldsOf(b)
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i]
    const r = right[i]
    if (!l || !r) break
    const rank = typeRank(l.value.type) - typeRank(r.value.type)
    if (rank !== 0) return rank
    if (l.name !== r.name) return Buffer.compare(Buffer.from(l.name), Buffer.from(r.name))
    const order = compareSameRank(l.value, r.value)
    if (order !== 0) return order
  }
  return left.length - right.length
}

function compareArrays(a: RawValue, b: RawValue): number {
  const left = itemsOf(a)
  const right = itemsOf(b)
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i]
    const r = right[i]
    if (!l || !r) break
    const order = compareValues(l, r)
    if (order !== 0) return order
  }
  return left.length - right.length
}
