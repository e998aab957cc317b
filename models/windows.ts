import type { Content } from './content.ts'

/** A provider's rule on when we may write to a contact. */
export type WindowRule = 'whatsapp' | 'messenger'

interface Rule {
  /** Hours after the contact's last message in which anything may be sent. */
  open: number
  /** What may be sent after that, until `afterHours` have passed; absent where that is for ever. */
  after: { contents: Content['type'][] | 'any'; hours?: number; byPeopleOnly?: boolean }
  closed: string
}

/**
 * The rules as data.
 * WhatsApp: 24 hours from the contact's last message, then approved templates only.
 * Messenger: 24 hours, then for up to 7 days what a person answers (the HUMAN_AGENT tag), then nothing.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
 * @see https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy
 */
const RULES: Record<WindowRule, Rule> = {
  whatsapp: {
    open: 24,
    after: { contents: ['template'] },
    closed:
      'WhatsApp takes free text only within 24 hours of the customer’s last message. Send an approved template, or wait until they write.',
  },
  messenger: {
    open: 24,
    after: { contents: 'any', hours: 7 * 24, byPeopleOnly: true },
    closed:
      'Messenger takes no message this long after the customer’s last one: a person may answer for 7 days, a bot for 24 hours. Wait until they write.',
  },
}

const HOUR_MS = 3_600_000

/**
 * `open`: anything may be sent, until `closesAt`. `limited`: only `contents`, until `closesAt` if it ever closes. `closed`:
 * nothing, until they write.
 */
export type Window =
  | { state: 'open'; closesAt: Date | null }
  | { state: 'limited'; contents: Content['type'][] | 'any'; byPeopleOnly: boolean; closesAt: Date | null }
  | { state: 'closed' }

const ALWAYS: Window = { state: 'open', closesAt: null }

/** Where a conversation stands. @param theyWroteAt when the contact last wrote; undefined where they never did */
export function windowAt(rule: WindowRule | null, theyWroteAt: Date | undefined, now: Date): Window {
  if (rule === null) return ALWAYS
  const { open, after } = RULES[rule]
  const since = theyWroteAt?.getTime() ?? Number.NEGATIVE_INFINITY
  const openUntil = since + open * HOUR_MS
  if (now.getTime() < openUntil) return { state: 'open', closesAt: new Date(openUntil) }
  const limitedUntil = after.hours === undefined ? Number.POSITIVE_INFINITY : since + after.hours * HOUR_MS
  if (now.getTime() >= limitedUntil) return { state: 'closed' }
  return {
    state: 'limited',
    contents: after.contents,
    byPeopleOnly: after.byPeopleOnly ?? false,
    closesAt: Number.isFinite(limitedUntil) ? new Date(limitedUntil) : null,
  }
}

/** When free writing ends after a message of the contact's; undefined where it never does. */
export const closesAfter = (rule: WindowRule | null, theyWroteAt: Date): Date | undefined =>
  rule === null ? undefined : new Date(theyWroteAt.getTime() + RULES[rule].open * HOUR_MS)

/** Null where this may be sent now, else the sentence that says why not and what would work. */
export function outsideWindow(
  rule: WindowRule | null,
  theyWroteAt: Date | undefined,
  now: Date,
  content: Content,
  byPerson: boolean,
): string | null {
  const window = windowAt(rule, theyWroteAt, now)
  switch (window.state) {
    case 'open':
      return null
    case 'limited': {
      const may = window.contents === 'any' || window.contents.includes(content.type)
      return may && (byPerson || !window.byPeopleOnly) ? null : closedReason(rule)
    }
    case 'closed':
      return closedReason(rule)
  }
}

const closedReason = (rule: WindowRule | null): string => (rule === null ? '' : RULES[rule].closed)
