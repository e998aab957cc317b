import { decimalToInteger, decimalValue } from '../../bson/decimal.ts'
import { divideDecimals, isZero, remainderOf } from '../../bson/decimal-arithmetic.ts'
import { NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { doubleValue, integerValue, intValue, longValue, numberIn } from '../../bson/values.ts'
import { badValue, CommandError, typeMismatch } from '../../errors.ts'
import {
  addNumbers,
  decimalOf,
  doubleOf,
  isIntegral,
  isLong,
  isMissing,
  isNumeric,
  multiplyNumbers,
  subtractNumbers,
} from '../numbers.ts'
import { type Operator, typeOf } from './expression.ts'
import { dateFromLong, millisecondsIn } from './moments.ts'
import { binaryOrNull, type Value, variadic } from './operands.ts'

/** A number as whole milliseconds to be added to a date. */
function milliseconds(value: RawValue): bigint {
  if (value.type === T.decimal) return decimalToInteger(decimalOf(value), 'half-even') ?? overflow()
  const number = numberIn(value)
  if (typeof number === 'bigint') return number
  if (!Number.isFinite(number)) return overflow()
  return BigInt(Math.sign(number) * Math.round(Math.abs(number)))
}

function overflow(): never {
  throw new CommandError(15, 'date overflow')
}

function add(values: Value[]): Value {
  let date: bigint | undefined
  let sum: RawValue | undefined
  for (const value of values) {
    if (isMissing(value)) return NULL
    if (value.type === T.date) {
      if (date !== undefined) throw new CommandError(16612, 'only one date allowed in an $add expression')
      date = millisecondsIn(value)
    } else if (isNumeric(value)) sum = sum === undefined ? value : addNumbers(sum, value)
    else throw typeMismatch(`$add only supports numeric or date types, not ${typeOf(value)}`)
  }
  if (date === undefined) return sum ?? intValue(0)
  return dateFromLong(date + (sum ? milliseconds(sum) : 0n))
}

function subtract(left: RawValue, right: RawValue): Value {
  if (isNumeric(left) && isNumeric(right)) return subtractNumbers(left, right)
  if (left.type === T.date) {
    if (right.type === T.date)
      return longValue(BigInt.asIntN(64, millisecondsIn(left) - millisecondsIn(right)))
    if (isNumeric(right)) return dateFromLong(millisecondsIn(left) - milliseconds(right))
  }
  throw typeMismatch(`can't $subtract ${typeOf(right)} from ${typeOf(left)}`)
}

function multiply(values: Value[]): Value {
  let product: RawValue | undefined
  for (const value of values) {
    if (isMissing(value)) return NULL
    if (!isNumeric(value)) {
      throw typeMismatch(`$multiply only supports numeric types, not ${typeOf(value)}`)
    }
    product = product === undefined ? value : multiplyNumbers(product, value)
  }
  return product ?? intValue(1)
}

function divide(left: RawValue, right: RawValue): Value {
  if (!isNumeric(left) || !isNumeric(right)) {
    throw typeMismatch(`$divide only supports numeric types, not ${typeOf(left)} and ${typeOf(right)}`)
  }
  if (left.type === T.decimal || right.type === T.decimal) {
    const divisor = decimalOf(right)
    if (isZero(divisor)) throw badValue("can't $divide by zero")
    return decimalValue(divideDecimals(decimalOf(left), divisor))
  }
  if (doubleOf(right) === 0) throw badValue("can't $divide by zero")
  return doubleValue(doubleOf(left) / doubleOf(right))
}

function modulo(left: RawValue, right: RawValue): Value {
  if (!isNumeric(left) || !isNumeric(right)) {
    throw new CommandError(
      16611,
      `$mod only supports numeric types, not ${typeOf(left)} and ${typeOf(right)}`,
    )
  }
  const zero = () => new CommandError(16610, "can't $mod by zero")
  if (left.type === T.decimal || right.type === T.decimal) {
    const divisor = decimalOf(right)
    if (isZero(divisor)) throw zero()
    return decimalValue(remainderOf(decimalOf(left), divisor))
  }
  if (doubleOf(right) === 0) throw zero()
  if (left.type === T.double || right.type === T.double) return doubleValue(doubleOf(left) % doubleOf(right))
  const rest = BigInt(numberIn(left)) % BigInt(numberIn(right))
  return left.type === T.int && right.type === T.int ? intValue(Number(rest)) : longValue(rest)
}

/** `$abs`. */
export function absolute(value: RawValue, name: string): Value {
  if (!isNumeric(value)) throw notNumeric(name, value)
  switch (value.type) {
    case T.decimal: {
      const decimal = decimalOf(value)
      return decimalValue(decimal.kind === 'nan' ? decimal : { ...decimal, negative: false })
    }
    case T.double:
      return doubleValue(Math.abs(doubleOf(value)))
    default: {
      const whole = BigInt(numberIn(value))
      const positive = whole < 0n ? -whole : whole
      if (!isLong(positive)) throw new CommandError(28680, "can't take $abs of long long min")
      return value.type === T.int ? integerValue(positive) : longValue(positive)
    }
  }
}

/** The error of an operator whose one argument has to be a number. */
export const notNumeric = (name: string, value: RawValue): CommandError =>
  new CommandError(28765, `${name} only supports numeric types, not ${typeOf(value)}`)

function bitwise(combine: (a: bigint, b: bigint) => bigint, start: bigint): Operator {
  return variadic((values, name) => {
    let result = start
    let long = false
    for (const value of values) {
      if (isMissing(value)) return NULL
      if (!isIntegral(value))
        throw typeMismatch(`${name} only supports int and long operands, not ${typeOf(value)}.`)
      result = combine(result, BigInt(numberIn(value)))
      long ||= value.type === T.long
    }
    return long ? longValue(BigInt.asIntN(64, result)) : intValue(Number(BigInt.asIntN(32, result)))
  })
}

export const ARITHMETIC: Readonly<Record<string, Operator>> = {
  $add: variadic(add),
  $subtract: binaryOrNull(subtract),
  $multiply: variadic(multiply),
  $divide: binaryOrNull(divide),
  $mod: binaryOrNull(modulo),
  $bitAnd: bitwise((a, b) => a & b, -1n),
  $bitOr: bitwise((a, b) => a | b, 0n),
  $bitXor: bitwise((a, b) => a ^ b, 0n),
}
