import { Button, Menu } from '@mantine/core'
import {
  IconArrowBackUp,
  IconCheck,
  IconLayoutSidebarRight,
  IconMoon,
  IconUserPlus,
} from '@tabler/icons-react'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { Avatar } from '../design/Avatar.tsx'
import { BackLink } from '../design/BackLink.tsx'
import { ChannelIcon } from '../design/ChannelIcon.tsx'
import { nameOf } from '../design/plain.ts'
import { useNow, when } from '../design/time.ts'
import { openMenu, toggleDetails, useUi } from '../design/ui.ts'
import { usePresence } from '../live/presence.ts'
import { useAgent, useAgents, useInbox, useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { assign, toggleResolution, wake } from './actions.ts'
import classes from './Header.module.css'
import { SnoozeMenu } from './SnoozeMenu.tsx'

interface Props {
  conversation: ConversationView
  back: string
}

export function Header({ conversation, back }: Props) {
  const { id, contact, channel, status, snoozedUntil } = conversation
  const inbox = useInbox(conversation.inbox)
  const detailsOpen = useUi((ui) => ui.detailsOpen)
  const now = useNow()
  const resolved = status === 'resolved'
  return (
    <header className={classes.header}>
      <BackLink className={classes.back} to={back} />
      <div className={classes.who}>
        <h1 className={classes.name}>
          <bdi>{nameOf(contact)}</bdi>
        </h1>
        <p className={classes.where}>
          <ChannelIcon channel={channel} size={12} />
          <bdi>{inbox?.name ?? ''}</bdi>
          {status === 'snoozed' && snoozedUntil && (
            <span className={classes.state}>{text.conversation.snoozedUntil(when(snoozedUntil, now))}</span>
          )}
          {resolved && <span className={classes.state}>{text.conversation.resolved}</span>}
        </p>
      </div>
      <Viewers conversation={conversation} />
      <div className={classes.actions}>
        <AssignMenu conversation={conversation} />
        {status === 'snoozed' ? (
          <ActionIcon
            label={text.conversation.wake}
            icon={<IconMoon size={17} />}
            variant="light"
            color="iris"
            onClick={() => wake(id)}
            data-testid="wake"
          />
        ) : (
          !resolved && <SnoozeMenu id={id} />
        )}
        <Button
          className={classes.resolve}
          size="compact-sm"
          h={30}
          px={12}
          variant={resolved ? 'default' : 'filled'}
          leftSection={resolved ? <IconArrowBackUp size={15} /> : <IconCheck size={15} />}
          aria-label={resolved ? text.conversation.reopen : text.conversation.resolve}
          onClick={() => toggleResolution(id)}
          data-testid={resolved ? 'reopen' : 'resolve'}
        >
          <span className={classes.words}>
            {resolved ? text.conversation.reopen : text.conversation.resolve}
          </span>
        </Button>
        <ActionIcon
          label={detailsOpen ? text.conversation.hideDetails : text.conversation.showDetails}
          icon={<IconLayoutSidebarRight size={17} />}
          aria-pressed={detailsOpen}
          onClick={toggleDetails}
          data-testid="toggle-details"
        />
      </div>
    </header>
  )
}

function AssignMenu({ conversation }: { conversation: ConversationView }) {
  const me = useMe()
  const agents = useAgents()
  const online = usePresence((state) => state.online)
  const assignee = useAgent(conversation.assignee)
  const opened = useUi((ui) => ui.menu === 'assign')
  const others = agents.filter(({ id }) => id !== me.id)
  const pick = (agent: typeof me.id | null) => () => void assign(conversation.id, agent)
  return (
    <Menu
      opened={opened}
      onChange={(open) => openMenu(open ? 'assign' : null)}
      position="bottom-end"
      width={220}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <Button
          className={classes.assign}
          size="compact-sm"
          h={30}
          px={10}
          variant="default"
          leftSection={
            assignee ? <Avatar id={assignee.id} name={assignee.name} size={18} /> : <IconUserPlus size={15} />
          }
          aria-label={assignee ? text.conversation.assigned(assignee.name) : text.conversation.assign}
          data-testid="assign"
        >
          <span className={classes.words}>{assignee?.name ?? text.conversation.assign}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        <Menu.Item
          leftSection={<Avatar id={me.id} name={me.name} size={20} />}
          rightSection={conversation.assignee === me.id && <IconCheck size={14} />}
          onClick={pick(me.id)}
          data-testid="assign-me"
        >
          {text.conversation.me(me.name)}
        </Menu.Item>
        {others.map(({ id, name }) => (
          <Menu.Item
            key={id}
            leftSection={<Avatar id={id} name={name} size={20} here={online.includes(id)} />}
            rightSection={conversation.assignee === id && <IconCheck size={14} />}
            onClick={pick(id)}
          >
            <bdi>{name}</bdi>
          </Menu.Item>
        ))}
        {conversation.assignee && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={pick(null)} data-testid="assign-nobody">
              {text.conversation.assignNobody}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

/** Colleagues who have this conversation before them, too. */
function Viewers({ conversation }: { conversation: ConversationView }) {
  const me = useMe()
  const viewers = usePresence((state) => state.viewers[conversation.id])
  const others = (viewers ?? []).filter(({ agent }) => agent !== me.id)
  if (!others.length) return null
  const names = text.conversation.viewing(others.map(({ name }) => name).join(', '))
  return (
    <div className={classes.viewers} role="img" aria-label={names} title={names} data-testid="viewers">
      {others.slice(0, 3).map(({ agent, name }) => (
        <Avatar key={agent} id={agent} name={name} size={24} here />
      ))}
    </div>
  )
}
