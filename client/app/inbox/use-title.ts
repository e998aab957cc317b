import { useEffect } from 'react'
import { useLive } from '../live/store.ts'
import { useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { usePreload } from './use-list.ts'
import { unreadIn, type View } from './views.ts'

export const MINE: View = { name: 'mine' }
export const UNASSIGNED: View = { name: 'unassigned' }

/** The tab says how many conversations want this agent: their own, and those nobody has. */
export function useTitle(): void {
  const me = useMe()
  usePreload(MINE)
  usePreload(UNASSIGNED)
  const unread = useLive((state) => unreadIn(state, MINE, me.id) + unreadIn(state, UNASSIGNED, me.id))
  useEffect(() => {
    document.title = text.title(unread)
  }, [unread])
}
