import type { MessageId } from '../../../models/ids.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { plain } from '../design/plain.ts'
import { useLive } from '../live/store.ts'
import { useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { previewOf } from './preview.ts'
import classes from './Quote.module.css'

interface Props {
  message: MessageId
  conversation: ConversationView
  onJump: (message: MessageId) => void
}

/** What a message answers; a click goes there, however far back it is. */
export function Quote({ message, conversation, onJump }: Props) {
  const me = useMe()
  const quoted = useLive((state) =>
    state.timelines[conversation.id]?.messages.find(({ id }) => id === message),
  )
  const author = quoted?.author.id === me.id ? text.message.you : quoted?.author.name
  return (
    <button
      type="button"
      className={classes.quote}
      title={text.message.quoteJump}
      onClick={() => onJump(message)}
      data-testid="quote"
    >
      {author && <bdi className={classes.author}>{plain(author)}</bdi>}
      <span className={classes.words} dir="auto">
        {quoted ? previewOf(quoted.content) : text.message.quoteGone}
      </span>
    </button>
  )
}
