import { IconBrandTelegram, IconMessageCircle2Filled } from '@tabler/icons-react'
import { useEffect } from 'react'
import type { HandsetView, SandboxChannel } from '../../../server/sandbox/protocol.ts'
import { dayOf, timeOf } from '../format.ts'
import { type State, unread } from '../state.ts'
import type { Doings } from '../useSandbox.ts'

interface Props {
  state: State
  phone: HandsetView
  doings: Doings
}

/** Two apps. */
export function Home({ state, phone, doings }: Props) {
  useEffect(() => {
    document.title = 'Sandbox · Nexus Inbox'
  }, [])
  const now = new Date()
  return (
    <div className="home">
      <div className="home-clock">
        <span>{dayOf(now.toISOString())}</span>
        <strong>{timeOf(now)}</strong>
      </div>
      <div className="apps">
        <AppIcon name="Telegram" channel="telegram" count={unread(state, phone, 'telegram')} doings={doings}>
          <IconBrandTelegram size={34} stroke={1.6} aria-hidden="true" />
        </AppIcon>
        <AppIcon name="Messages" channel="sms" count={unread(state, phone, 'sms')} doings={doings}>
          <IconMessageCircle2Filled size={34} aria-hidden="true" />
        </AppIcon>
      </div>
    </div>
  )
}

interface AppIconProps {
  name: string
  channel: SandboxChannel
  count: number
  doings: Doings
  children: React.ReactNode
}

function AppIcon({ name, channel, count, doings, children }: AppIconProps) {
  return (
    <button type="button" className={`app app-${channel}`} onClick={() => doings.show('list', channel)}>
      <span className="app-icon">
        {children}
        {count > 0 && <span className="badge">{count}</span>}
      </span>
      <span>{name}</span>
      {count > 0 && <span className="hidden">, {count} unread</span>}
    </button>
  )
}
