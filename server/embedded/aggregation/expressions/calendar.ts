/** A local time, as milliseconds that are read as if they were UTC. */
export type Local = number

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** The parts of a local time that clocks and calendars show. */
export interface CalendarParts {
  readonly year: number
  /** From 1. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

export function partsOf(local: Local): CalendarParts {
  const date = new Date(local)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  }
}

/** The local time of a day; months and days beyond their bounds carry over. */
export function localDay(year: number, month: number, day: number): Local {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime()
}

/** The day of the week, from Sunday, 0. */
export const weekday = (local: Local): number => new Date(local).getUTCDay()

/** The day of the week, from Monday, 1. */
export const isoWeekday = (local: Local): number => weekday(local) || 7

export const startOfDay = (local: Local): Local => Math.floor(local / DAY_MS) * DAY_MS

/** The day of the year, from 1. */
export const dayOfYear = (local: Local): number =>
  Math.round((startOfDay(local) - localDay(partsOf(local).year, 1, 1)) / DAY_MS) + 1

/** The year an ISO week belongs to: that of its Thursday. */
export const isoYear = (local: Local): number => partsOf(local + (4 - isoWeekday(local)) * DAY_MS).year

export function isoWeek(local: Local): number {
  const thursday = local + (4 - isoWeekday(local)) * DAY_MS
  return Math.floor((dayOfYear(thursday) - 1) / 7) + 1
}

/** The week of the year from 0, where weeks begin on Sundays. */
export const sundayWeek = (local: Local): number => Math.floor((dayOfYear(local) + 6 - weekday(local)) / 7)

/** The Monday an ISO year begins with. */
export function isoYearStart(year: number): Local {
  const fourth = localDay(year, 1, 4)
  return fourth - (isoWeekday(fourth) - 1) * DAY_MS
}

export const daysInMonth = (year: number, month: number): number => partsOf(localDay(year, month + 1, 0)).day
