import { z } from 'zod'
import { Unreadable, type WebhookRequest } from '../adapter.ts'
import type { IgnoredEvent, ProviderEvent } from '../events.ts'

/** What every webhook of Meta's looks like outside; what is in an entry differs. */
const Envelope = z.object({ object: z.string(), entry: z.array(z.unknown()) })

/** @throws Unreadable */
export function envelopeOf({ body }: WebhookRequest): z.infer<typeof Envelope> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new Unreadable('Not JSON in UTF-8')
  }
  const parsed = Envelope.safeParse(json)
  if (!parsed.success) throw new Unreadable('Not a webhook as Meta writes it')
  return parsed.data
}

/** Undefined instead of an error, for what is read before it is verified. */
export function peekedEnvelope(request: WebhookRequest): z.infer<typeof Envelope> | undefined {
  try {
    return envelopeOf(request)
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

const UNREADABLE = 'unreadable'

/** One of many in a request that is not as documented: the others must not wait for it. */
export const unreadable = (): IgnoredEvent => ({ kind: 'ignored', what: UNREADABLE })

/** A request of which nothing at all could be read is kept for the people who mend this. @throws Unreadable */
export function orUnreadable(events: ProviderEvent[]): ProviderEvent[] {
  const isLost = (event: ProviderEvent) => event.kind === 'ignored' && event.what === UNREADABLE
  if (events.length > 0 && events.every(isLost)) throw new Unreadable('Nothing in it is as documented')
  return events
}

export const ignored = (what: string): IgnoredEvent => ({ kind: 'ignored', what: wordOf(what) })

/** A provider's own name for something, where it is one. */
export const wordOf = (text: string): string => (/^[a-zA-Z][\w-]{0,63}$/.test(text) ? text : 'other')

/** A list, or nothing of one that is none. */
export const Many = z.array(z.unknown()).catch([])

/** Names and addresses: not empty, and no longer than a name is. */
export const Name = z.string().min(1).max(1_000)
