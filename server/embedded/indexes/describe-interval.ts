import { describeValue } from '../storage/describe-value.ts'
import type { Cut, Interval } from './intervals.ts'

/** The bounds of a field that nothing narrows. */
export const EVERY_VALUE = '[MinKey, MaxKey]'

/** The least and the greatest value of each type's rank, as MongoDB writes them. */
const EXTREMES: Readonly<Record<number, readonly [string, string]>> = {
  2: ['undefined', 'undefined'],
  5: ['null', 'null'],
  10: ['-inf.0', 'inf.0'],
  15: ['""', '{}'],
  20: ['{}', '[]'],
  30: ['BinData(0, )', "ObjectId('000000000000000000000000')"],
  35: ["ObjectId('000000000000000000000000')", "ObjectId('ffffffffffffffffffffffff')"],
  40: ['false', 'true'],
  45: ['new Date(-9223372036854775808)', 'new Date(9223372036854775807)'],
  47: ['Timestamp(0, 0)', 'Timestamp(4294967295, 4294967295)'],
  50: ['//', 'DBRef()'],
}

/** An interval as explain shows it: `[3, 3]`, `("a", {})`. */
export function describeInterval({ low, high }: Interval): string {
  return `${low.after ? '(' : '['}${end(low)}, ${end(high)}${high.after ? ']' : ')'}`
}

function end({ bytes, after, value }: Cut): string {
  if (value) return describeValue(value)
  const [rank = 0] = bytes
  if (bytes.length > 1) return JSON.stringify(bytes.toString('utf8', 1)) + (after ? '\u2026' : '')
  const [least, greatest] = EXTREMES[rank] ?? ['MinKey', 'MaxKey']
  return after ? greatest : least
}
