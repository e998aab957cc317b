import type { RawValue } from '../bson/raw.ts'
import { isNumberType, T, typeRank } from '../bson/types.ts'
import { doubleValue } from '../bson/values.ts'
import { ByteWriter } from '../bson/writer.ts'
import type { Filter, Test } from '../query/filter.ts'
import { encodeKey, invert } from './key-encoding.ts'

/** A place between keys: before, or after, everything that begins with these bytes. */
export interface Cut {
  readonly bytes: Buffer
  readonly after: boolean
  /** The value the bytes stand for, when they are one value's. */
  readonly value?: RawValue
}

/** The keys between two cuts, in ascending order of the value. */
export interface Interval {
  readonly low: Cut
  readonly high: Cut
  /** All its keys hold one value. */
  readonly point: boolean
}

const cut = (bytes: Buffer, after: boolean, value?: RawValue): Cut =>
  value ? { bytes, after, value } : { bytes, after }
const before = (bytes: Buffer, value?: RawValue): Cut => cut(bytes, false, value)
const after = (bytes: Buffer, value?: RawValue): Cut => cut(bytes, true, value)

const point = (bytes: Buffer, value?: RawValue): Interval => ({
  low: before(bytes, value),
  high: after(bytes, value),
  point: true,
})
const ofRank = (rank: number): Interval => {
  const bytes = Buffer.from([rank])
  return { low: before(bytes), high: after(bytes), point: false }
}

/** Null, and the undefined of old drivers, which is equal to it. */
const NULL_POINTS = [point(Buffer.from([typeRank(T.undefined)])), point(Buffer.from([typeRank(T.null)]))]

/** A field that is not there is held as null. */
const MISSING_POINT = point(Buffer.from([typeRank(T.null)]))

const scratch = new ByteWriter(256)

function keyBytes(value: RawValue): Buffer {
  scratch.clear()
  encodeKey(scratch, value)
  return scratch.take()
}

const NAN = doubleValue(Number.NaN)
const NAN_KEY = keyBytes(NAN)

/**
 * The intervals in which an index holds every document that passes a test of one field; undefined when the test
 * does not narrow anything. They may hold more: documents are always tested again.
 */
export function intervalsOf(test: Test): Interval[] | undefined {
  switch (test.op) {
    case 'eq':
      return pointOf(test.value)
    case 'in':
      return intervalsOfIn(test)
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return rangeOf(test.op, test.value)
    case 'regex':
      return patternIntervals(test.pattern.prefix)
    case 'type':
      return typeIntervals(test.types)
    default:
      return undefined
  }
}

/** The intervals of a negated test: only absence has any. */
export function negatedIntervals(filter: Filter): Interval[] | undefined {
  return filter.kind === 'leaf' && filter.test.op === 'exists' ? [MISSING_POINT] : undefined
}

function pointOf(value: RawValue): Interval[] | undefined {
  if (value.type === T.array) return undefined
  if (value.type === T.null || value.type === T.undefined) return NULL_POINTS
  return [point(keyBytes(value), value)]
}

function intervalsOfIn(test: Test & { op: 'in' }): Interval[] | undefined {
  const intervals: Interval[] = []
  for (const pattern of test.patterns) {
    const found = patternIntervals(pattern.prefix)
    if (!found) return undefined
    intervals.push(...found)
  }
  for (const value of test.values) {
    if (value.type === T.regex) continue
    const found = pointOf(value)
    if (!found) return undefined
    intervals.push(...found)
  }
  return union(intervals)
}

function rangeOf(op: 'gt' | 'gte' | 'lt' | 'lte', value: RawValue): Interval[] | undefined {
  switch (value.type) {
    case T.array:
    case T.object:
    case T.minKey:
    case T.maxKey:
      return undefined
    case T.null:
    case T.undefined:
      return op.endsWith('e') ? NULL_POINTS : []
    default:
  }
  const rank = ofRank(typeRank(value.type))
  const bytes = keyBytes(value)
  if (bytes.equals(NAN_KEY)) return op.endsWith('e') ? [point(bytes, value)] : []
  switch (op) {
    case 'gt':
      return [{ ...rank, low: after(bytes, value) }]
    case 'gte':
      return [{ ...rank, low: before(bytes, value) }]
    case 'lt':
      return [{ ...rank, low: lowest(rank, value), high: before(bytes, value) }]
    case 'lte':
      return [{ ...rank, low: lowest(rank, value), high: after(bytes, value) }]
  }
}

/** NaN is held before all numbers, and is less than none. */
const lowest = (rank: Interval, value: RawValue): Cut =>
  isNumberType(value.type) ? after(NAN_KEY, NAN) : rank.low

/** Strings with the prefix; and stored regular expressions, which a pattern may equal. */
function patternIntervals(prefix: string): Interval[] | undefined {
  if (prefix === '' || prefix.includes('\0')) return undefined
  const bytes = Buffer.concat([Buffer.from([typeRank(T.string)]), Buffer.from(prefix)])
  return [{ low: before(bytes), high: after(bytes), point: false }, ofRank(typeRank(T.regex))]
}

function typeIntervals(types: ReadonlySet<number>): Interval[] | undefined {
  if (types.has(T.array)) return undefined
  return union([...types].map((type) => ofRank(typeRank(type))))
}

function compareCuts(a: Cut, b: Cut): number {
  const shared = Math.min(a.bytes.length, b.bytes.length)
  const order = a.bytes.compare(b.bytes, 0, shared, 0, shared)
  if (order !== 0 || a.bytes.length === b.bytes.length) return order || Number(a.after) - Number(b.after)
  // One is a prefix of the other: the shorter one's side decides.
  if (a.bytes.length < b.bytes.length) return a.after ? 1 : -1
  return b.after ? -1 : 1
}

/** Sorted, and without overlaps. */
export function union(intervals: Interval[]): Interval[] {
  const sorted = [...intervals].sort((a, b) => compareCuts(a.low, b.low))
  const merged: Interval[] = []
  for (const interval of sorted) {
    const last = merged.at(-1)
    if (!last || compareCuts(interval.low, last.high) >= 0) merged.push(interval)
    else if (compareCuts(interval.high, last.high) > 0) {
      merged[merged.length - 1] = { low: last.low, high: interval.high, point: false }
    }
  }
  return merged
}

/** What both lists hold. */
export function intersect(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const found: Interval[] = []
  for (const left of a) {
    for (const right of b) {
      const low = compareCuts(left.low, right.low) >= 0 ? left.low : right.low
      const high = compareCuts(left.high, right.high) <= 0 ? left.high : right.high
      if (compareCuts(low, high) < 0) found.push({ low, high, point: left.point || right.point })
    }
  }
  return union(found)
}

/** The same keys as a descending field stores them: inverted, and with the ends exchanged. */
export function descending(intervals: readonly Interval[]): Interval[] {
  const inverted = (cut: Cut): Cut => {
    const bytes = Buffer.from(cut.bytes)
    invert(bytes, 0, bytes.length)
    return { bytes, after: !cut.after }
  }
  return intervals
    .map((interval) => ({ ...interval, low: inverted(interval.high), high: inverted(interval.low) }))
    .reverse()
}
