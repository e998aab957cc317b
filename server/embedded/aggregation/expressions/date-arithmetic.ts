import { NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { longValue, stringIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { int64Of, isMissing, isNumeric } from '../numbers.ts'
import { zoneArgument } from './date-parts.ts'
import { addUnits, type DateUnit, truncate, unitOf, unitsBetween, weekdayOf } from './date-units.ts'
import { type Expression, type Operator, type Scope, typeOf } from './expression.ts'
import { dateFromLong, isMoment, momentOf } from './moments.ts'
import { named, never, type Value } from './operands.ts'

/** The greatest moment a calendar here reaches; MongoDB's goes further, into years nobody dates by. */
const GREATEST_MS = 8.64e15

function textOr(code: number, message: string, value: RawValue): string {
  if (value.type !== T.string) throw new CommandError(code, `${message}, but got ${typeOf(value)}`)
  return stringIn(value)
}

const dateAdd =
  (direction: 1 | -1): Operator =>
  (operand, compiler, name) => {
    const {
      startDate = never,
      unit = never,
      amount = never,
      timezone,
    } = named(operand, compiler, name, {
      notObject: 5166400,
      unknown: 5166401,
      required: { startDate: 5166402, unit: 5166402, amount: 5166402 },
      optional: ['timezone'],
    })
    const zone = zoneArgument(timezone, name)
    return (scope) => {
      const [start, by, count] = [startDate(scope), unit(scope), amount(scope)]
      const within = zone(scope)
      if (isMissing(start) || isMissing(by) || isMissing(count) || !within) return NULL
      if (!isMoment(start))
        throw new CommandError(
          5166403,
          `${name} requires startDate to be convertible to a date, but got ${typeOf(start)}`,
        )
      const step = unitOf(textOr(5166404, `${name} expects string defining the time unit`, by))
      const whole = isNumeric(count) ? int64Of(count) : undefined
      if (whole === undefined) throw new CommandError(5166405, `${name} expects integer amount of time units`)
      const result = addUnits(momentOf(start), step, direction * Number(whole), within)
      if (!(Math.abs(result) <= GREATEST_MS)) throw new CommandError(5166406, `${name} overflowed`)
      return dateFromLong(BigInt(result))
    }
  }

/** The unit and the first day of weeks, evaluated; undefined where one of them is null. */
function unitArguments(
  unit: Expression,
  startOfWeek: Expression | undefined,
  codes: readonly [number, number],
  name: string,
): (scope: Scope) => { unit: DateUnit; first: number } | undefined {
  return (scope) => {
    const given = unit(scope)
    if (isMissing(given)) return undefined
    const parsed = unitOf(textOr(codes[0], `${name} requires 'unit' to be a string`, given))
    if (!startOfWeek || parsed !== 'week') return { unit: parsed, first: 0 }
    const day = startOfWeek(scope)
    if (isMissing(day)) return undefined
    return {
      unit: parsed,
      first: weekdayOf(textOr(codes[1], `${name} requires 'startOfWeek' to be a string`, day)),
    }
  }
}

const dateDiff: Operator = (operand, compiler, name) => {
  const {
    startDate = never,
    endDate = never,
    unit = never,
    timezone,
    startOfWeek,
  } = named(operand, compiler, name, {
    notObject: 5166301,
    unknown: 5166302,
    required: { startDate: 5166303, endDate: 5166304, unit: 5166305 },
    optional: ['timezone', 'startOfWeek'],
  })
  const zone = zoneArgument(timezone, name)
  const units = unitArguments(unit, startOfWeek, [5439013, 5439015], name)
  return (scope) => {
    const [start, end] = [startDate(scope), endDate(scope)]
    const by = units(scope)
    const within = zone(scope)
    if (isMissing(start) || isMissing(end) || !by || !within) return NULL
    for (const [argument, value] of [['startDate', start] as const, ['endDate', end] as const]) {
      if (!isMoment(value))
        throw new CommandError(
          5166307,
          `${name} requires '${argument}' to be a date, but got ${typeOf(value)}`,
        )
    }
    return longValue(unitsBetween(momentOf(start), momentOf(end), by.unit, within, by.first))
  }
}

const dateTrunc: Operator = (operand, compiler, name) => {
  const {
    date = never,
    unit = never,
    binSize,
    timezone,
    startOfWeek,
  } = named(operand, compiler, name, {
    notObject: 5439007,
    unknown: 5439008,
    required: { date: 5439009, unit: 5439010 },
    optional: ['binSize', 'timezone', 'startOfWeek'],
  })
  const zone = zoneArgument(timezone, name)
  const units = unitArguments(unit, startOfWeek, [5439013, 5439015], name)
  return (scope) => {
    const value = date(scope)
    const by = units(scope)
    const size = binSize?.(scope)
    const within = zone(scope)
    if (isMissing(value) || !by || !within || (binSize && isMissing(size))) return NULL
    if (!isMoment(value))
      throw new CommandError(5439012, `${name} requires 'date' to be a date, but got ${typeOf(value)}`)
    return dateFromLong(
      BigInt(truncate(momentOf(value), by.unit, size ? binOf(size, name) : 1, within, by.first)),
    )
  }
}

function binOf(value: Value, name: string): number {
  const size = isNumeric(value) ? int64Of(value) : undefined
  if (size === undefined)
    throw new CommandError(
      5439017,
      `${name} requires 'binSize' to be a 64-bit integer, but got ${typeOf(value)}`,
    )
  if (size <= 0n)
    throw new CommandError(5439018, `${name} requires 'binSize' to be greater than 0, but got value ${size}`)
  return Number(size)
}

export const DATE_ARITHMETIC: Readonly<Record<string, Operator>> = {
  $dateAdd: dateAdd(1),
  $dateSubtract: dateAdd(-1),
  $dateDiff: dateDiff,
  $dateTrunc: dateTrunc,
}
