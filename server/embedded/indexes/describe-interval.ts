import type { RawValue } from '../bson/raw.ts'
import { describeValue } from '../storage/describe-value.ts'
import type { Cut, Interval } from './intervals.ts'

/** The bounds of a field that nothing narrows. */
export const EVERY_VALUE = '[MinKey, MaxKey]'

/** Where the values of each type's rank begin and end, as MongoDB writes it: some end where the next begin. */
const EXTREMES: Readonly<Record<number, readonly [string, string]>> = {
  2: ['[undefined', 'undefined]'],
  5: ['[null', 'null]'],
  10: ['[-inf.0', 'inf.0]'],
  15: ['[""', '{})'],
  20: ['[{}', '[])'],
  30: ['[BinData(0, )', "ObjectId('000000000000000000000000'))"],
  35: ["[ObjectId('000000000000000000000000')", "ObjectId('ffffffffffffffffffffffff')]"],
  40: ['[false', 'true]'],
  45: ['[new Date(-9223372036854775808)', 'new Date(9223372036854775807)]'],
  47: ['[Timestamp(0, 0)', 'Timestamp(4294967295, 4294967295)]'],
  50: ['[//', 'DBRef())'],
}
const ANY = ['[MinKey', 'MaxKey]'] as const

/** An interval as explain shows it: `[3, 3]`, `["a", {})`. */
export const describeInterval = ({ low, high }: Interval): string => `${lowEnd(low)}, ${highEnd(high)}`

function lowEnd({ bytes, after, value }: Cut): string {
  const shown = textOf(bytes, value)
  return shown === undefined ? extremes(bytes)[0] : `${after ? '(' : '['}${shown}`
}

function highEnd({ bytes, after, value }: Cut): string {
  const shown = textOf(bytes, value)
  if (shown === undefined) return extremes(bytes)[1]
  // Everything that begins with a prefix comes before the end of the prefix.
  return after && !value ? `${shown}\u2026)` : `${shown}${after ? ']' : ')'}`
}

/** The value of a cut, or the prefix that its strings have; nothing where a type begins or ends. */
function textOf(bytes: Buffer, value: RawValue | undefined): string | undefined {
  if (value) return describeValue(value)
  return bytes.length > 1 ? JSON.stringify(bytes.toString('utf8', 1)) : undefined
}

const extremes = ([rank = 0]: Buffer): readonly [string, string] => EXTREMES[rank] ?? ANY
