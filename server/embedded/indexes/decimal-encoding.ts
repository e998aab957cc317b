import { Decimal128 } from 'bson'
import type { ByteWriter } from '../bson/writer.ts'

/** A finite decimal: digits times ten to the exponent. */
export interface DecimalParts {
  readonly negative: boolean
  readonly digits: bigint
  readonly exponent: number
}

/** The parts of a decimal's sixteen bytes, or NaN or an infinity. */
export function decimalParts(bytes: Uint8Array): DecimalParts | number {
  const text = new Decimal128(Uint8Array.from(bytes)).toString()
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/.exec(text)
  if (!match) return text === 'NaN' ? Number.NaN : text.startsWith('-') ? -Infinity : Infinity
  const fraction = match[3] ?? ''
  return {
    negative: match[1] === '-',
    digits: BigInt(`${match[2]}${fraction}`),
    exponent: Number(match[4] ?? 0) - fraction.length,
  }
}

/** A double as an integer times a power of two. */
function doubleParts(value: number): { mantissa: bigint; exponent: number } {
  const view = Buffer.allocUnsafe(8)
  view.writeDoubleBE(value)
  const bits = view.readBigUInt64BE()
  const exponent = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  return exponent === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10000000000000n, exponent: exponent - 1075 }
}

/** The sign of (digits * 10^exponent - value), both as exact fractions over a common denominator. */
function exactDifference(digits: bigint, exponent: number, value: number) {
  const double = doubleParts(value)
  let left = exponent >= 0 ? digits * 10n ** BigInt(exponent) : digits
  let right = double.mantissa
  let denominator = 1n
  if (exponent < 0) {
    const scale = 10n ** BigInt(-exponent)
    right *= scale
    denominator *= scale
  }
  if (double.exponent >= 0) right <<= BigInt(double.exponent)
  else {
    left <<= BigInt(-double.exponent)
    denominator <<= BigInt(-double.exponent)
  }
  return { numerator: left - right, denominator }
}

/**
 * Answers the greatest double not above the number, and writes what is left of it: a zero for nothing, else a
 * one and the exact remainder as a decimal exponent and digits, which compare as bytes.
 */
export function writeRemainder(writer: ByteWriter, digits: bigint, exponent: number): number {
  let double = Number(`${digits}e${exponent}`)
  if (!Number.isFinite(double)) double = Number.MAX_VALUE
  let { numerator, denominator } = exactDifference(digits, exponent, double)
  if (numerator < 0n) {
    double = previousDouble(double)
    ;({ numerator, denominator } = exactDifference(digits, exponent, double))
  }
  if (numerator === 0n) {
    writer.byte(0)
    return double
  }
  writer.byte(1)
  writeFraction(writer, numerator, denominator)
  return double
}

function previousDouble(value: number): number {
  const view = Buffer.allocUnsafe(8)
  view.writeDoubleBE(value)
  view.writeBigUInt64BE(view.readBigUInt64BE() - 1n)
  return view.readDoubleBE()
}

/** The denominator divides a power of ten, so the digits end. */
function writeFraction(writer: ByteWriter, numerator: bigint, denominator: bigint): void {
  let places = 0
  let scaled = numerator
  let rest = denominator
  while (rest % 10n === 0n) {
    rest /= 10n
    places++
  }
  while (rest % 2n === 0n) {
    rest /= 2n
    scaled *= 5n
    places++
  }
  while (rest % 5n === 0n) {
    rest /= 5n
    scaled *= 2n
    places++
  }
  const digits = scaled.toString()
  const leading = digits.length - places + 32768
  writer.byte(leading >> 8)
  writer.byte(leading & 0xff)
  writer.utf8(digits.replace(/0+$/, ''))
  writer.byte(0)
}
