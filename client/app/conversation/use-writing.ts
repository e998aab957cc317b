import { useCallback, useEffect, useRef } from 'react'
import type { ConversationId } from '../../../models/ids.ts'
import { TYPING_EXPIRES_MS } from '../../../server/realtime/protocol.ts'
import { sayTyping } from '../live/socket.ts'

/** Tells colleagues that an answer is being written, no oftener than the mark needs to stay alive. */
export function useWriting(conversation: ConversationId): { wrote: () => void; stopped: () => void } {
  const said = useRef(0)
  const wrote = useCallback(() => {
    if (Date.now() - said.current < TYPING_EXPIRES_MS / 2) return
    said.current = Date.now()
    sayTyping(conversation, true)
  }, [conversation])
  const stopped = useCallback(() => {
    if (!said.current) return
    said.current = 0
    sayTyping(conversation, false)
  }, [conversation])
  useEffect(() => stopped, [stopped])
  return { wrote, stopped }
}
