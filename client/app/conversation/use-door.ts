import { useEffect, useState } from 'react'
import { windowAt } from '../../../models/windows.ts'
import type { ConversationView, InboxView } from '../../../server/realtime/protocol.ts'

/**
 * Whether, and how, this contact may be written to now. `ajar`: the provider takes templates only. `shut`: nothing, for
 * the reason named. `open` may close, at `closesAt`.
 */
export type Door =
  | { state: 'open'; closesAt: Date | null; byPeopleOnly: boolean }
  | { state: 'ajar' }
  | { state: 'shut'; why: 'opted out' | 'blocked' | 'window' }

export function useDoor(
  { contact, theyWroteAt }: ConversationView,
  capabilities: InboxView['capabilities'] | undefined,
): Door {
  const now = useMinute()
  if (contact.optedOut) return { state: 'shut', why: 'opted out' }
  if (!contact.reachable) return { state: 'shut', why: 'blocked' }
  const window = windowAt(capabilities?.window ?? null, theyWroteAt ? new Date(theyWroteAt) : undefined, now)
  switch (window.state) {
    case 'open':
      return { state: 'open', closesAt: window.closesAt, byPeopleOnly: false }
    case 'limited':
      return window.contents === 'any'
        ? { state: 'open', closesAt: window.closesAt, byPeopleOnly: window.byPeopleOnly }
        : { state: 'ajar' }
    case 'closed':
      return { state: 'shut', why: 'window' }
  }
}

const MINUTE_MS = 60_000

/** The time, fresh every minute: what counts down by minutes need not be drawn more often. */
function useMinute(): Date {
  const [now, setNow] = useState(() => new Date())
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), MINUTE_MS)
    return () => clearInterval(timer)
  }, [])
  return now
}
