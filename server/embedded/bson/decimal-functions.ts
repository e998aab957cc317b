import { type Decimal, decimalFromInteger, finite, infinity, NAN, pow10 } from './decimal.ts'
import { divideDecimals, isZero, multiplyDecimals } from './decimal-arithmetic.ts'

/*
 * Functions of decimals, computed in whole numbers of 10^-PLACES and rounded to the 34 digits a decimal has.
 */

const PLACES = 90
const ONE = pow10(PLACES)

const times = (a: bigint, b: bigint): bigint => (a * b) / ONE
const over = (a: bigint, b: bigint): bigint => (a * ONE) / b

/** A decimal as a fixed number; undefined when it is too great for one. */
function fixedOf(decimal: Decimal): bigint | undefined {
  if (decimal.kind !== 'finite') return undefined
  const { digits, exponent, negative } = decimal
  if (digits !== 0n && exponent + digits.toString().length > 40) return undefined
  const shift = exponent + PLACES
  const size = shift >= 0 ? digits * pow10(shift) : digits / pow10(Math.min(-shift, 200))
  return negative ? -size : size
}

/** The decimal of a fixed number; a result that is exact far beyond its digits loses its zeros. */
function decimalOfFixed(value: bigint): Decimal {
  const result = finite(value < 0n, value < 0n ? -value : value, -PLACES)
  if (result.kind !== 'finite') return result
  let { digits, exponent } = result
  if (digits % pow10(20) !== 0n) return result
  while (exponent < 0 && digits % 10n === 0n && digits !== 0n) {
    digits /= 10n
    exponent++
  }
  return { ...result, digits, exponent: digits === 0n ? 0 : exponent }
}

/** Adds up terms until they vanish. */
function series(first: bigint, next: (term: bigint, i: bigint) => bigint): bigint {
  let sum = 0n
  let term = first
  for (let i = 1n; term !== 0n; i++) {
    sum += term
    term = next(term, i)
  }
  return sum
}

function expFixed(x: bigint): bigint {
  const halvings = 10n
  let result = series(ONE, (term, i) => times(term, x >> halvings) / i)
  for (let i = 0n; i < halvings; i++) result = times(result, result)
  return result
}

/** ln of a fixed number near one, by the series of the inverse hyperbolic tangent. */
function lnNearOne(x: bigint): bigint {
  const t = over(x - ONE, x + ONE)
  const square = times(t, t)
  let sum = 0n
  let power = t
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += power / i
    power = times(power, square)
  }
  return 2n * sum
}

const LN2 = lnNearOne(2n * ONE)
const LN10 = 3n * LN2 + lnNearOne((ONE * 10n) / 8n)

/** ln of a positive decimal. */
function lnOf({ digits, exponent }: Decimal & { kind: 'finite' }): bigint {
  const length = digits.toString().length
  let x = (digits * ONE) / pow10(length - 1)
  let halvings = 0n
  while (x > (ONE * 3n) / 2n) {
    x >>= 1n
    halvings++
  }
  return lnNearOne(x) + halvings * LN2 + BigInt(exponent + length - 1) * LN10
}

/** The power of e, its decimal exponent taken out first so that nothing overflows. */
function expOf(x: bigint): Decimal {
  const tens = Number(x / LN10)
  const result = decimalOfFixed(expFixed(x - BigInt(tens) * LN10))
  if (result.kind !== 'finite') return result
  return finite(false, result.digits, result.exponent + tens)
}

export function exponential(x: Decimal): Decimal {
  if (x.kind === 'nan') return x
  const fixed = fixedOf(x)
  if (fixed === undefined || fixed > 20000n * ONE || fixed < -20000n * ONE) {
    return x.negative ? decimalFromInteger(0) : infinity(false)
  }
  return isZero(x) ? decimalFromInteger(1) : expOf(fixed)
}

export function logarithm(x: Decimal): Decimal {
  if (x.kind !== 'finite') return x.kind === 'infinite' && !x.negative ? x : NAN
  return x.negative || x.digits === 0n ? NAN : decimalOfFixed(lnOf(x))
}

export function logarithm10(x: Decimal): Decimal {
  if (x.kind !== 'finite') return x.kind === 'infinite' && !x.negative ? x : NAN
  return x.negative || x.digits === 0n ? NAN : decimalOfFixed(over(lnOf(x), LN10))
}

function wholeRoot(value: bigint): bigint {
  if (value < 2n) return value
  let guess = 1n << BigInt((value.toString(2).length + 1) >> 1)
  while (true) {
    const next = (guess + value / guess) >> 1n
    if (next >= guess) return guess
    guess = next
  }
}

export function squareRoot(x: Decimal): Decimal {
  if (x.kind !== 'finite') return x.kind === 'infinite' && x.negative ? NAN : x
  if (x.digits === 0n) return { ...x, exponent: Math.floor(x.exponent / 2) }
  if (x.negative) return NAN
  const even = x.exponent % 2 === 0 ? x.digits : x.digits * 10n
  const exponent = Math.floor(x.exponent / 2)
  const exact = wholeRoot(even)
  if (exact * exact === even) return finite(false, exact, exponent)
  // A digit behind the last keeps rounding from mistaking the cut root for a tie.
  return finite(false, wholeRoot(even * pow10(80)) * 10n + 1n, exponent - 41)
}

export function power(base: Decimal, exponent: Decimal): Decimal {
  if (base.kind === 'nan' || exponent.kind === 'nan') return NAN
  if (isZero(exponent)) return decimalFromInteger(1)
  if (base.kind === 'infinite' || exponent.kind === 'infinite' || base.digits === 0n) {
    const toDouble = (value: Decimal) =>
      value.kind === 'finite'
        ? Number(`${value.negative ? '-' : ''}${value.digits}e${value.exponent}`)
        : infinite(value)
    const result = toDouble(base) ** toDouble(exponent)
    return Number.isNaN(result)
      ? NAN
      : Number.isFinite(result)
        ? decimalFromInteger(result)
        : infinity(result < 0)
  }
  const whole = fixedOf(exponent)
  const integral = whole !== undefined && whole % ONE === 0n
  if (base.negative && !integral) return NAN
  if (integral && whole > -1000n * ONE && whole < 1000n * ONE) return wholePower(base, Number(whole / ONE))
  const magnitude = whole === undefined ? undefined : times(lnOf(base), whole)
  if (magnitude === undefined || magnitude > 20000n * ONE) return infinity(false)
  if (magnitude < -20000n * ONE) return decimalFromInteger(0)
  const result = expOf(magnitude)
  const odd = integral && (whole / ONE) % 2n !== 0n
  return result.kind === 'finite' ? { ...result, negative: base.negative && odd } : result
}

const infinite = (value: Decimal): number =>
  value.kind === 'infinite' && value.negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY

function wholePower(base: Decimal, exponent: number): Decimal {
  let result = decimalFromInteger(1)
  let square = base
  for (let left = Math.abs(exponent); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiplyDecimals(result, square)
    square = multiplyDecimals(square, square)
  }
  return exponent < 0 ? divideDecimals(decimalFromInteger(1), result) : result
}

const atanSmall = (x: bigint): bigint => {
  const square = times(x, x)
  let sum = 0n
  let term = x
  for (let i = 1n; term !== 0n; i += 2n) {
    sum += term / i
    term = -times(term, square)
  }
  return sum
}

const PI = 16n * atanSmall(ONE / 5n) - 4n * atanSmall(ONE / 239n)

const rootFixed = (x: bigint): bigint => wholeRoot(x * ONE)

function atanFixed(x: bigint): bigint {
  if (x < 0n) return -atanFixed(-x)
  if (x > ONE) return PI / 2n - atanFixed(over(ONE, x))
  // Two halvings of the angle bring the series to converge fast.
  let small = x
  for (let i = 0; i < 2; i++) small = over(small, ONE + rootFixed(ONE + times(small, small)))
  return 4n * atanSmall(small)
}

const sinFixed = (x: bigint): bigint => {
  const angle = x % (2n * PI)
  const square = times(angle, angle)
  return series(angle, (term, i) => -times(term, square) / (2n * i * (2n * i + 1n)))
}
const cosFixed = (x: bigint): bigint => sinFixed(x + PI / 2n)
const sinhFixed = (x: bigint): bigint => (expFixed(x) - expFixed(-x)) / 2n
const coshFixed = (x: bigint): bigint => (expFixed(x) + expFixed(-x)) / 2n
const asinFixed = (x: bigint): bigint =>
  x === ONE || x === -ONE ? (x > 0n ? PI / 2n : -PI / 2n) : atanFixed(over(x, rootFixed(ONE - times(x, x))))
const lnFixed = (x: bigint): bigint => lnOf({ kind: 'finite', negative: false, digits: x, exponent: -PLACES })

const FUNCTIONS = {
  sin: sinFixed,
  cos: cosFixed,
  tan: (x) => over(sinFixed(x), cosFixed(x)),
  asin: asinFixed,
  acos: (x) => PI / 2n - asinFixed(x),
  atan: atanFixed,
  sinh: sinhFixed,
  cosh: coshFixed,
  tanh: (x) => over(sinhFixed(x), coshFixed(x)),
  asinh: (x) =>
    x < 0n ? -lnFixed(-x + rootFixed(times(x, x) + ONE)) : lnFixed(x + rootFixed(times(x, x) + ONE)),
  acosh: (x) => lnFixed(x + rootFixed(times(x, x) - ONE)),
  atanh: (x) => lnFixed(over(ONE + x, ONE - x)) / 2n,
  degreesToRadians: (x) => times(x, PI) / 180n,
  radiansToDegrees: (x) => over(x * 180n, PI),
} satisfies Record<string, (x: bigint) => bigint>

/** The functions of angles that decimals have. */
export type Trigonometric = keyof typeof FUNCTIONS

/** A function of an angle; undefined where a double has to decide, as the number is too great or not finite. */
export function trigonometric(name: Trigonometric, x: Decimal): Decimal | undefined {
  const fixed = fixedOf(x)
  if (fixed === undefined) return undefined
  if ((name === 'sinh' || name === 'cosh' || name === 'tanh') && (fixed > 700n * ONE || fixed < -700n * ONE))
    return undefined
  return decimalOfFixed(FUNCTIONS[name](fixed))
}

/** The angle of a point. */
export function arcTangent2(y: Decimal, x: Decimal): Decimal | undefined {
  const [top, side] = [fixedOf(y), fixedOf(x)]
  if (top === undefined || side === undefined) return undefined
  if (side === 0n) return decimalOfFixed(top === 0n ? 0n : top > 0n ? PI / 2n : -PI / 2n)
  const angle = atanFixed(over(top, side))
  return decimalOfFixed(side > 0n ? angle : top < 0n ? angle - PI : angle + PI)
}
