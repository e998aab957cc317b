import { useEffect, useState } from 'react'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { putReading } from '../api/endpoints.ts'
import { unreadOf } from '../inbox/views.ts'
import { dispatch, useLive } from '../live/store.ts'

const ASK_AGAIN_MS = 5_000

/** Says how far the agent has read: only what was on screen, in a tab they were looking at. */
export function useReading(
  conversation: ConversationView,
  newest: number | undefined,
  atBottom: boolean,
): void {
  const looking = useLooking()
  const { id } = conversation
  const unread = useLive((state) => unreadOf(conversation, state.readings))
  const read = useLive((state) => state.readings[id]?.rev ?? -1)
  const [round, setRound] = useState(0)
  const due = looking && atBottom && unread > 0 && newest !== undefined && newest > read
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round is another try.
  useEffect(() => {
    if (!due || newest === undefined) return
    let timer: ReturnType<typeof setTimeout> | undefined
    putReading(id, newest).then(
      (reading) => dispatch({ type: 'reading.changed', reading }),
      () => {
        timer = setTimeout(() => setRound((before) => before + 1), ASK_AGAIN_MS)
      },
    )
    return () => clearTimeout(timer)
  }, [id, due, newest, round])
}

function useLooking(): boolean {
  const [looking, setLooking] = useState(isLooking)
  useEffect(() => {
    const look = () => setLooking(isLooking())
    window.addEventListener('focus', look)
    window.addEventListener('blur', look)
    document.addEventListener('visibilitychange', look)
    return () => {
      window.removeEventListener('focus', look)
      window.removeEventListener('blur', look)
      document.removeEventListener('visibilitychange', look)
    }
  }, [])
  return looking
}

const isLooking = (): boolean => document.visibilityState === 'visible' && document.hasFocus()
