import { IconAdjustments, IconExternalLink, IconMoon, IconSun } from '@tabler/icons-react'
import type { SandboxChannel } from '../../../server/sandbox/protocol.ts'
import { APPS } from '../apps.tsx'
import type { Theme } from '../remembered.ts'

interface HeaderProps {
  channel: SandboxChannel
  connected: boolean
  theme: Theme | undefined
  deskOpen: boolean
  onChannel: (channel: SandboxChannel) => void
  onTheme: (theme: Theme) => void
  onDesk: () => void
}

export function Header({ channel, connected, theme, deskOpen, onChannel, onTheme, onDesk }: HeaderProps) {
  const dark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  return (
    <header className="header">
      <div className="brand">
        <span className="brand-mark" aria-hidden="true">
          N
        </span>
        <div>
          <h1>Sandbox</h1>
          <p>You are the customer. Write, and answer yourself in the inbox.</p>
        </div>
      </div>
      <fieldset className="segments">
        <legend className="hidden">Channel</legend>
        {APPS.map((app) => (
          <Segment key={app.channel} name={app.channel} chosen={channel} onChoose={onChannel}>
            {app.icon(17)} <span className="segment-name">{app.channel === 'sms' ? 'SMS' : app.name}</span>
          </Segment>
        ))}
      </fieldset>
      <div className="header-tools">
        <span className="connection" data-connected={connected} role="status">
          {connected ? 'Live' : 'Reconnecting…'}
        </span>
        <button
          type="button"
          className="round"
          aria-label={dark ? 'Light colours' : 'Dark colours'}
          title={dark ? 'Light colours' : 'Dark colours'}
          onClick={() => onTheme(dark ? 'light' : 'dark')}
        >
          {dark ? <IconSun size={18} /> : <IconMoon size={18} />}
        </button>
        <button
          type="button"
          className="round desk-toggle"
          aria-label="Behind the scenes"
          aria-expanded={deskOpen}
          onClick={onDesk}
        >
          <IconAdjustments size={18} />
        </button>
        <a className="inbox-link" href="./" target="_blank" rel="noopener">
          <span className="link-text">Open the inbox</span> <IconExternalLink size={16} aria-hidden="true" />
        </a>
      </div>
    </header>
  )
}

interface SegmentProps {
  name: SandboxChannel
  chosen: SandboxChannel
  onChoose: (channel: SandboxChannel) => void
  children: React.ReactNode
}

function Segment({ name, chosen, onChoose, children }: SegmentProps) {
  return (
    <label className="segment">
      <input type="radio" name="channel" checked={chosen === name} onChange={() => onChoose(name)} />
      <span className="segment-face">{children}</span>
    </label>
  )
}
