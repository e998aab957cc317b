import { UnstyledButton } from '@mantine/core'
import { modals } from '@mantine/modals'
import { useState } from 'react'
import type { DeliveryView, MessageView } from '../../../server/realtime/protocol.ts'
import { text } from '../text.ts'
import { attemptAgain } from './actions.ts'
import classes from './Trouble.module.css'

interface Props {
  message: MessageView
  delivery: DeliveryView
}

/** A message that did not get through, or may not have: why, in words, and what can be done. */
export function DeliveryTrouble({ message, delivery }: Props) {
  const [busy, setBusy] = useState(false)
  if (delivery.state !== 'failed' && delivery.state !== 'uncertain') return null

  const again = async () => {
    setBusy(true)
    await attemptAgain(message.conversation, message.id)
    setBusy(false)
  }
  const ask = () =>
    modals.openConfirmModal({
      title: text.delivery.sendAgainTitle,
      children: text.delivery.sendAgainWarning,
      labels: { confirm: text.delivery.sendAgain, cancel: text.cancel },
      closeButtonProps: { 'aria-label': text.close },
      size: 'sm',
      onConfirm: () => void again(),
    })

  const failed = delivery.state === 'failed'
  return (
    <div className={classes.trouble} data-kind={delivery.state} data-testid="delivery-trouble">
      <span>
        {failed
          ? text.delivery.failed(delivery.problem?.reason ?? text.delivery.failedUnknown)
          : text.delivery.uncertain}
      </span>
      <UnstyledButton
        className={classes.action}
        onClick={failed ? again : ask}
        disabled={busy}
        data-testid={failed ? 'retry' : 'send-again'}
      >
        {failed ? text.delivery.retry : text.delivery.sendAgain}
      </UnstyledButton>
    </div>
  )
}
