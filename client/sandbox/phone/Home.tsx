import { useEffect } from 'react'
import type { HandsetView } from '../../../server/sandbox/protocol.ts'
import { APPS, type PhoneApp } from '../apps.tsx'
import { dayOf, timeOf } from '../format.ts'
import { type State, unread } from '../state.ts'
import type { Doings } from '../useSandbox.ts'

interface Props {
  state: State
  phone: HandsetView
  doings: Doings
}

/** The apps. */
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
        {APPS.map((app) => (
          <AppIcon key={app.channel} app={app} count={unread(state, phone, app.channel)} doings={doings} />
        ))}
      </div>
    </div>
  )
}

interface AppIconProps {
  app: PhoneApp
  count: number
  doings: Doings
}

function AppIcon({ app: { name, channel, icon }, count, doings }: AppIconProps) {
  return (
    <button type="button" className={`app app-${channel}`} onClick={() => doings.show('list', channel)}>
      <span className="app-icon">
        {icon(34)}
        {count > 0 && <span className="badge">{count}</span>}
      </span>
      <span>{name}</span>
      {count > 0 && <span className="hidden">, {count} unread</span>}
    </button>
  )
}
