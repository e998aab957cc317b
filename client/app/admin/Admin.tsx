import { Button, Tooltip } from '@mantine/core'
import { IconCopy, IconInbox, IconPlus } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import type { InboxView } from '../../../server/realtime/protocol.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { Avatar } from '../design/Avatar.tsx'
import { BackLink } from '../design/BackLink.tsx'
import { Blank } from '../design/Blank.tsx'
import { ChannelIcon, channelName } from '../design/ChannelIcon.tsx'
import { copyText } from '../design/copy.ts'
import { setUi } from '../design/ui.ts'
import { ConnectionBanner } from '../inbox/ConnectionBanner.tsx'
import { useTitle } from '../inbox/use-title.ts'
import { ViewsNav } from '../inbox/ViewsNav.tsx'
import { usePresence } from '../live/presence.ts'
import { useAgents, useInboxes, useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { AddAgent } from './AddAgent.tsx'
import { AddInbox } from './AddInbox.tsx'
import classes from './Admin.module.css'
import { ApiKeys } from './ApiKeys.tsx'
import { InboxHealth } from './InboxHealth.tsx'

export default function Admin() {
  const me = useMe()
  useTitle()
  useEffect(() => setUi({ order: [] }), [])
  return (
    <div className={classes.page}>
      <ConnectionBanner />
      <ViewsNav view={null} />
      <main className={classes.main} data-testid="admin">
        <header className={classes.header}>
          <BackLink className={classes.back} to="/mine" />
          <div>
            <h1>{text.admin.heading}</h1>
            <p>{text.admin.lead}</p>
          </div>
        </header>
        {me.role === 'admin' ? (
          <>
            <Inboxes />
            <Agents />
            <ApiKeys />
          </>
        ) : (
          <Blank title={text.admin.forbidden} />
        )}
      </main>
    </div>
  )
}

function Inboxes() {
  const { inboxes, loaded } = useInboxes()
  const [adding, setAdding] = useState(false)
  return (
    <section className={classes.section} aria-labelledby="inboxes">
      <div className={classes.sectionHead}>
        <h2 id="inboxes">{text.admin.inboxes}</h2>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => setAdding(true)}
          data-testid="add-inbox"
        >
          {text.admin.addInbox}
        </Button>
      </div>
      {loaded && !inboxes.length && (
        <Blank title={text.admin.noInboxes} lead={text.admin.noInboxesLead} icon={<IconInbox size={24} />} />
      )}
      <ul className={classes.cards}>
        {inboxes.map((inbox) => (
          <InboxCard key={inbox.id} inbox={inbox} />
        ))}
      </ul>
      <AddInbox opened={adding} close={() => setAdding(false)} />
    </section>
  )
}

const InboxCard = ({ inbox: { id, name, channel, routes } }: { inbox: InboxView }) => (
  <li className={classes.card} data-testid="inbox-card">
    <span className={classes.kind}>
      <ChannelIcon channel={channel} size={20} />
    </span>
    <div className={classes.about}>
      <bdi className={classes.name}>{name}</bdi>
      <span className={classes.faint}>{channelName(channel)}</span>
      {routes.map((route) => (
        <div key={route.id} className={classes.route}>
          <span>
            {text.admin.provider}: <b>{route.provider}</b> · {text.admin.sender}: <bdi>{route.sender}</bdi>
          </span>
          <Tooltip label={text.admin.webhookHint} multiline w={260}>
            <code>{route.webhookUrl}</code>
          </Tooltip>
          <ActionIcon
            size="sm"
            label={text.admin.copyWebhook(name)}
            icon={<IconCopy size={14} />}
            onClick={() => copyText(route.webhookUrl)}
            data-testid="copy-webhook"
          />
        </div>
      ))}
      <InboxHealth inbox={id} />
    </div>
  </li>
)

function Agents() {
  const agents = useAgents()
  const online = usePresence((state) => state.online)
  const [adding, setAdding] = useState(false)
  return (
    <section className={classes.section} aria-labelledby="agents">
      <div className={classes.sectionHead}>
        <h2 id="agents">{text.admin.agents}</h2>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => setAdding(true)}
          data-testid="add-agent"
        >
          {text.admin.addAgent}
        </Button>
      </div>
      <ul className={classes.cards}>
        {agents.map(({ id, name, email, role }) => (
          <li key={id} className={classes.person} data-testid="agent-row">
            <Avatar id={id} name={name} size={32} here={online.includes(id)} />
            <div className={classes.about}>
              <bdi className={classes.name}>{name}</bdi>
              <bdi className={classes.faint}>{email}</bdi>
            </div>
            {online.includes(id) && <span className={classes.here}>{text.admin.online}</span>}
            <span className={classes.role}>{text.admin.roles[role]}</span>
          </li>
        ))}
      </ul>
      <AddAgent opened={adding} close={() => setAdding(false)} />
    </section>
  )
}
