import { type Decimal, finite, infinity, NAN, pow10 } from './decimal.ts'

type Finite = Decimal & { kind: 'finite' }

const signed = ({ negative, digits }: Finite): bigint => (negative ? -digits : digits)

/** Beyond this distance the smaller number cannot reach the last of 34 digits; a trace of it is enough. */
const FAR = 80

function aligned(a: Finite, b: Finite): { left: bigint; right: bigint; exponent: number } {
  const exponent = Math.min(a.exponent, b.exponent)
  return {
    left: signed(a) * pow10(a.exponent - exponent),
    right: signed(b) * pow10(b.exponent - exponent),
    exponent,
  }
}

/** The sum of two decimals, rounded to 34 digits. */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.kind === 'nan' || b.kind === 'nan') return NAN
  if (a.kind === 'infinite') return b.kind === 'infinite' && b.negative !== a.negative ? NAN : a
  if (b.kind === 'infinite') return b
  const { left, right, exponent } = aligned(traceOf(a, b), traceOf(b, a))
  const sum = left + right
  const negative = sum === 0n ? a.negative && b.negative : sum < 0n
  return finite(negative, sum < 0n ? -sum : sum, exponent)
}

/** A number so small beside the other that only its sign matters is brought near enough to be added. */
function traceOf(value: Finite, beside: Finite): Finite {
  const top = (decimal: Finite) => decimal.exponent + decimal.digits.toString().length
  if (value.digits === 0n || beside.digits === 0n || top(beside) - top(value) < FAR) return value
  return { ...value, digits: 1n, exponent: top(beside) - FAR }
}

export const negated = (decimal: Decimal): Decimal =>
  decimal.kind === 'nan' ? decimal : { ...decimal, negative: !decimal.negative }

export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.kind === 'nan' || b.kind === 'nan') return NAN
  const negative = a.negative !== b.negative
  if (a.kind === 'infinite') return b.kind === 'finite' && b.digits === 0n ? NAN : infinity(negative)
  if (b.kind === 'infinite') return a.digits === 0n ? NAN : infinity(negative)
  return finite(negative, a.digits * b.digits, a.exponent + b.exponent)
}

/** The quotient: exact ones keep the exponent the standard prefers, others fill 34 digits. */
export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.kind === 'nan' || b.kind === 'nan') return NAN
  const negative = a.negative !== b.negative
  if (a.kind === 'infinite') return b.kind === 'infinite' ? NAN : infinity(negative)
  if (b.kind === 'infinite') return { kind: 'finite', negative, digits: 0n, exponent: -6176 }
  if (b.digits === 0n) return a.digits === 0n ? NAN : infinity(negative)
  const preferred = a.exponent - b.exponent
  const shift = Math.max(0, 38 + b.digits.toString().length - a.digits.toString().length)
  const scaled = a.digits * pow10(shift)
  let quotient = scaled / b.digits
  let exponent = preferred - shift
  if (scaled % b.digits !== 0n) {
    // A last digit that is neither zero nor five keeps rounding from mistaking this for a tie.
    return finite(negative, quotient * 10n + 1n, exponent - 1)
  }
  while (exponent < preferred && quotient % 10n === 0n) {
    quotient /= 10n
    exponent++
  }
  return finite(negative, quotient, exponent)
}

/** What is left of a division; it has the sign of the dividend. */
export function remainderOf(a: Decimal, b: Decimal): Decimal {
  if (a.kind !== 'finite' || b.kind === 'nan') return NAN
  if (b.kind === 'infinite') return a
  if (b.digits === 0n) return NAN
  const { left, right, exponent } = aligned(a, b)
  const rest = left % right
  return finite(a.negative, rest < 0n ? -rest : rest, exponent)
}

export const isZero = (decimal: Decimal): boolean => decimal.kind === 'finite' && decimal.digits === 0n
