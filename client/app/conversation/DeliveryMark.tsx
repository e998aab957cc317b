import { Popover, UnstyledButton } from '@mantine/core'
import {
  IconAlertTriangleFilled,
  IconArrowUp,
  IconCheck,
  IconChecks,
  IconClock,
  IconCloudOff,
  IconHelpCircleFilled,
} from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import type { DeliveryState } from '../../../models/delivery.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { text } from '../text.ts'
import classes from './DeliveryMark.module.css'
import type { Line } from './lines.ts'

const DeliveryDetails = lazy(() => import('./DeliveryDetails.tsx'))

const ICONS: Record<DeliveryState, typeof IconCheck> = {
  queued: IconClock,
  sending: IconArrowUp,
  sent: IconCheck,
  delivered: IconChecks,
  read: IconChecks,
  failed: IconAlertTriangleFilled,
  uncertain: IconHelpCircleFilled,
}

interface Props {
  line: Line
  conversation: ConversationView
}

/** How far up the ladder a message is; a click tells how it got there. */
export function DeliveryMark({ line: { message, pending }, conversation }: Props) {
  const [open, setOpen] = useState(false)
  if (pending)
    return pending.state === 'sending' ? (
      <IconClock size={12} className={classes.icon} role="img" aria-label={text.delivery.states.echo} />
    ) : (
      <IconCloudOff size={13} className={classes.icon} data-state="failed" aria-hidden="true" />
    )
  const { delivery } = message
  if (!delivery) return null
  const Icon = ICONS[delivery.state]
  const state = text.delivery.states[delivery.state] ?? delivery.state
  return (
    <Popover opened={open} onChange={setOpen} position="left-end" width={300} trapFocus={false} withinPortal>
      <Popover.Target>
        <UnstyledButton
          className={classes.mark}
          aria-label={text.delivery.label(state)}
          onClick={() => setOpen(!open)}
          data-testid="delivery-mark"
        >
          <Icon
            size={14}
            stroke={2}
            className={classes.icon}
            data-state={delivery.state}
            aria-hidden="true"
          />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={text.delivery.heading} data-testid="delivery-details">
        {open && (
          <Suspense>
            <DeliveryDetails message={message} delivery={delivery} inbox={conversation.inbox} />
          </Suspense>
        )}
      </Popover.Dropdown>
    </Popover>
  )
}
