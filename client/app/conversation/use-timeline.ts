import { useEffect } from 'react'
import type { ConversationId } from '../../../models/ids.ts'
import { fetchConversation, fetchMessages } from '../api/endpoints.ts'
import { problemOf } from '../api/http.ts'
import type { Timeline } from '../live/state.ts'
import { dispatch, live, useLive } from '../live/store.ts'

const PAGE = 50
/** Timelines looked at lately stay, so that going back is instant; older ones are dropped for memory. */
const KEPT = 12
let recent: ConversationId[] = []

/** A conversation's timeline, from its newest page on. It comes by itself, also anew after a snapshot dropped it. */
export function useTimeline(id: ConversationId): Timeline | undefined {
  const timeline = useLive((state) => state.timelines[id])
  const missing = useLive((state) => state.cursor !== null && !state.timelines[id])
  useEffect(() => {
    if (!missing) return
    keepRecent(id)
    void loadLatest(id)
  }, [id, missing])
  return timeline
}

function keepRecent(id: ConversationId): void {
  recent = [id, ...recent.filter((other) => other !== id)]
  for (const old of recent.splice(KEPT)) dispatch({ type: 'timeline.dropped', conversation: old })
}

export const loadLatest = (id: ConversationId): Promise<void> => loadPage(id, 'latest')

export async function loadOlder(id: ConversationId): Promise<void> {
  const timeline = live.getState().timelines[id]
  if (!timeline?.ready || !timeline.hasOlder || timeline.busy) return
  await loadPage(id, 'older', { before: timeline.messages[0]?.rev })
}

export async function loadNewer(id: ConversationId): Promise<void> {
  const timeline = live.getState().timelines[id]
  if (!timeline?.ready || !timeline.hasNewer || timeline.busy) return
  await loadPage(id, 'newer', { after: timeline.messages.at(-1)?.rev })
}

async function loadPage(
  conversation: ConversationId,
  which: 'latest' | 'older' | 'newer',
  from: { before?: number; after?: number } = {},
): Promise<void> {
  const { epoch } = live.getState()
  dispatch({ type: 'timeline.asked', conversation })
  try {
    const { data, next } = await fetchMessages(conversation, { ...from, limit: PAGE })
    const page = { which, messages: data, end: next === null }
    dispatch({ type: 'timeline.page', conversation, page, epoch })
  } catch {
    dispatch({ type: 'timeline.failed', conversation, epoch })
  }
}

/** A conversation opened by its address, which no list has brought. */
export async function loadConversation(id: ConversationId): Promise<'found' | 'missing'> {
  const { epoch } = live.getState()
  try {
    dispatch({ type: 'rows.loaded', rows: [await fetchConversation(id)], epoch })
    return 'found'
  } catch (error) {
    const status = problemOf(error)?.status
    return status === 404 || status === 400 || status === 403 ? 'missing' : 'found'
  }
}
