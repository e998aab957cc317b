import { Decimal128, Double, Long } from 'bson'
import { compareValues } from '../bson/compare.ts'
import { decode, encode } from '../bson/plain.ts'
import { NULL, UNDEFINED } from '../bson/raw.ts'
import { calculate } from '../update/arithmetic.ts'

/** Whether a plain value is a number of any BSON kind. */
export const isNumeric = (value: unknown): value is number | Long | Decimal128 | Double =>
  typeof value === 'number' || value instanceof Long || value instanceof Decimal128 || value instanceof Double

/** The sum or product of two plain numbers; decimals and great longs stay exact. */
export function combine(operation: 'add' | 'multiply', a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return operation === 'add' ? a + b : a * b
  const result = calculate(operation, encode(a), encode(b))
  return result ? decode(result) : Number(String(a)) + Number(String(b))
}

/** The order of two plain values, by MongoDB's rules; a missing value comes before null. */
export function comparePlain(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (!Number.isNaN(difference)) return difference
  }
  return compareValues(asRaw(a), asRaw(b))
}

const asRaw = (value: unknown) => (value === undefined ? UNDEFINED : value === null ? NULL : encode(value))

export const isMissing = (value: unknown): value is null | undefined => value === null || value === undefined
