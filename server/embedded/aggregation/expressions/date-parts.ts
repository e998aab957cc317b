import { fieldsOf, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { boolIn, dateValue, intValue, longValue, stringIn, stringValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { int64Of, isMissing, isNumeric } from '../numbers.ts'
import {
  DAY_MS,
  dayOfYear,
  HOUR_MS,
  isoWeek,
  isoWeekday,
  isoYear,
  isoYearStart,
  type Local,
  localDay,
  MINUTE_MS,
  partsOf,
  SECOND_MS,
  sundayWeek,
  weekday,
} from './calendar.ts'
import {
  type Compiler,
  constantOf,
  type Expression,
  type Operator,
  type Scope,
  typeOf,
} from './expression.ts'
import { checkFormat, formatDate } from './format-date.ts'
import { momentOf } from './moments.ts'
import { objectFrom } from './objects.ts'
import { named, never, type Value } from './operands.ts'
import { parseDate, parseDateBy, READABLE } from './parse-date.ts'
import { momentIn, UTC, type Zone, zoneOf } from './zone.ts'

/** The zone an argument names: UTC without one, undefined where it is null. */
export function zoneArgument(
  argument: Expression | undefined,
  name: string,
): (scope: Scope) => Zone | undefined {
  if (!argument) return () => UTC
  const read = (value: Value): Zone | undefined => {
    if (isMissing(value)) return undefined
    if (value.type !== T.string)
      throw new CommandError(40517, `timezone must evaluate to a string, found ${typeOf(value)} in ${name}`)
    return zoneOf(stringIn(value))
  }
  const known = constantOf(argument)
  if (!known) return (scope) => read(argument(scope))
  let zone: Zone | undefined
  let isRead = false
  return () => {
    if (!isRead) zone = read(known.value)
    isRead = true
    return zone
  }
}

/** An operator that reads one part of a date. */
const part =
  (read: (local: Local) => RawValue): Operator =>
  (operand, compiler, name) => {
    const { date, zone } = dateAndZone(operand, compiler, name)
    return (scope) => {
      const value = date(scope)
      const within = zone(scope)
      if (isMissing(value) || !within) return NULL
      const moment = momentOf(value)
      return read(moment + within(moment))
    }
  }

function dateAndZone(operand: RawValue, compiler: Compiler, name: string) {
  const isNamed = operand.type === T.object && fieldsOf(operand)[0]?.name.startsWith('$') === false
  if (isNamed) {
    const { date = never, timezone } = named(operand, compiler, name, {
      notObject: 40535,
      unknown: 40535,
      required: { date: 40539 },
      optional: ['timezone'],
    })
    return { date, zone: zoneArgument(timezone, name) }
  }
  const items = operand.type === T.array ? itemsOf(operand) : [operand]
  const [only, ...others] = items
  if (!only || others.length > 0)
    throw new CommandError(
      40536,
      `${name} accepts exactly one argument if given an array, but was given ${items.length}`,
    )
  return { date: compiler.compile(only), zone: zoneArgument(undefined, name) }
}

const int = (read: (local: Local) => number): Operator => part((local) => intValue(read(local)))

const dateToString: Operator = (operand, compiler, name) => {
  const {
    date = never,
    format,
    timezone,
    onNull,
  } = named(operand, compiler, name, {
    notObject: 18629,
    unknown: 18534,
    required: { date: 18628 },
    optional: ['format', 'timezone', 'onNull'],
  })
  const zone = zoneArgument(timezone, name)
  const known = format && constantOf(format)
  if (known?.value?.type === T.string) checkFormat(stringIn(known.value))
  return (scope) => {
    const value = date(scope)
    if (isMissing(value)) return onNull ? onNull(scope) : NULL
    const within = zone(scope)
    if (!within) return NULL
    const given = format?.(scope)
    if (format && isMissing(given)) return NULL
    if (given && given.type !== T.string)
      throw new CommandError(18533, `${name} requires that 'format' be a string, found: ${typeOf(given)}`)
    const moment = momentOf(value)
    const text = given ? stringIn(given) : timezone ? '%Y-%m-%dT%H:%M:%S.%L%z' : '%Y-%m-%dT%H:%M:%S.%LZ'
    const utc = timezone && within(moment) === 0 && !given ? '%Y-%m-%dT%H:%M:%S.%LZ' : text
    checkFormat(utc)
    return stringValue(formatDate(moment, utc, within(moment)))
  }
}

const dateFromString: Operator = (operand, compiler, name) => {
  const {
    dateString = never,
    format,
    timezone,
    onNull,
    onError,
  } = named(operand, compiler, name, {
    notObject: 40540,
    unknown: 40541,
    required: { dateString: 40542 },
    optional: ['format', 'timezone', 'onNull', 'onError'],
  })
  const zone = zoneArgument(timezone, name)
  const read = (scope: Scope, value: RawValue): Value => {
    const within = timezone ? zone(scope) : undefined
    if (timezone && !within) return NULL
    const given = format?.(scope)
    if (format && isMissing(given)) return NULL
    if (given && given.type !== T.string)
      throw new CommandError(40684, `${name} requires that 'format' be a string, found: ${typeOf(given)}`)
    if (value.type !== T.string)
      throw new CommandError(241, `${name} requires that 'dateString' be a string, found: ${typeOf(value)}`)
    if (!given) return dateValue(parseDate(stringIn(value), within))
    checkFormat(stringIn(given), READABLE)
    return dateValue(parseDateBy(stringIn(given), stringIn(value), within))
  }
  return (scope) => {
    const value = dateString(scope)
    if (isMissing(value)) return onNull ? onNull(scope) : NULL
    try {
      return read(scope, value)
    } catch (error) {
      if (onError && error instanceof CommandError && error.code === 241) return onError(scope)
      throw error
    }
  }
}

const dateToParts: Operator = (operand, compiler, name) => {
  const {
    date = never,
    timezone,
    iso8601,
  } = named(operand, compiler, name, {
    notObject: 40524,
    unknown: 40520,
    required: { date: 40522 },
    optional: ['timezone', 'iso8601'],
  })
  const zone = zoneArgument(timezone, name)
  return (scope) => {
    const within = zone(scope)
    const iso = iso8601?.(scope)
    if (!within || (iso8601 && isMissing(iso))) return NULL
    if (iso && iso.type !== T.bool)
      throw new CommandError(40521, `iso8601 must evaluate to a bool, found ${typeOf(iso)}`)
    const value = date(scope)
    if (isMissing(value)) return NULL
    const moment = momentOf(value)
    const local = moment + within(moment)
    const { year, month, day, ...clock } = partsOf(local)
    const days: Record<string, number> =
      iso && boolIn(iso)
        ? { isoWeekYear: isoYear(local), isoWeek: isoWeek(local), isoDayOfWeek: isoWeekday(local) }
        : { year, month, day }
    return objectFrom(
      Object.entries({ ...days, ...clock }).map(([field, number]) => ({
        name: field,
        value: intValue(number),
      })),
    )
  }
}

const CALENDAR_PARTS = ['year', 'month', 'day'] as const
const ISO_PARTS = ['isoWeekYear', 'isoWeek', 'isoDayOfWeek'] as const
const CLOCK_PARTS = ['hour', 'minute', 'second', 'millisecond'] as const

const dateFromParts: Operator = (operand, compiler, name) => {
  const parts = named(operand, compiler, name, {
    notObject: 40519,
    unknown: 40518,
    optional: [...CALENDAR_PARTS, ...ISO_PARTS, ...CLOCK_PARTS, 'timezone'],
  })
  if (parts.year && parts.isoWeekYear)
    throw new CommandError(40489, `${name} does not allow mixing natural dates with ISO dates`)
  if (!parts.year && !parts.isoWeekYear)
    throw new CommandError(40516, `${name} requires either 'year' or 'isoWeekYear' to be present`)
  const wrong = (parts.year ? ISO_PARTS : CALENDAR_PARTS).some((each) => parts[each])
  if (wrong) throw new CommandError(40489, `${name} does not allow mixing natural dates with ISO dates`)
  const zone = zoneArgument(parts.timezone, name)
  const used = [...(parts.year ? CALENDAR_PARTS : ISO_PARTS), ...CLOCK_PARTS]
  return (scope) => {
    const numbers: number[] = []
    let isNull = false
    for (const [i, each] of used.entries()) {
      const argument = parts[each]
      const value = argument?.(scope)
      if (argument && isMissing(value)) isNull = true
      else numbers.push(value ? partNumber(value, each) : i < 3 ? 1 : 0)
    }
    const within = zone(scope)
    if (isNull || !within) return NULL
    const [year = 1, second = 1, third = 1, hour = 0, minute = 0, seconds = 0, milliseconds = 0] = numbers
    if (year < 1 || year > 9999)
      throw new CommandError(
        40523,
        `'${used[0]}' must evaluate to an integer in the range 1 to 9999, found ${year}`,
      )
    const day = parts.year
      ? localDay(year, second, third)
      : isoYearStart(year) + ((second - 1) * 7 + third - 1) * DAY_MS
    const local = day + hour * HOUR_MS + minute * MINUTE_MS + seconds * SECOND_MS + milliseconds
    return dateValue(momentIn(within, local))
  }
}

function partNumber(value: RawValue, name: string): number {
  const number = isNumeric(value) ? int64Of(value) : undefined
  if (number === undefined)
    throw new CommandError(40515, `'${name}' must evaluate to an integer, found ${typeOf(value)}`)
  const isClock = name === 'second' || name === 'millisecond'
  if (!isClock && !name.toLowerCase().endsWith('year') && (number < -32768n || number > 32767n))
    throw new CommandError(
      31034,
      `'${name}' must evaluate to a value in the range [-32768, 32767]; value ${number}`,
    )
  return Number(number)
}

export const DATE_PARTS: Readonly<Record<string, Operator>> = {
  $year: int((local) => partsOf(local).year),
  $month: int((local) => partsOf(local).month),
  $dayOfMonth: int((local) => partsOf(local).day),
  $hour: int((local) => partsOf(local).hour),
  $minute: int((local) => partsOf(local).minute),
  $second: int((local) => partsOf(local).second),
  $millisecond: int((local) => partsOf(local).millisecond),
  $dayOfYear: int(dayOfYear),
  $dayOfWeek: int((local) => weekday(local) + 1),
  $week: int(sundayWeek),
  $isoDayOfWeek: int(isoWeekday),
  $isoWeek: int(isoWeek),
  $isoWeekYear: part((local) => longValue(BigInt(isoYear(local)))),
  $dateToString: dateToString,
  $dateFromString: dateFromString,
  $dateToParts: dateToParts,
  $dateFromParts: dateFromParts,
}
