import { Button } from '@mantine/core'
import { IconAlertCircle, IconClock, IconTemplate } from '@tabler/icons-react'
import { useState } from 'react'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { channelName } from '../design/ChannelIcon.tsx'
import { text } from '../text.ts'
import classes from './Composer.module.css'
import { TemplatePicker } from './TemplatePicker.tsx'
import type { Door } from './use-door.ts'

/** In the composer's place where free words cannot be sent: why not, and what would work. */
export function Closed({
  conversation,
  door,
}: {
  conversation: ConversationView
  door: Exclude<Door, { state: 'open' }>
}) {
  const [choosing, setChoosing] = useState(false)
  const channel = channelName(conversation.channel)
  if (door.state === 'shut')
    return (
      <p className={classes.closed} data-testid="not-reachable">
        <IconAlertCircle size={16} aria-hidden="true" />
        {door.why === 'opted out' ? text.composer.optedOut : null}
        {door.why === 'blocked' ? text.composer.unreachable(channel) : null}
        {door.why === 'window' ? text.composer.windowShut(channel) : null}
      </p>
    )
  return (
    <div className={classes.closed} data-testid="window-closed">
      <IconClock size={16} aria-hidden="true" />
      <span>{text.composer.templatesOnly(channel)}</span>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconTemplate size={14} />}
        onClick={() => setChoosing(true)}
        data-testid="choose-template"
      >
        {text.composer.chooseTemplate}
      </Button>
      <TemplatePicker conversation={conversation} opened={choosing} close={() => setChoosing(false)} />
    </div>
  )
}

const SOON_MS = 4 * 3_600_000

/** How long the provider's window stays open, once that begins to matter. */
export function Closing({ door }: { door: Door }) {
  if (door.state !== 'open' || door.closesAt === null) return null
  const left = door.closesAt.getTime() - Date.now()
  if (left > SOON_MS && !door.byPeopleOnly) return null
  const minutes = Math.max(1, Math.round(left / 60_000))
  return (
    <span className={classes.closing} data-testid="window-closing">
      <IconClock size={13} aria-hidden="true" />
      {text.composer.closesIn(Math.floor(minutes / 60), minutes % 60)}
    </span>
  )
}
