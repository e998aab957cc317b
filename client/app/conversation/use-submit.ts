import type { Content } from '../../../models/content.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { type Attachment, contentOf, detachAll } from './attachments.ts'
import { changeDraft, type Draft } from './drafts.ts'
import { useSend } from './use-send.ts'

interface Parts {
  conversation: ConversationView
  draft: Draft
  attachments: Attachment[]
  /** Why the channel cannot carry the words. */
  reason: string | null
  closed: boolean
  done: () => void
}

/** Turns what is in the composer into messages, and empties it. */
export function useSubmit({ conversation, draft, attachments, reason, closed, done }: Parts) {
  const send = useSend(conversation)
  const { id } = conversation
  const noting = draft.mode === 'note' && !draft.editing
  const written = (draft.editing?.text ?? draft[draft.mode]).trim()
  const files = noting || draft.editing ? [] : attachments
  const uploaded = files.every((file) => file.uploaded)
  const ready = !closed && !reason && uploaded && (written !== '' || files.length > 0)

  const submit = () => {
    if (!ready) return
    if (draft.editing) {
      const { message } = draft.editing
      send({ content: { type: 'edit', message, text: written } })
      changeDraft(id, { editing: undefined })
    } else if (noting) {
      send({ content: { type: 'text', text: written }, note: true })
      changeDraft(id, { note: '' })
    } else {
      const { replyTo } = draft
      for (const [index, content] of contentsOf(written, files).entries())
        send({ content, ...(replyTo && index === 0 ? { replyTo } : {}) })
      changeDraft(id, { reply: '', replyTo: undefined })
      detachAll(id)
    }
    done()
  }
  return { submit, ready }
}

/** One message to a file; the words go under the first. */
function contentsOf(written: string, files: Attachment[]): Content[] {
  if (!files.length) return [{ type: 'text', text: written }]
  return files.flatMap((file, index) => contentOf(file, index === 0 ? written : '') ?? [])
}
