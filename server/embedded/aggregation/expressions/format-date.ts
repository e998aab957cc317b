import { CommandError } from '../../errors.ts'
import {
  dayOfYear,
  HOUR_MS,
  isoWeek,
  isoWeekday,
  isoYear,
  MINUTE_MS,
  partsOf,
  sundayWeek,
  weekday,
} from './calendar.ts'

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const pad = (value: number, length: number): string => String(value).padStart(length, '0')

function offsetText(offset: number): string {
  const minutes = Math.abs(offset) / MINUTE_MS
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${pad(Math.floor(minutes % 60), 2)}`
}

/** Whether a letter may follow a `%` in a format. */
export const FORMAT_LETTERS = 'YmdHMSLjuwUVGzZbB%'

/** Refuses a format with a letter that means nothing. */
export function checkFormat(format: string, letters = FORMAT_LETTERS): void {
  for (let i = 0; i < format.length; i++) {
    if (format[i] !== '%') continue
    const letter = format[++i]
    if (letter === undefined) throw new CommandError(18535, "Unmatched '%' at end of format string")
    if (!letters.includes(letter)) {
      throw new CommandError(18536, `Invalid format character '%${letter}' in format string`)
    }
  }
}

/** A moment as a format shows it, in a zone that is so far ahead of UTC. */
export function formatDate(moment: number, format: string, offset: number): string {
  const local = moment + offset
  const parts = partsOf(local)
  if (Number.isNaN(parts.year) || parts.year < 0 || parts.year > 9999) {
    throw new CommandError(
      18537,
      `$dateToString is only defined on year 0-9999, tried to use year ${parts.year}`,
    )
  }
  return format.replace(/%(.)/gs, (_, letter: string) => {
    switch (letter) {
      case 'Y':
        return pad(parts.year, 4)
      case 'm':
        return pad(parts.month, 2)
      case 'd':
        return pad(parts.day, 2)
      case 'H':
        return pad(parts.hour, 2)
      case 'M':
        return pad(parts.minute, 2)
      case 'S':
        return pad(parts.second, 2)
      case 'L':
        return pad(parts.millisecond, 3)
      case 'j':
        return pad(dayOfYear(local), 3)
      case 'u':
        return String(isoWeekday(local))
      case 'w':
        return String(weekday(local) + 1)
      case 'U':
        return pad(sundayWeek(local), 2)
      case 'V':
        return pad(isoWeek(local), 2)
      case 'G':
        return pad(isoYear(local), 4)
      case 'z':
        return offsetText(offset)
      case 'Z':
        return `${offset < 0 ? '-' : '+'}${Math.floor(Math.abs(offset) / HOUR_MS) * 60 + (Math.abs(offset) % HOUR_MS) / MINUTE_MS}`
      case 'b':
        return (MONTHS[parts.month - 1] ?? '').slice(0, 3)
      case 'B':
        return MONTHS[parts.month - 1] ?? ''
      default:
        return letter
    }
  })
}

export const monthNumber = (name: string): number => {
  const wanted = name.toLowerCase()
  return (
    1 + MONTHS.findIndex((month) => [month.toLowerCase(), month.slice(0, 3).toLowerCase()].includes(wanted))
  )
}
