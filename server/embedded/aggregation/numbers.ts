import {
  type Decimal,
  decimalFromDouble,
  decimalFromInteger,
  decimalToDouble,
  decimalToInteger,
  decimalValue,
  readDecimal,
} from '../bson/decimal.ts'
import { addDecimals, multiplyDecimals, negated } from '../bson/decimal-arithmetic.ts'
import type { RawValue } from '../bson/raw.ts'
import { isNumberType, T } from '../bson/types.ts'
import { doubleValue, integerValue, intValue, isInt32, longValue, numberIn } from '../bson/values.ts'

export const LONG_MIN = -(2n ** 63n)
export const LONG_MAX = 2n ** 63n - 1n

export const isLong = (value: bigint): boolean => value >= LONG_MIN && value <= LONG_MAX

/** A value that is an int, a long, a double or a decimal. */
export type NumericValue = RawValue & { readonly type: 1 | 16 | 18 | 19 }

export const isNumeric = (value: RawValue | undefined): value is NumericValue =>
  value !== undefined && isNumberType(value.type)

export const isMissing = (value: RawValue | undefined): value is undefined =>
  value === undefined || value.type === T.null || value.type === T.undefined

/** A number as a decimal; a double keeps fifteen digits. */
export function decimalOf(value: RawValue): Decimal {
  if (value.type === T.decimal) return readDecimal(value.bytes, value.start)
  if (value.type === T.double) return decimalFromDouble(value.bytes.readDoubleLE(value.start))
  return decimalFromInteger(numberIn(value))
}

/** A number as a double. */
export const doubleOf = (value: RawValue): number =>
  value.type === T.decimal ? decimalToDouble(decimalOf(value)) : Number(numberIn(value))

/** A number as a whole one, cut towards zero and held within a long, as MongoDB coerces it. */
export function longOf(value: RawValue): bigint {
  if (value.type === T.decimal) return clamped(decimalToInteger(decimalOf(value), 'half-even') ?? 0n)
  const number = numberIn(value)
  if (typeof number === 'bigint') return number
  if (Number.isNaN(number)) return 0n
  if (!Number.isFinite(number)) return number > 0 ? LONG_MAX : LONG_MIN
  return clamped(BigInt(Math.trunc(number)))
}

const clamped = (value: bigint): bigint => (value > LONG_MAX ? LONG_MAX : value < LONG_MIN ? LONG_MIN : value)

/** A whole number out of any numeric type, or undefined when it is none that an int can hold. */
export function int32Of(value: RawValue): number | undefined {
  if (value.type === T.decimal) {
    const double = decimalToDouble(decimalOf(value))
    return isInt32(double) ? double : undefined
  }
  const number = numberIn(value)
  return isInt32(number) ? Number(number) : undefined
}

/** A whole number out of any numeric type, or undefined when it is none that a long can hold. */
export function int64Of(value: RawValue): bigint | undefined {
  if (value.type === T.decimal) {
    const whole = decimalToInteger(decimalOf(value), 'down')
    return whole !== undefined && isLong(whole) && decimalToDouble(decimalOf(value)) === Number(whole)
      ? whole
      : undefined
  }
  const number = numberIn(value)
  if (typeof number === 'bigint') return number
  if (!Number.isInteger(number)) return undefined
  const whole = BigInt(number)
  return isLong(whole) ? whole : undefined
}

export const isIntegral = (value: RawValue): boolean => value.type === T.int || value.type === T.long

/** Adds or multiplies in the wider of two types; whole numbers that no long can hold become doubles. */
function combine(
  a: RawValue,
  b: RawValue,
  whole: (x: bigint, y: bigint) => bigint,
  double: (x: number, y: number) => number,
  decimal: (x: Decimal, y: Decimal) => Decimal,
): RawValue {
  if (a.type === T.decimal || b.type === T.decimal) return decimalValue(decimal(decimalOf(a), decimalOf(b)))
  if (a.type === T.double || b.type === T.double) return doubleValue(double(doubleOf(a), doubleOf(b)))
  if (a.type === T.int && b.type === T.int) {
    const exact = double(Number(numberIn(a)), Number(numberIn(b)))
    if (isInt32(exact)) return intValue(exact)
  }
  const exact = whole(BigInt(numberIn(a)), BigInt(numberIn(b)))
  if (!isLong(exact)) return doubleValue(double(doubleOf(a), doubleOf(b)))
  return a.type === T.int && b.type === T.int ? integerValue(exact) : longValue(exact)
}

export const addNumbers = (a: RawValue, b: RawValue): RawValue =>
  combine(
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
    addDecimals,
  )

export const subtractNumbers = (a: RawValue, b: RawValue): RawValue =>
  combine(
    a,
    b,
    (x, y) => x - y,
    (x, y) => x - y,
    (x, y) => addDecimals(x, negated(y)),
  )

export const multiplyNumbers = (a: RawValue, b: RawValue): RawValue =>
  combine(
    a,
    b,
    (x, y) => x * y,
    (x, y) => x * y,
    multiplyDecimals,
  )
