import { CloseButton } from '@mantine/core'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { plain } from '../design/plain.ts'
import { useLive } from '../live/store.ts'
import { text } from '../text.ts'
import classes from './Composer.module.css'
import { changeDraft, type Draft } from './drafts.ts'
import { previewOf } from './preview.ts'

/** What the words about to be sent belong to: the message they answer, or the one they change. */
export function DraftContext({
  conversation: { id },
  draft,
}: {
  conversation: ConversationView
  draft: Draft
}) {
  const about = draft.editing?.message ?? (draft.mode === 'reply' ? draft.replyTo : undefined)
  const message = useLive((state) => state.timelines[id]?.messages.find((held) => held.id === about))
  if (!about) return null
  const editing = draft.editing !== undefined
  return (
    <div className={classes.context} data-testid="draft-context">
      <span>
        <strong>
          {editing
            ? text.composer.editingMessage
            : text.composer.replyingTo(plain(message?.author.name ?? ''))}
        </strong>
        <bdi dir="auto">{message ? previewOf(message.content) : text.message.quoteGone}</bdi>
      </span>
      <CloseButton
        size="sm"
        aria-label={editing ? text.composer.cancelEdit : text.composer.cancelReply}
        onClick={() => changeDraft(id, editing ? { editing: undefined } : { replyTo: undefined })}
      />
    </div>
  )
}
