import { useCallback } from 'react'
import { v7 } from 'uuid'
import type { Content } from '../../../models/content.ts'
import type { ClientMessageId, MessageId } from '../../../models/ids.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { post } from '../live/outbox.ts'
import { live } from '../live/store.ts'
import { useMe } from '../session/useWorkspace.ts'

export interface Written {
  content: Content
  note?: boolean
  replyTo?: MessageId
}

/** Sends in this agent's name, with what they had seen when they pressed the key. */
export function useSend(conversation: ConversationView): (written: Written) => void {
  const me = useMe()
  const { id, assignee } = conversation
  return useCallback(
    ({ content, note = false, replyTo }) => {
      const seenRev = live.getState().timelines[id]?.messages.at(-1)?.rev
      // A reaction or an edit answers over nobody, and a note reaches nobody.
      const answers = !note && content.type !== 'reaction' && content.type !== 'edit'
      post({
        clientId: v7() as ClientMessageId,
        conversation: id,
        author: me.id,
        content,
        note,
        ...(replyTo ? { replyTo } : {}),
        ...(answers && seenRev !== undefined ? { seenRev } : {}),
        ...(answers && assignee ? { expectedAssignee: assignee } : {}),
        createdAt: new Date().toISOString(),
        state: 'unsent',
      })
    },
    [id, assignee, me.id],
  )
}
