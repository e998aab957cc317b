import { useSyncExternalStore } from 'react'
import { text } from '../text.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const TICK_MS = 15_000

/** One clock for the page, so that a thousand rows tick with one timer. */
let now = Date.now()
const watchers = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  now = Date.now()
  timer ??= setInterval(() => {
    now = Date.now()
    for (const tell of watchers) tell()
  }, TICK_MS)
  return () => {
    watchers.delete(watcher)
    if (watchers.size) return
    clearInterval(timer)
    timer = undefined
  }
}

export const useNow = (): number => useSyncExternalStore(watch, () => now)

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const exactClock = new Intl.DateTimeFormat(undefined, {
  hour: 'numeric',
  minute: '2-digit',
  second: '2-digit',
})
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' })
const dayMonth = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const longDay = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const mediumDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

export const clockTime = (iso: string): string => clock.format(new Date(iso))
export const exactTime = (iso: string): string => exactClock.format(new Date(iso))
export const fullTime = (iso: string): string => fullDate.format(new Date(iso))
export const fullDay = (iso: string): string => mediumDay.format(new Date(iso))
export const dayOf = (iso: string): string => new Date(iso).toDateString()

export function dayName(iso: string, at: number): string {
  const day = dayOf(iso)
  if (day === new Date(at).toDateString()) return text.time.today
  if (day === new Date(at - DAY_MS).toDateString()) return text.time.yesterday
  return longDay.format(new Date(iso))
}

/** As short as a list needs it: now, 5m, 3h, Mon, 12 Mar. */
export function ago(iso: string, at: number): string {
  const date = new Date(iso)
  const passed = at - date.getTime()
  if (passed < MINUTE_MS) return text.time.now
  if (passed < DAY_MS) return span(passed)
  return passed < 6 * DAY_MS ? weekday.format(date) : dayMonth.format(date)
}

export function span(ms: number): string {
  if (ms < HOUR_MS) return text.time.minutes(Math.max(1, Math.floor(ms / MINUTE_MS)))
  if (ms < DAY_MS) return text.time.hours(Math.floor(ms / HOUR_MS))
  return text.time.days(Math.floor(ms / DAY_MS))
}

export const when = (iso: string, at: number): string =>
  dayOf(iso) === new Date(at).toDateString() ? clockTime(iso) : fullTime(iso)
