import { RawValue } from './raw.ts'
import { T } from './types.ts'

/** A Decimal128: digits times ten to the exponent, or one of the three that are no number of digits. */
export type Decimal =
  | {
      readonly kind: 'finite'
      readonly negative: boolean
      readonly digits: bigint
      readonly exponent: number
    }
  | { readonly kind: 'infinite'; readonly negative: boolean }
  | { readonly kind: 'nan' }

const PRECISION = 34
const GREATEST = 10n ** 34n - 1n
const MIN_EXPONENT = -6176
const MAX_EXPONENT = 6111

export const NAN: Decimal = { kind: 'nan' }
export const infinity = (negative: boolean): Decimal => ({ kind: 'infinite', negative })

export const pow10 = (exponent: number): bigint => 10n ** BigInt(exponent)
const lengthOf = (digits: bigint): number => digits.toString().length

/** Reads the sixteen bytes of a decimal. */
export function readDecimal(bytes: Buffer, at: number): Decimal {
  const high = bytes.readBigUInt64LE(at + 8)
  const negative = high >> 63n === 1n
  const combination = (high >> 58n) & 0x1fn
  if (combination === 0x1fn) return NAN
  if (combination === 0x1en) return infinity(negative)
  // A significand of this form is beyond 34 digits, which the standard reads as zero.
  if (combination >= 0x18n) {
    return { kind: 'finite', negative, digits: 0n, exponent: Number((high >> 47n) & 0x3fffn) + MIN_EXPONENT }
  }
  const digits = ((high & 0x1ffffffffffffn) << 64n) | bytes.readBigUInt64LE(at)
  return {
    kind: 'finite',
    negative,
    digits: digits > GREATEST ? 0n : digits,
    exponent: Number((high >> 49n) & 0x3fffn) + MIN_EXPONENT,
  }
}

/** A decimal as a BSON value. */
export function decimalValue(decimal: Decimal): RawValue {
  const bytes = Buffer.alloc(16)
  switch (decimal.kind) {
    case 'nan':
      bytes[15] = 0x7c
      break
    case 'infinite':
      bytes[15] = decimal.negative ? 0xf8 : 0x78
      break
    case 'finite': {
      const { negative, digits, exponent } = decimal
      bytes.writeBigUInt64LE(digits & 0xffffffffffffffffn, 0)
      const high = (digits >> 64n) | (BigInt(exponent - MIN_EXPONENT) << 49n) | (negative ? 1n << 63n : 0n)
      bytes.writeBigUInt64LE(high, 8)
    }
  }
  return new RawValue(T.decimal, bytes, 0, 16)
}

/** How a number between two others is decided. */
export type Rounding = 'half-even' | 'down' | 'up' | 'floor' | 'ceiling'

/** Divides by a power of ten. */
export function dropDigits(digits: bigint, count: number, rounding: Rounding, negative: boolean): bigint {
  if (count <= 0) return digits * pow10(-count)
  // Beyond all digits the quotient is zero; the power need not be computed to know it.
  const scale = count > lengthOf(digits) + 1 ? pow10(lengthOf(digits) + 1) : pow10(count)
  const quotient = digits / scale
  const rest = digits % scale
  if (rest === 0n) return quotient
  switch (rounding) {
    case 'down':
      return quotient
    case 'up':
      return quotient + 1n
    case 'floor':
      return negative ? quotient + 1n : quotient
    case 'ceiling':
      return negative ? quotient : quotient + 1n
    case 'half-even': {
      const twice = rest * 2n
      return twice > scale || (twice === scale && quotient % 2n === 1n) ? quotient + 1n : quotient
    }
  }
}

/** The decimal next to digits times ten to the exponent. */
export function finite(negative: boolean, digits: bigint, exponent: number): Decimal {
  let kept = digits
  let at = exponent
  const excess = Math.max(lengthOf(kept) - PRECISION, MIN_EXPONENT - at)
  if (excess > 0) {
    kept = dropDigits(kept, excess, 'half-even', negative)
    at += excess
    if (kept > GREATEST) {
      kept /= 10n
      at++
    }
  }
  if (kept === 0n) at = Math.min(at, MAX_EXPONENT)
  if (at > MAX_EXPONENT) {
    const missing = at - MAX_EXPONENT
    if (lengthOf(kept) + missing > PRECISION) return infinity(negative)
    kept *= pow10(missing)
    at = MAX_EXPONENT
  }
  return { kind: 'finite', negative, digits: kept, exponent: at }
}

export const decimalFromInteger = (value: number | bigint): Decimal => {
  const whole = BigInt(value)
  return { kind: 'finite', negative: whole < 0n, digits: whole < 0n ? -whole : whole, exponent: 0 }
}

const TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** A decimal out of text, or undefined when it is none. */
export function parseDecimal(text: string): Decimal | undefined {
  if (/^[+-]?nan$/i.test(text)) return NAN
  if (/^[+-]?inf(inity)?$/i.test(text)) return infinity(text.startsWith('-'))
  const match = TEXT.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole.length + fraction.length === 0) return undefined
  return finite(sign === '-', BigInt(whole + fraction), Number(exponent) - fraction.length)
}

/** A double as a decimal of fifteen digits, as MongoDB converts it. */
export function decimalFromDouble(value: number): Decimal {
  if (Number.isNaN(value)) return NAN
  if (!Number.isFinite(value)) return infinity(value < 0)
  if (value === 0) return { kind: 'finite', negative: Object.is(value, -0), digits: 0n, exponent: 0 }
  return parseDecimal(value.toExponential(14)) ?? NAN
}

/** A double as the decimal of 34 digits next to it. */
export function exactDecimal(value: number): Decimal {
  if (!Number.isFinite(value) || value === 0) return decimalFromDouble(value)
  const view = Buffer.allocUnsafe(8)
  view.writeDoubleBE(value)
  const bits = view.readBigUInt64BE()
  const biased = Number((bits >> 52n) & 0x7ffn)
  const mantissa = (bits & 0xfffffffffffffn) | (biased === 0 ? 0n : 0x10000000000000n)
  const power = Math.max(biased, 1) - 1075
  return power >= 0
    ? finite(value < 0, mantissa << BigInt(power), 0)
    : reduced(finite(value < 0, mantissa * 5n ** BigInt(-power), power))
}

/** The same number without trailing zeros behind the point. */
export function reduced(decimal: Decimal): Decimal {
  if (decimal.kind !== 'finite') return decimal
  let { digits, exponent } = decimal
  if (digits === 0n) return { ...decimal, exponent: 0 }
  while (exponent < 0 && digits % 10n === 0n) {
    digits /= 10n
    exponent++
  }
  return { ...decimal, digits, exponent }
}

/** The double next to a decimal. */
export function decimalToDouble(decimal: Decimal): number {
  if (decimal.kind === 'nan') return Number.NaN
  const sign = decimal.negative ? -1 : 1
  if (decimal.kind === 'infinite') return sign * Number.POSITIVE_INFINITY
  return sign * Number(`${decimal.digits}e${decimal.exponent}`)
}

/** The whole number next to a decimal. */
export function decimalToInteger(decimal: Decimal, rounding: Rounding): bigint | undefined {
  if (decimal.kind !== 'finite' || decimal.exponent > 40) return undefined
  const whole = dropDigits(decimal.digits, -decimal.exponent, rounding, decimal.negative)
  return decimal.negative ? -whole : whole
}

/** Rounds to a number of places behind the point; negative places are before it. */
export function quantize(decimal: Decimal, places: number, rounding: Rounding): Decimal {
  if (decimal.kind !== 'finite') return decimal
  const { negative, digits, exponent } = decimal
  const kept = dropDigits(digits, -places - exponent, rounding, negative)
  return lengthOf(kept) > PRECISION ? decimal : { kind: 'finite', negative, digits: kept, exponent: -places }
}

/** Text as MongoDB writes it. */
export function decimalText(decimal: Decimal): string {
  if (decimal.kind === 'nan') return 'NaN'
  const sign = decimal.negative ? '-' : ''
  if (decimal.kind === 'infinite') return `${sign}Infinity`
  const text = decimal.digits.toString()
  const { exponent } = decimal
  const scientific = exponent + text.length - 1
  if (exponent > 0 || scientific < -6) {
    const rest = text.length > 1 ? `.${text.slice(1)}` : ''
    return `${sign}${text[0]}${rest}E${scientific >= 0 ? '+' : ''}${scientific}`
  }
  if (exponent === 0) return sign + text
  const padded = text.padStart(1 - exponent, '0')
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`
}
