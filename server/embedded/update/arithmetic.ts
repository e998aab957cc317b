import { Decimal128 } from 'bson'
import { RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { doubleValue, intValue, isInt32, longValue, numberIn } from '../bson/values.ts'
import { CommandError } from '../errors.ts'
import { decimalParts } from '../indexes/decimal-encoding.ts'

const LONG_MIN = -(2n ** 63n)
const LONG_MAX = 2n ** 63n - 1n

/** The sum or product of two BSON numbers, in the wider of their types; undefined when a long overflows. */
export function calculate(operation: 'add' | 'multiply', a: RawValue, b: RawValue): RawValue | undefined {
  if (a.type === T.decimal || b.type === T.decimal) return calculateDecimal(operation, a, b)
  const left = numberIn(a)
  const right = numberIn(b)
  if (a.type === T.double || b.type === T.double) {
    const x = Number(left)
    const y = Number(right)
    return doubleValue(operation === 'add' ? x + y : x * y)
  }
  if (a.type === T.int && b.type === T.int) {
    const exact = operation === 'add' ? Number(left) + Number(right) : Number(left) * Number(right)
    if (isInt32(exact)) return intValue(exact === 0 ? 0 : exact)
  }
  const x = BigInt(left)
  const y = BigInt(right)
  const result = operation === 'add' ? x + y : x * y
  return result < LONG_MIN || result > LONG_MAX ? undefined : longValue(result)
}

function calculateDecimal(operation: 'add' | 'multiply', a: RawValue, b: RawValue): RawValue {
  const left = partsOf(a)
  const right = partsOf(b)
  if (typeof left === 'number' || typeof right === 'number') {
    const x = typeof left === 'number' ? left : Number(left.digits)
    const y = typeof right === 'number' ? right : Number(right.digits)
    const result = operation === 'add' ? x + y : x * y
    return decimalValue(Number.isNaN(result) ? 'NaN' : result > 0 ? 'Infinity' : '-Infinity')
  }
  if (operation === 'multiply') {
    return decimalFrom(left.digits * right.digits, left.exponent + right.exponent)
  }
  const exponent = Math.min(left.exponent, right.exponent)
  const scaled = (parts: Signed) => parts.digits * 10n ** BigInt(parts.exponent - exponent)
  return decimalFrom(scaled(left) + scaled(right), exponent)
}

interface Signed {
  readonly digits: bigint
  readonly exponent: number
}

function partsOf(value: RawValue): Signed | number {
  const text = value.type === T.decimal ? undefined : decimalText(value)
  const bytes = text === undefined ? value.bytes.subarray(value.start, value.end) : decimalBytes(text)
  const parts = decimalParts(bytes)
  if (typeof parts === 'number') return parts
  return { digits: parts.negative ? -parts.digits : parts.digits, exponent: parts.exponent }
}

/** Of a double, fifteen digits go into a decimal: what a double surely knows. */
function decimalText(value: RawValue): string {
  const number = numberIn(value)
  return value.type === T.double && Number.isFinite(number) && number !== 0
    ? Number(number).toExponential(14)
    : String(number)
}

const decimalBytes = (text: string): Uint8Array => Decimal128.fromStringWithRounding(text).bytes

const decimalValue = (text: string): RawValue =>
  new RawValue(T.decimal, Buffer.from(decimalBytes(text)), 0, 16)

function decimalFrom(digits: bigint, exponent: number): RawValue {
  try {
    return decimalValue(`${digits}E${exponent}`)
  } catch (error) {
    throw new CommandError(15, `a decimal is out of range: ${(error as Error).message}`)
  }
}
