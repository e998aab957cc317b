import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { plain } from '../design/plain.ts'
import { usePresence } from '../live/presence.ts'
import { useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import classes from './TypingLine.module.css'

/** Who writes now: the contact, and colleagues, so that nobody answers over another. */
export function TypingLine({ conversation }: { conversation: ConversationView }) {
  const me = useMe()
  const marks = usePresence((state) => state.typing)
  const viewers = usePresence((state) => state.viewers[conversation.id])
  const writing = marks.filter(({ conversation: of, by }) => of === conversation.id && by.id !== me.id)
  const contact = writing.find(({ by }) => by.kind === 'contact')
  const names = new Set([
    ...(viewers ?? []).filter(({ agent, replying }) => replying && agent !== me.id).map(({ name }) => name),
    ...writing.filter(({ by }) => by.kind === 'agent').map(({ by }) => by.name),
  ])
  return (
    <div className={classes.line} role="status" data-testid="typing-line">
      {contact && (
        <span className={classes.contact}>
          <Dots />
          {text.conversation.contactTyping(plain(contact.by.name || conversation.contact.name))}
        </span>
      )}
      {names.size > 0 && (
        <span className={classes.colleague}>
          <Dots />
          {[...names].map(text.conversation.replying).join(', ')}
        </span>
      )}
    </div>
  )
}

const Dots = () => (
  <span className={classes.dots} aria-hidden="true">
    <i />
    <i />
    <i />
  </span>
)
