import { useInfiniteQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState } from 'react'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { fetchConversations } from '../api/endpoints.ts'
import { dispatch, live, useLive } from '../live/store.ts'
import { useMe } from '../session/useWorkspace.ts'
import { rowsOf, type View, viewKey, viewQuery } from './views.ts'

const PAGE = 50

export interface List {
  rows: ConversationView[]
  loading: boolean
  failed: boolean
  more: () => void
  hasMore: boolean
  again: () => void
}

/** A view's rows, live. The first page comes by itself, also anew after a snapshot dropped what was held. */
export function useList(view: View): List {
  const me = useMe()
  const key = viewKey(view)
  const conversations = useLive((state) => state.conversations)
  const lists = useLive((state) => state.lists)
  const started = useLive((state) => state.cursor !== null)
  const list = lists[key]
  const [failedKey, setFailedKey] = useState<string | null>(null)
  const failed = failedKey === key

  const load = useCallback(
    (after?: string) => {
      setFailedKey(null)
      loadPage(view, after).catch(() => setFailedKey(key))
    },
    [view, key],
  )

  const missing = started && !list && !failed
  useEffect(() => {
    if (missing) load()
  }, [missing, load])

  const rows = useMemo(
    () => rowsOf({ conversations, lists }, view, me.id),
    [conversations, lists, view, me.id],
  )
  return {
    rows,
    loading: !list && !failed,
    failed,
    hasMore: list?.next != null,
    more: () => list?.next && load(list.next),
    again: () => load(),
  }
}

const underway = new Set<string>()

async function loadPage(view: View, after?: string): Promise<void> {
  const { epoch } = live.getState()
  const key = viewKey(view)
  const request = `${epoch} ${key} ${after ?? ''}`
  if (underway.has(request)) return
  underway.add(request)
  try {
    const { data, next } = await fetchConversations({ ...viewQuery(view), limit: PAGE, after })
    dispatch({ type: 'list.loaded', key, rows: data, next, epoch })
  } finally {
    underway.delete(request)
  }
}

/** Loads a view that is not on screen, where its counts are. */
export function usePreload(view: View): void {
  const missing = useLive((state) => state.cursor !== null && !state.lists[viewKey(view)])
  useEffect(() => {
    if (missing) loadPage(view).catch(() => undefined)
  }, [missing, view])
}

/** What the server found. It chose the rows and their order; what they say stays live. */
export function useSearch(q: string): List {
  const search = useInfiniteQuery({
    queryKey: ['search', q],
    enabled: q !== '',
    initialPageParam: '',
    queryFn: async ({ pageParam }) => {
      const { epoch } = live.getState()
      const page = await fetchConversations({ q, limit: PAGE, after: pageParam || undefined })
      dispatch({ type: 'rows.loaded', rows: page.data, epoch })
      return page
    },
    getNextPageParam: (page) => page.next,
    staleTime: 0,
    gcTime: 60_000,
  })
  const conversations = useLive((state) => state.conversations)
  const rows = useMemo(
    () => (search.data?.pages ?? []).flatMap(({ data }) => data.map((row) => conversations[row.id] ?? row)),
    [search.data, conversations],
  )
  return {
    rows,
    loading: search.isPending,
    failed: search.isError,
    hasMore: search.hasNextPage,
    more: () => void (search.isFetching || search.fetchNextPage()),
    again: () => void search.refetch(),
  }
}
