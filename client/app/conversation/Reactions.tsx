import type { MessageView } from '../../../server/realtime/protocol.ts'
import { plain } from '../design/plain.ts'
import { text } from '../text.ts'
import classes from './Reactions.module.css'

export function Reactions({ message: { reactions } }: { message: MessageView }) {
  if (!reactions.length) return null
  return (
    <ul className={classes.reactions} data-testid="reactions">
      {reactions.map(({ by, emoji }) => (
        <li key={`${by}${emoji}`} data-by={by}>
          <span role="img" aria-label={text.message.reactionBy(text.message[by], plain(emoji))}>
            {plain(emoji)}
          </span>
        </li>
      ))}
    </ul>
  )
}
