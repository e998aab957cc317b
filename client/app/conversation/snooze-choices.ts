import { text } from '../text.ts'

const HOUR_MS = 3_600_000
const MORNING = 9
const MONDAY = 1

/** Times an agent is likely to mean, in their own zone. */
export function snoozeChoices(now: Date): { name: string; until: Date }[] {
  return [
    { name: text.conversation.later, until: new Date(now.getTime() + 3 * HOUR_MS) },
    { name: text.conversation.tomorrow, until: morning(now, 1) },
    { name: text.conversation.monday, until: morning(now, (MONDAY - now.getDay() + 7) % 7 || 7) },
    { name: text.conversation.week, until: morning(now, 7) },
  ]
}

const morning = (from: Date, days: number): Date =>
  new Date(from.getFullYear(), from.getMonth(), from.getDate() + days, MORNING)
