import { UnstyledButton } from '@mantine/core'
import { discard, sendAgain } from '../live/outbox.ts'
import { isStale } from '../live/pending.ts'
import type { PendingMessage } from '../live/state.ts'
import { text } from '../text.ts'
import classes from './Trouble.module.css'
import { takeBack } from './take-back.ts'

/** A message that has not left this browser: kept, refused, or held back for what came in between. */
export function PendingTrouble({ pending }: { pending: PendingMessage }) {
  const { clientId, state, problem } = pending
  const refused = state === 'refused'
  return (
    <div
      className={classes.trouble}
      data-kind={refused ? 'failed' : 'uncertain'}
      data-testid="pending-trouble"
    >
      <span>
        {refused
          ? text.delivery.refused(isStale(pending) ? text.composer.staleTitle : (problem?.detail ?? ''))
          : text.delivery.unsent}
      </span>
      {!isStale(pending) && (
        <>
          <UnstyledButton
            className={classes.action}
            onClick={() => sendAgain(clientId)}
            data-testid="retry-pending"
          >
            {text.delivery.retry}
          </UnstyledButton>
          {pending.content.type === 'text' && refused && (
            <UnstyledButton className={classes.action} onClick={() => takeBack(pending)}>
              {text.delivery.edit}
            </UnstyledButton>
          )}
          <UnstyledButton className={classes.action} onClick={() => discard(clientId)}>
            {text.delivery.discard}
          </UnstyledButton>
        </>
      )}
    </div>
  )
}
