import {
  type Decimal,
  decimalFromDouble,
  decimalFromInteger,
  decimalToDouble,
  decimalValue,
} from '../../bson/decimal.ts'
import { addDecimals, divideDecimals, isZero, negated } from '../../bson/decimal-arithmetic.ts'
import {
  arcTangent2,
  exponential,
  logarithm,
  logarithm10,
  power,
  squareRoot,
  type Trigonometric,
  trigonometric,
} from '../../bson/decimal-functions.ts'
import type { RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { doubleValue, integerValue, longValue, numberIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { decimalOf, doubleOf, isIntegral, isLong, isNumeric } from '../numbers.ts'
import { notNumeric } from './arithmetic.ts'
import { type Operator, typeOf } from './expression.ts'
import { binaryOrNull, unaryOrNull, type Value } from './operands.ts'

/** A function of one number that gives a double, or a decimal of a decimal. */
const numeric = (
  double: (x: number) => number,
  decimal: (x: Decimal) => Decimal,
  check: (x: number, name: string) => void = () => undefined,
): Operator =>
  unaryOrNull((value, name) => {
    if (!isNumeric(value)) throw notNumeric(name, value)
    const x = doubleOf(value)
    check(x, name)
    return value.type === T.decimal ? decimalValue(decimal(decimalOf(value))) : doubleValue(double(x))
  })

const positive =
  (code: number) =>
  (x: number, name: string): void => {
    if (x <= 0) throw new CommandError(code, `${name}'s argument must be a positive number, but is ${x}`)
  }

function notNegative(x: number): void {
  if (x < 0) throw new CommandError(28714, "$sqrt's argument must be greater than or equal to 0")
}

const angle = (
  name: Trigonometric,
  double: (x: number) => number,
  least?: number,
  most?: number,
  infinite = true,
): Operator =>
  numeric(
    double,
    (x) => trigonometric(name, x) ?? decimalFromDouble(double(decimalToDouble(x))),
    (x) => {
      const outside = (least !== undefined && x < least) || (most !== undefined && x > most)
      if (outside || (!infinite && Math.abs(x) === Number.POSITIVE_INFINITY)) {
        throw new CommandError(
          50989,
          `cannot apply $${name} to ${x}, value must be in ${least === undefined ? '(-inf,inf)' : `[${least},${most ?? 'inf'}]`}`,
        )
      }
    },
  )

function logToBase(value: RawValue, base: RawValue): Value {
  if (!isNumeric(value)) {
    throw new CommandError(28756, `$log's argument must be numeric, not ${typeOf(value)}`)
  }
  if (!isNumeric(base)) throw new CommandError(28757, `$log's base must be numeric, not ${typeOf(base)}`)
  const [x, b] = [doubleOf(value), doubleOf(base)]
  if (x <= 0) throw new CommandError(28758, `$log's argument must be a positive number, but is ${x}`)
  if (b <= 0 || b === 1) {
    throw new CommandError(28759, `$log's base must be a positive number not equal to 1, but is ${b}`)
  }
  if (value.type === T.decimal || base.type === T.decimal) {
    return decimalValue(divideDecimals(logarithm(decimalOf(value)), logarithm(decimalOf(base))))
  }
  return doubleValue(Math.log(x) / Math.log(b))
}

function pow(base: RawValue, exponent: RawValue): Value {
  if (!isNumeric(base)) throw new CommandError(28762, `$pow's base must be numeric, not ${typeOf(base)}`)
  if (!isNumeric(exponent)) {
    throw new CommandError(28763, `$pow's exponent must be numeric, not ${typeOf(exponent)}`)
  }
  const zero = isZero(decimalOf(base))
  if (zero && doubleOf(exponent) < 0) {
    throw new CommandError(28764, '$pow cannot take a base of 0 and a negative exponent')
  }
  if (base.type === T.decimal || exponent.type === T.decimal) {
    return decimalValue(power(decimalOf(base), decimalOf(exponent)))
  }
  if (isIntegral(base) && isIntegral(exponent)) {
    const whole = wholePower(BigInt(numberIn(base)), BigInt(numberIn(exponent)))
    if (whole !== undefined)
      return base.type === T.int && exponent.type === T.int ? integerValue(whole) : longValue(whole)
  }
  const [x, y] = [doubleOf(base), doubleOf(exponent)]
  // Unlike JavaScript, C says that one to any power is one.
  return doubleValue(x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y)
}

/** A power that a long holds, or undefined. */
function wholePower(base: bigint, exponent: bigint): bigint | undefined {
  if (base === 1n) return 1n
  if (base === -1n) return exponent % 2n === 0n ? 1n : -1n
  if (exponent < 0n) return undefined
  if (base === 0n) return exponent === 0n ? 1n : 0n
  if (exponent > 63n) return undefined
  const result = base ** exponent
  return isLong(result) ? result : undefined
}

function atan2(y: RawValue, x: RawValue): Value {
  if (!isNumeric(y)) throw new CommandError(51044, `$atan2 only supports numeric types, not ${typeOf(y)}`)
  if (!isNumeric(x)) throw new CommandError(51045, `$atan2 only supports numeric types, not ${typeOf(x)}`)
  const double = Math.atan2(doubleOf(y), doubleOf(x))
  if (y.type !== T.decimal && x.type !== T.decimal) return doubleValue(double)
  return decimalValue(arcTangent2(decimalOf(y), decimalOf(x)) ?? decimalFromDouble(double))
}

const WHOLE = decimalFromInteger(1)

export const FUNCTIONS: Readonly<Record<string, Operator>> = {
  $sqrt: numeric(Math.sqrt, squareRoot, notNegative),
  $exp: numeric(Math.exp, exponential),
  $ln: numeric(Math.log, logarithm, positive(28766)),
  $log10: numeric(Math.log10, logarithm10, positive(28761)),
  $log: binaryOrNull(logToBase),
  $pow: binaryOrNull(pow),
  $sin: angle('sin', Math.sin, undefined, undefined, false),
  $cos: angle('cos', Math.cos, undefined, undefined, false),
  $tan: angle('tan', Math.tan, undefined, undefined, false),
  $asin: angle('asin', Math.asin, -1, 1),
  $acos: angle('acos', Math.acos, -1, 1),
  $atan: angle('atan', Math.atan),
  $sinh: angle('sinh', Math.sinh),
  $cosh: angle('cosh', Math.cosh),
  $tanh: angle('tanh', Math.tanh),
  $asinh: angle('asinh', Math.asinh),
  $acosh: angle('acosh', Math.acosh, 1),
  $atanh: angle('atanh', Math.atanh, -1, 1),
  $atan2: binaryOrNull(atan2),
  $degreesToRadians: angle('degreesToRadians', (x) => x * (Math.PI / 180)),
  $radiansToDegrees: angle('radiansToDegrees', (x) => x * (180 / Math.PI)),
  $bitNot: unaryOrNull((value) => {
    if (!isIntegral(value)) {
      throw new CommandError(28765, `$bitNot only supports int and long, not: ${typeOf(value)}.`)
    }
    const inverted = ~BigInt(numberIn(value))
    return value.type === T.int ? integerValue(inverted) : longValue(inverted)
  }),
  $sigmoid: numeric(
    (x) => 1 / (1 + Math.exp(-x)),
    (x) => divideDecimals(WHOLE, addDecimals(WHOLE, exponential(negated(x)))),
  ),
}
