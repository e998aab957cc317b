import { CommandError } from '../../errors.ts'

/** A time zone: how many milliseconds it is ahead of UTC at a moment. */
export type Zone = (moment: number) => number

export const UTC: Zone = () => 0

const MINUTE_MS = 60_000
const zones = new Map<string, Zone>()

/** The zone of an Olson name, or of an offset such as `+05:30`. */
export function zoneOf(name: string): Zone {
  const known = zones.get(name)
  if (known) return known
  const zone = offsetZone(name) ?? namedZone(name)
  if (zones.size > 1000) zones.clear()
  zones.set(name, zone)
  return zone
}

function offsetZone(name: string): Zone | undefined {
  if (name === '' || name === 'Z' || name === 'UTC' || name === 'GMT') return UTC
  const match = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(name)
  if (!match) return undefined
  const offset = (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0)) * MINUTE_MS
  return () => offset
}

function namedZone(name: string): Zone {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    throw new CommandError(40485, `unrecognized time zone identifier: "${name}"`)
  }
  return (moment) => {
    const parts: Record<string, string> = {}
    for (const { type, value } of format.formatToParts(moment)) parts[type] = value
    const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year)
    const local = new Date(0)
    local.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day))
    local.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second))
    return local.getTime() - Math.floor(moment / 1000) * 1000
  }
}

/** The moment at which clocks in a zone show a local time. */
export function momentIn(zone: Zone, local: number): number {
  const guess = local - zone(local)
  const corrected = local - zone(guess)
  // In the hour that a change of clocks leaves out, the offset before the change counts.
  return zone(corrected) === local - corrected ? corrected : local - Math.min(zone(guess), zone(corrected))
}
