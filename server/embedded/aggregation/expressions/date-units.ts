import { failedToParse } from '../../errors.ts'
import {
  DAY_MS,
  daysInMonth,
  HOUR_MS,
  type Local,
  localDay,
  MINUTE_MS,
  partsOf,
  SECOND_MS,
  startOfDay,
  weekday,
} from './calendar.ts'
import { momentIn, type Zone } from './zone.ts'

export type DateUnit =
  | 'year'
  | 'quarter'
  | 'month'
  | 'week'
  | 'day'
  | 'hour'
  | 'minute'
  | 'second'
  | 'millisecond'

const MONTHS_IN: Partial<Record<DateUnit, number>> = { year: 12, quarter: 3, month: 1 }
const MS_IN: Partial<Record<DateUnit, number>> = {
  week: 7 * DAY_MS,
  day: DAY_MS,
  hour: HOUR_MS,
  minute: MINUTE_MS,
  second: SECOND_MS,
  millisecond: 1,
}

/** The unit a text names. */
export function unitOf(text: string): DateUnit {
  if (text in MONTHS_IN || text in MS_IN) return text as DateUnit
  throw failedToParse(`unknown time unit value: ${text}`)
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

/** The day of the week a text names, from Sunday, 0. */
export function weekdayOf(text: string): number {
  const name = text.toLowerCase()
  const found = WEEKDAYS.findIndex((day) => day === name || day.slice(0, 3) === name)
  if (found < 0) throw failedToParse(`unknown day of week value: ${text}`)
  return found
}

/** Units whose length clocks do not change: they are added to the moment itself. */
const isClockUnit = (unit: DateUnit): boolean =>
  unit === 'hour' || unit === 'minute' || unit === 'second' || unit === 'millisecond'

/** A moment so many units later; the day of a month that is too short is its last. */
export function addUnits(moment: number, unit: DateUnit, amount: number, zone: Zone): number {
  if (isClockUnit(unit)) return moment + amount * (MS_IN[unit] ?? 1)
  const local = moment + zone(moment)
  const months = MONTHS_IN[unit]
  if (months === undefined) return momentIn(zone, local + amount * (MS_IN[unit] ?? 1))
  const { year, month, day } = partsOf(local)
  const later = partsOf(localDay(year, month + amount * months, 1))
  const kept = Math.min(day, daysInMonth(later.year, later.month))
  return momentIn(zone, localDay(later.year, later.month, kept) + (local - startOfDay(local)))
}

const weekNumber = (local: Local, startOfWeek: number): number => {
  const days = Math.floor(local / DAY_MS)
  // Day zero was a Thursday.
  return Math.floor((days + 4 - startOfWeek) / 7)
}

/** How many bounds of a unit lie between two moments. */
export function unitsBetween(
  from: number,
  to: number,
  unit: DateUnit,
  zone: Zone,
  startOfWeek: number,
): bigint {
  const [start, end] = [from + zone(from), to + zone(to)]
  const months = MONTHS_IN[unit]
  if (months !== undefined) {
    const count = (local: Local) => {
      const { year, month } = partsOf(local)
      return Math.floor((year * 12 + month - 1) / months)
    }
    return BigInt(count(end) - count(start))
  }
  if (unit === 'week') return BigInt(weekNumber(end, startOfWeek) - weekNumber(start, startOfWeek))
  if (unit === 'day') return BigInt(Math.floor(end / DAY_MS) - Math.floor(start / DAY_MS))
  if (unit === 'millisecond') return BigInt(to) - BigInt(from)
  const size = MS_IN[unit] ?? 1
  // Bounds of hours follow the zone's clocks, whose offsets need not be whole hours.
  const [a, b] = unit === 'hour' ? [from + zone(from), to + zone(from)] : [from, to]
  return BigInt(Math.floor(b / size) - Math.floor(a / size))
}

/** Bins are counted from here: the start of the year 2000 in the zone. */
const REFERENCE_YEAR = 2000

/** The moment the bin of a date begins. */
export function truncate(
  moment: number,
  unit: DateUnit,
  size: number,
  zone: Zone,
  startOfWeek: number,
): number {
  const local = moment + zone(moment)
  const reference = localDay(REFERENCE_YEAR, 1, 1)
  const months = MONTHS_IN[unit]
  if (months !== undefined) {
    const { year, month } = partsOf(local)
    const bin = months * size
    const since = (year - REFERENCE_YEAR) * 12 + month - 1
    return momentIn(zone, localDay(REFERENCE_YEAR, 1 + Math.floor(since / bin) * bin, 1))
  }
  const bin = (MS_IN[unit] ?? 1) * size
  if (isClockUnit(unit)) {
    const start = momentIn(zone, reference)
    return start + Math.floor((moment - start) / bin) * bin
  }
  const first =
    unit === 'week' ? reference + ((startOfWeek - weekday(reference) + 7) % 7) * DAY_MS : reference
  return momentIn(zone, first + Math.floor((startOfDay(local) - first) / bin) * bin)
}
