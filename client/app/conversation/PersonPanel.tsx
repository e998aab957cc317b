import { CloseButton, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { Avatar } from '../design/Avatar.tsx'
import { ChannelIcon, channelName } from '../design/ChannelIcon.tsx'
import { nameOf, plain } from '../design/plain.ts'
import { fullDay, fullTime, span, useNow } from '../design/time.ts'
import { toggleDetails } from '../design/ui.ts'
import { useInbox } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { label } from './actions.ts'
import { Person } from './Person.tsx'
import classes from './PersonPanel.module.css'

export function PersonPanel({ conversation }: { conversation: ConversationView }) {
  const { contact, channel, status, waitingSince, createdAt, inbound } = conversation
  const inbox = useInbox(conversation.inbox)
  const now = useNow()
  const name = nameOf(contact)
  const address = plain(contact.address)
  return (
    <aside className={classes.panel} aria-label={text.person.heading} data-testid="person-panel">
      <CloseButton
        className={classes.close}
        aria-label={text.conversation.hideDetails}
        onClick={toggleDetails}
      />
      <div className={classes.face}>
        <Avatar id={contact.id} name={name} size={56} />
        <bdi className={classes.name}>{name}</bdi>
        {name !== address && <bdi className={classes.address}>{address}</bdi>}
      </div>
      <dl className={classes.facts}>
        <Fact name={text.person.channel}>
          <ChannelIcon channel={channel} size={13} /> {channelName(channel)}
        </Fact>
        <Fact name={text.person.inbox}>
          <bdi>{inbox?.name}</bdi>
        </Fact>
        <Fact name={text.person.status}>{text.status[status]}</Fact>
        {waitingSince && <Fact name={text.person.waiting}>{span(now - Date.parse(waitingSince))}</Fact>}
        <Fact name={text.person.messages}>{inbound}</Fact>
        <Fact name={text.person.since}>
          <time dateTime={createdAt} title={fullTime(createdAt)}>
            {fullDay(createdAt)}
          </time>
        </Fact>
        {!contact.reachable && <Fact name={text.person.reachable}>{text.person.notReachable}</Fact>}
      </dl>
      <Labels conversation={conversation} />
      <Person conversation={conversation} />
    </aside>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

function Labels({ conversation }: { conversation: ConversationView }) {
  const { id, labels } = conversation
  const [typed, setTyped] = useState('')
  const add = () => {
    const name = typed.trim()
    if (name && !labels.includes(name)) void label(id, [...labels, name])
    setTyped('')
  }
  return (
    <section className={classes.labels}>
      <h2>{text.person.labels}</h2>
      <ul>
        {labels.map((name) => (
          <li key={name}>
            <bdi>{name}</bdi>
            <button
              type="button"
              aria-label={text.person.removeLabel(name)}
              onClick={() =>
                void label(
                  id,
                  labels.filter((other) => other !== name),
                )
              }
            >
              <IconX size={11} />
            </button>
          </li>
        ))}
      </ul>
      <TextInput
        size="xs"
        placeholder={text.person.addLabel}
        aria-label={text.person.addLabel}
        value={typed}
        maxLength={40}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && add()}
        onBlur={add}
        data-testid="label-input"
      />
    </section>
  )
}
