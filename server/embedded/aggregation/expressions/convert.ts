import {
  type Decimal,
  decimalFromInteger,
  decimalToDouble,
  decimalToInteger,
  decimalValue,
  parseDecimal,
} from '../../bson/decimal.ts'
import { NULL, RawValue } from '../../bson/raw.ts'
import { isNumberType, T, typeName, typeOfAlias } from '../../bson/types.ts'
import {
  boolIn,
  dateValue,
  doubleValue,
  intValue,
  longValue,
  numberIn,
  stringIn,
  stringValue,
} from '../../bson/values.ts'
import { badValue, CommandError } from '../../errors.ts'
import { decimalOf, doubleOf, int32Of, isLong, isMissing, isNumeric } from '../numbers.ts'
import { type Operator, typeOf } from './expression.ts'
import { isMoment, millisecondsIn, momentOf } from './moments.ts'
import { named, never, toBool, truthOf, unaryOrNull } from './operands.ts'
import { parseDate } from './parse-date.ts'
import { dateText, numberText } from './text.ts'

const failure = (message: string) => new CommandError(241, `${message} in $convert with no onError value`)

const unsupported = (value: RawValue, type: number) =>
  failure(`Unsupported conversion from ${typeOf(value)} to ${typeName(type)}`)

const unparsable = (text: string, why: string) => failure(`Failed to parse number '${text}' ${why}`)

/** Converts a value that is there to another type, or says why it cannot. */
export function convert(value: RawValue, type: number): RawValue {
  if (value.type === type) return value
  switch (type) {
    case T.double:
      return toDouble(value)
    case T.int:
      return toWhole(value, T.int)
    case T.long:
      return value.type === T.date ? longValue(millisecondsIn(value)) : toWhole(value, T.long)
    case T.decimal:
      return toDecimal(value)
    case T.string:
      return toText(value)
    case T.bool:
      return toBool(truthOf(value))
    case T.date:
      return toDate(value)
    case T.objectId:
      return toObjectId(value)
    default:
      throw unsupported(value, type)
  }
}

function toDouble(value: RawValue): RawValue {
  switch (value.type) {
    case T.bool:
      return doubleValue(boolIn(value) ? 1 : 0)
    case T.date:
      return doubleValue(Number(millisecondsIn(value)))
    case T.string: {
      const text = stringIn(value)
      if (/^[+-]?0x/i.test(text)) throw failure('Illegal hexadecimal input')
      const decimal = /^[+-]?(\d|\.\d|inf|nan)/i.test(text) ? parseDecimal(text) : undefined
      if (!decimal) throw unparsable(text, 'Did not consume whole string.')
      const double = decimalToDouble(decimal)
      if (!Number.isFinite(double) && decimal.kind === 'finite') throw unparsable(text, 'Out of range')
      return doubleValue(double)
    }
    default: {
      if (!isNumeric(value)) throw unsupported(value, T.double)
      const double = doubleOf(value)
      if (value.type === T.decimal && !Number.isFinite(double) && decimalOf(value).kind === 'finite')
        throw failure('Conversion would overflow target type')
      return doubleValue(double)
    }
  }
}

function toWhole(value: RawValue, type: typeof T.int | typeof T.long): RawValue {
  const fits = (whole: bigint): RawValue => {
    const inRange = type === T.int ? whole >= -2147483648n && whole <= 2147483647n : isLong(whole)
    if (!inRange) throw failure('Conversion would overflow target type')
    return type === T.int ? intValue(Number(whole)) : longValue(whole)
  }
  switch (value.type) {
    case T.bool:
      return fits(boolIn(value) ? 1n : 0n)
    case T.string: {
      const text = stringIn(value)
      if (/^[+-]?0x/i.test(text)) throw failure('Illegal hexadecimal input')
      if (!/^[+-]?\d+$/.test(text)) throw unparsable(text, 'Did not consume whole string.')
      return fits(BigInt(text.replace('+', '')))
    }
    case T.double: {
      const double = doubleOf(value)
      if (!Number.isFinite(double))
        throw failure(`Attempt to convert ${Number.isNaN(double) ? 'NaN' : 'infinity'} value to integer type`)
      return fits(BigInt(Math.trunc(double)))
    }
    case T.decimal: {
      const whole = decimalToInteger(decimalOf(value), 'down')
      if (whole === undefined) throw failure('Conversion would overflow target type')
      return fits(whole)
    }
    default:
      if (!isNumeric(value)) throw unsupported(value, type)
      return fits(BigInt(numberIn(value)))
  }
}

function toDecimal(value: RawValue): RawValue {
  let decimal: Decimal | undefined
  switch (value.type) {
    case T.bool:
      decimal = decimalFromInteger(boolIn(value) ? 1 : 0)
      break
    case T.date:
      decimal = decimalFromInteger(millisecondsIn(value))
      break
    case T.string: {
      const text = stringIn(value)
      if (/^[+-]?0x/i.test(text)) throw failure('Illegal hexadecimal input')
      decimal = parseDecimal(text)
      if (!decimal) throw unparsable(text, 'Failed to parse string to decimal')
      break
    }
    default:
      if (!isNumeric(value)) throw unsupported(value, T.decimal)
      decimal = decimalOf(value)
  }
  return decimalValue(decimal)
}

function toText(value: RawValue): RawValue {
  switch (value.type) {
    case T.bool:
      return stringValue(boolIn(value) ? 'true' : 'false')
    case T.objectId:
      return stringValue(value.bytes.toString('hex', value.start, value.end))
    case T.date:
      return stringValue(dateText(momentOf(value)))
    case T.symbol:
    case T.code:
      return stringValue(stringIn(value))
    default:
      if (!isNumeric(value)) throw unsupported(value, T.string)
      return stringValue(numberText(value))
  }
}

function toDate(value: RawValue): RawValue {
  if (isMoment(value)) return dateValue(momentOf(value))
  switch (value.type) {
    case T.string:
      return dateValue(parseDate(stringIn(value), undefined))
    case T.long:
    case T.double:
    case T.decimal: {
      const whole = toWhole(value, T.long)
      return new RawValue(T.date, whole.bytes, whole.start, whole.end)
    }
    default:
      throw unsupported(value, T.date)
  }
}

function toObjectId(value: RawValue): RawValue {
  if (value.type !== T.string) throw unsupported(value, T.objectId)
  const text = stringIn(value)
  if (!/^[0-9a-f]{24}$/i.test(text))
    throw failure(
      text.length === 24
        ? `Failed to parse objectId '${text}': Invalid character found in hex string`
        : `Failed to parse objectId '${text}': Invalid string length for parsing to OID, expected 24 but found ${text.length}`,
    )
  return new RawValue(T.objectId, Buffer.from(text, 'hex'), 0, 12)
}

/** The type an expression names, by its alias or its number. */
function targetOf(value: RawValue): number {
  if (value.type === T.string) {
    const type = typeOfAlias(stringIn(value))
    if (type === undefined) throw badValue(`Unknown type name: ${stringIn(value)}`)
    return type
  }
  if (!isNumberType(value.type))
    throw new CommandError(9, `$convert's 'to' argument must be a string or number, but is ${typeOf(value)}`)
  const number = int32Of(value)
  if (number === undefined) throw new CommandError(9, "In $convert, numeric 'to' argument is not an integer")
  if (number === -1) return T.minKey
  if ((number < 0 || number > 19) && number !== 127)
    throw new CommandError(
      9,
      `In $convert, numeric value for 'to' does not correspond to a BSON type: ${number}`,
    )
  return number
}

const convertTo: Operator = (operand, compiler, name) => {
  const {
    input = never,
    to = never,
    onError,
    onNull,
  } = named(operand, compiler, name, {
    notObject: 9,
    unknown: 9,
    required: { input: 9, to: 9 },
    optional: ['onError', 'onNull'],
  })
  return (scope) => {
    const target = to(scope)
    const value = input(scope)
    const type = isMissing(target) ? undefined : targetOf(target)
    if (isMissing(value)) return onNull ? onNull(scope) : NULL
    if (type === undefined) return NULL
    try {
      return convert(value, type)
    } catch (error) {
      if (onError && error instanceof CommandError && error.code === 241) return onError(scope)
      throw error
    }
  }
}

const to = (type: number): Operator => unaryOrNull((value) => convert(value, type))

export const CONVERSIONS: Readonly<Record<string, Operator>> = {
  $convert: convertTo,
  $toBool: to(T.bool),
  $toDate: to(T.date),
  $toDecimal: to(T.decimal),
  $toDouble: to(T.double),
  $toInt: to(T.int),
  $toLong: to(T.long),
  $toObjectId: to(T.objectId),
  $toString: to(T.string),
}
