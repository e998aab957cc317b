import { focusComposer } from '../design/ui.ts'
import { discard } from '../live/outbox.ts'
import type { PendingMessage } from '../live/state.ts'
import { changeDraft, draftOf } from './drafts.ts'

/** An unsent message's words go back to where they were written, before what is written there now. */
export function takeBack({ clientId, conversation, content, note, replyTo }: PendingMessage): void {
  const words = content.type === 'text' ? content.text : 'caption' in content ? (content.caption ?? '') : ''
  const mode = note ? 'note' : 'reply'
  const present = draftOf(conversation)[mode]
  changeDraft(conversation, {
    mode,
    [mode]: [words, present].filter(Boolean).join('\n'),
    ...(replyTo ? { replyTo } : {}),
  })
  discard(clientId)
  focusComposer()
}
