import { Button } from '@mantine/core'
import { useMemo } from 'react'
import type { ConversationId } from '../../../models/ids.ts'
import { plain } from '../design/plain.ts'
import { clockTime } from '../design/time.ts'
import { sendAnyway } from '../live/outbox.ts'
import { isStale } from '../live/pending.ts'
import { useLive } from '../live/store.ts'
import { text } from '../text.ts'
import { previewOf } from './preview.ts'
import classes from './Stale.module.css'
import { takeBack } from './take-back.ts'

/** An answer the server held back, with the lines its author had not seen: they decide. */
export function Stale({ conversation }: { conversation: ConversationId }) {
  const pending = useLive((state) => state.pending)
  const stale = useMemo(
    () => pending.find((mine) => mine.conversation === conversation && isStale(mine)),
    [pending, conversation],
  )
  if (!stale) return null
  const unseen = stale.problem?.unseen ?? []
  return (
    <section className={classes.stale} role="alert" data-testid="stale-reply">
      <h2>{text.composer.staleTitle}</h2>
      <p>{unseen.length ? text.composer.staleLead : stale.problem?.detail}</p>
      {unseen.length > 0 && (
        <ol>
          {unseen.map(({ id, author, content, createdAt }) => (
            <li key={id}>
              <bdi>{plain(author.name)}</bdi>
              <span dir="auto">{previewOf(content)}</span>
              <time dateTime={createdAt}>{clockTime(createdAt)}</time>
            </li>
          ))}
        </ol>
      )}
      <blockquote dir="auto">{previewOf(stale.content)}</blockquote>
      <div className={classes.actions}>
        <Button size="xs" variant="default" onClick={() => takeBack(stale)} data-testid="stale-edit">
          {text.composer.editIt}
        </Button>
        <Button size="xs" onClick={() => sendAnyway(stale.clientId)} data-testid="send-anyway">
          {text.composer.sendAnyway}
        </Button>
      </div>
    </section>
  )
}
