import {
  decimalFromInteger,
  decimalToDouble,
  decimalToInteger,
  decimalValue,
  exactDecimal,
  quantize,
  type Rounding,
} from '../../bson/decimal.ts'
import { NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { doubleValue, integerValue, longValue, numberIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { decimalOf, doubleOf, int64Of, isLong, isMissing, isNumeric } from '../numbers.ts'
import { absolute, notNumeric } from './arithmetic.ts'
import { type Operator, typeOf } from './expression.ts'
import { between, never, unaryOrNull } from './operands.ts'

/** `$ceil` and `$floor`: whole numbers stay as they are. */
const towards = (rounding: Rounding, round: (value: number) => number): Operator =>
  unaryOrNull((value, name) => {
    if (!isNumeric(value)) throw notNumeric(name, value)
    if (value.type === T.double) return doubleValue(round(doubleOf(value)))
    if (value.type !== T.decimal) return value
    const decimal = decimalOf(value)
    if (decimal.kind !== 'finite' || decimal.exponent >= 0) return value
    return decimalValue(quantize(decimal, 0, rounding))
  })

/** `$round` and `$trunc` with a place; the type of the number is kept. */
function toPlace(rounding: Rounding): Operator {
  return (operand, compiler, name) => {
    const [number = never, place] = between(operand, compiler, name, 1, 2)
    return (scope) => {
      const value = number(scope)
      if (isMissing(value)) return NULL
      const at = place ? place(scope) : undefined
      if (place && isMissing(at)) return NULL
      if (!isNumeric(value)) {
        throw new CommandError(51081, `${name} only supports numeric types, not ${typeOf(value)}`)
      }
      return roundTo(value, at === undefined ? 0 : placeOf(at, name), rounding, name)
    }
  }
}

function placeOf(value: RawValue, name: string): number {
  const place = isNumeric(value) ? int64Of(value) : undefined
  if (place === undefined)
    throw new CommandError(51082, `precision argument to  ${name} must be a integral value`)
  if (place < -20n || place > 100n) {
    throw new CommandError(
      51083,
      `cannot apply ${name} with precision value ${place} value must be in [-20, 100]`,
    )
  }
  return Number(place)
}

function roundTo(value: RawValue, place: number, rounding: Rounding, name: string): RawValue {
  switch (value.type) {
    case T.decimal: {
      const decimal = decimalOf(value)
      // More places than there are add nothing to a number, as far as its digits are concerned.
      return decimalValue(quantize(decimal, place, rounding))
    }
    case T.double: {
      const double = doubleOf(value)
      if (!Number.isFinite(double)) return value
      return doubleValue(decimalToDouble(quantize(exactDecimal(double), place, rounding)))
    }
    default: {
      if (place >= 0) return value
      const rounded =
        decimalToInteger(quantize(decimalFromInteger(numberIn(value)), place, rounding), 'down') ?? 0n
      if (!isLong(rounded)) {
        throw new CommandError(
          51080,
          `invalid conversion from Decimal128 result in ${name} resulting from arguments: [${numberIn(value)}, ${place}]`,
        )
      }
      return value.type === T.int ? integerValue(rounded) : longValue(rounded)
    }
  }
}

export const ROUNDING: Readonly<Record<string, Operator>> = {
  $abs: unaryOrNull(absolute),
  $ceil: towards('ceiling', Math.ceil),
  $floor: towards('floor', Math.floor),
  $round: toPlace('half-even'),
  $trunc: toPlace('down'),
}
