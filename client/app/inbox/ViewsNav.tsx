import { Tooltip, VisuallyHidden } from '@mantine/core'
import {
  IconCheck,
  IconCommand,
  IconInbox,
  IconKeyboard,
  IconMoon,
  IconSettings,
  IconUser,
  IconUserQuestion,
  IconUsersGroup,
} from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { pageUrl } from '../base.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { Avatar } from '../design/Avatar.tsx'
import { ChannelIcon } from '../design/ChannelIcon.tsx'
import { Logo } from '../design/Logo.tsx'
import { setUi, useUi } from '../design/ui.ts'
import { usePresence } from '../live/presence.ts'
import { useLive } from '../live/store.ts'
import { useAgents, useInboxes, useMe, useSandbox } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { AccountMenu } from './AccountMenu.tsx'
import { openPalette } from './open-palette.ts'
import { MINE, UNASSIGNED } from './use-title.ts'
import classes from './ViewsNav.module.css'
import { NAMED_VIEWS, unreadIn, type View, viewKey } from './views.ts'

const ICONS = {
  mine: IconUser,
  unassigned: IconUserQuestion,
  open: IconInbox,
  snoozed: IconMoon,
  resolved: IconCheck,
} as const

const hide = () => setUi({ navOpen: false })

export function ViewsNav({ view }: { view: View | null }) {
  const open = useUi(({ navOpen }) => navOpen)
  const { inboxes } = useInboxes()
  const me = useMe()
  const sandbox = useSandbox()
  const here = view ? viewKey(view) : 'admin'
  return (
    <>
      {open && (
        <button type="button" className={classes.scrim} aria-label={text.nav.collapse} onClick={hide} />
      )}
      <nav className={classes.nav} aria-label={text.nav.label} data-open={open || undefined}>
        <div className={classes.brand}>
          <Logo size={24} />
          <span>{text.product}</span>
        </div>
        <div className={classes.views}>
          <ul className={classes.group}>
            {NAMED_VIEWS.map((name) => {
              const Icon = ICONS[name]
              return (
                <Entry
                  key={name}
                  to={`/${name}`}
                  current={here === name}
                  icon={<Icon size={16} stroke={1.8} />}
                >
                  {text.nav[name]}
                  {(name === 'mine' || name === 'unassigned') && (
                    <Unread view={name === 'mine' ? MINE : UNASSIGNED} />
                  )}
                </Entry>
              )
            })}
          </ul>
          {inboxes.length > 0 && <h2 className={classes.heading}>{text.nav.inboxes}</h2>}
          <ul className={classes.group}>
            {inboxes.map(({ id, name, channel }) => (
              <Entry
                key={id}
                to={`/inbox/${id}`}
                current={here === `inbox/${id}`}
                icon={<ChannelIcon channel={channel} size={16} />}
              >
                <bdi className={classes.name}>{name}</bdi>
              </Entry>
            ))}
          </ul>
          {(me.role === 'admin' || sandbox) && (
            <ul className={classes.group}>
              {me.role === 'admin' && (
                <Entry to="/admin" current={here === 'admin'} icon={<IconSettings size={16} stroke={1.8} />}>
                  {text.nav.admin}
                </Entry>
              )}
              {sandbox && (
                <li>
                  <a
                    className={classes.entry}
                    href={pageUrl('sandbox')}
                    target="_blank"
                    rel="noopener"
                    data-testid="nav-sandbox"
                  >
                    <IconUsersGroup size={16} stroke={1.8} aria-hidden="true" />
                    {text.nav.sandbox}
                  </a>
                </li>
              )}
            </ul>
          )}
        </div>
        <Colleagues />
        <div className={classes.foot}>
          <AccountMenu />
          <ActionIcon
            label={text.nav.help}
            hotkey="?"
            icon={<IconKeyboard size={17} stroke={1.7} />}
            onClick={() => setUi({ helpOpen: true })}
          />
          <ActionIcon
            label={text.nav.palette}
            hotkey="Ctrl K"
            icon={<IconCommand size={17} stroke={1.7} />}
            onClick={openPalette}
          />
        </div>
      </nav>
    </>
  )
}

interface EntryProps {
  to: string
  current: boolean
  icon: ReactNode
  children: ReactNode
}

const Entry = ({ to, current, icon, children }: EntryProps) => (
  <li>
    <Link
      to={to}
      className={classes.entry}
      aria-current={current ? 'page' : undefined}
      onClick={hide}
      data-testid={`nav-${to.slice(1)}`}
    >
      {icon}
      {children}
    </Link>
  </li>
)

function Unread({ view }: { view: View }) {
  const me = useMe()
  const unread = useLive((state) => unreadIn(state, view, me.id))
  if (!unread) return null
  return (
    <span className={classes.unread}>
      <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
      <VisuallyHidden>{text.nav.unread(unread)}</VisuallyHidden>
    </span>
  )
}

const SHOWN = 7

function Colleagues() {
  const me = useMe()
  const agents = useAgents()
  const online = usePresence((state) => state.online)
  const here = agents.filter(({ id }) => id !== me.id && online.includes(id))
  if (!here.length) return null
  return (
    <div className={classes.colleagues}>
      <h2 className={classes.heading}>{text.nav.colleagues}</h2>
      <ul className={classes.faces} data-testid="presence">
        {here.slice(0, SHOWN).map(({ id, name }) => (
          <li key={id}>
            <Tooltip label={text.nav.colleagueHere(name)}>
              <span role="img" aria-label={text.nav.colleagueHere(name)}>
                <Avatar id={id} name={name} size={26} here />
              </span>
            </Tooltip>
          </li>
        ))}
        {here.length > SHOWN && <li className={classes.rest}>+{here.length - SHOWN}</li>}
      </ul>
    </div>
  )
}
