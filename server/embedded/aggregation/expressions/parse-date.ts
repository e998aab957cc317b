import { CommandError } from '../../errors.ts'
import { DAY_MS, daysInMonth, HOUR_MS, isoYearStart, localDay, MINUTE_MS, SECOND_MS } from './calendar.ts'
import { monthNumber } from './format-date.ts'
import { momentIn, type Zone, zoneOf } from './zone.ts'

const failure = (text: string, why: string) =>
  new CommandError(241, `Error parsing date string '${text}'; ${why}`)

const ISO =
  /^(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?:[T ]\s*(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,:](\d{1,9}))?)?)?)?\s*(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?|[A-Za-z]+(?:\/[A-Za-z_]+)+)?$/

const SLASHED =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/
const WORDED =
  /^(?:[A-Za-z]{3,9},?\s+)?([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/

/** The moment a text names. A zone may be in the text or beside it, not both. */
export function parseDate(text: string, zone: Zone | undefined): number {
  const trimmed = text.trim()
  const iso = ISO.exec(trimmed)
  if (iso) {
    const [, year, month = '01', day = '01', hour, minute, second, fraction, inText] = iso
    // Eight digits in a row are a day; six could be a month or a time, and are refused as ambiguous.
    return assemble(text, [year, month, day, hour, minute, second], fraction, inText, zone)
  }
  const slashed = SLASHED.exec(trimmed)
  if (slashed) {
    const [, month, day, year, hour, minute, second, fraction, inText] = slashed
    return assemble(text, [year, month, day, hour, minute, second], fraction, inText, zone)
  }
  const worded = WORDED.exec(trimmed)
  const month = worded ? monthNumber(worded[1] ?? '') : 0
  if (worded && month > 0) {
    const [, , day, year, hour, minute, second, inText] = worded
    return assemble(text, [year, String(month), day, hour, minute, second], undefined, inText, zone)
  }
  throw failure(text, 'the text is not a date that is understood')
}

function assemble(
  text: string,
  parts: readonly (string | undefined)[],
  fraction: string | undefined,
  inText: string | undefined,
  zone: Zone | undefined,
): number {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map((part) =>
    Number(part ?? 0),
  )
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    throw failure(text, 'The parsed date was invalid')
  }
  if (hour > 24 || minute > 59 || second > 60) throw failure(text, 'The parsed time was invalid')
  if (inText && zone) {
    throw failure(
      text,
      'you cannot pass in a date/time string with time zone information together with a timezone argument',
    )
  }
  const milliseconds = fraction ? Math.floor(Number(`0.${fraction}`) * 1000 + 1e-6) : 0
  const local =
    localDay(year, month, day) + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + milliseconds
  const applied = inText ? zoneOf(inText.toUpperCase() === 'Z' ? 'Z' : inText) : zone
  return applied ? momentIn(applied, local) : local
}

const PATTERNS: Readonly<Record<string, string>> = {
  Y: '(\\d{4})',
  m: '(\\d{1,2})',
  d: '(\\d{1,2})',
  H: '(\\d{1,2})',
  M: '(\\d{1,2})',
  S: '(\\d{1,2})',
  L: '(\\d{1,3})',
  G: '(\\d{4})',
  V: '(\\d{1,2})',
  u: '([1-7])',
  j: '(\\d{1,3})',
  b: '([A-Za-z]{3})',
  B: '([A-Za-z]+)',
  z: '(Z|[+-]\\d{2}:?\\d{2}|[A-Za-z]+(?:/[A-Za-z_]+)*)',
  Z: '([+-]\\d{1,4})',
}

/** The letters a format for reading may have. */
export const READABLE = `${Object.keys(PATTERNS).join('')}%`

/** The moment a text names, read by a format. */
export function parseDateBy(format: string, text: string, zone: Zone | undefined): number {
  const letters: string[] = []
  const pattern = format.replace(/%(.)|[\\^$.*+?()[\]{}|/]/gs, (found, letter: string | undefined) => {
    if (letter === undefined) return `\\${found}`
    if (letter === '%') return '%'
    letters.push(letter)
    return PATTERNS[letter] ?? ''
  })
  const match = new RegExp(`^${pattern}$`).exec(text)
  if (!match) throw failure(text, `the text does not match the format '${format}'`)
  const given = new Map(letters.map((letter, i) => [letter, match[i + 1] ?? '']))
  const number = (letter: string, otherwise: number) => Number(given.get(letter) ?? otherwise)
  const minutes = given.has('Z') ? number('Z', 0) : undefined
  const inText = given.get('z') ?? (minutes === undefined ? undefined : '')
  const clock = [number('H', 0), number('M', 0), number('S', 0)]
  const applied = minutes === undefined ? zone : () => minutes * MINUTE_MS
  if (given.has('G') || given.has('j')) {
    const start = given.has('G') ? isoYearStart(number('G', 1970)) : localDay(number('Y', 1970), 1, 1)
    const days = given.has('G') ? (number('V', 1) - 1) * 7 + number('u', 1) - 1 : number('j', 1) - 1
    const [hour = 0, minute = 0, second = 0] = clock
    const local =
      start + days * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + number('L', 0)
    const at = given.get('z') ? zoneOf(given.get('z') ?? '') : applied
    return at ? momentIn(at, local) : local
  }
  const name = given.get('b') ?? given.get('B')
  const month = name ? monthNumber(name) : number('m', 1)
  if (!given.has('Y')) throw failure(text, 'an incomplete date has been found, with elements missing')
  const parts = [number('Y', 0), month, number('d', 1), ...clock].map(String)
  const fraction = given.has('L') ? (given.get('L') ?? '').padStart(3, '0') : undefined
  return assemble(text, parts, fraction, given.has('z') ? inText : undefined, applied)
}
