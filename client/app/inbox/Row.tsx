import { Tooltip } from '@mantine/core'
import { IconAlertCircle, IconHourglassHigh, IconMoon } from '@tabler/icons-react'
import { memo } from 'react'
import { Link } from 'react-router'
import type { AgentId } from '../../../models/ids.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { useDraft } from '../conversation/drafts.ts'
import { Avatar } from '../design/Avatar.tsx'
import { ChannelIcon } from '../design/ChannelIcon.tsx'
import { nameOf, plain } from '../design/plain.ts'
import { ago, span, useNow, when } from '../design/time.ts'
import { usePresence } from '../live/presence.ts'
import { useLive } from '../live/store.ts'
import { useAgent, useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import classes from './Row.module.css'
import { unreadOf } from './views.ts'

const LONG_WAIT_MS = 15 * 60_000

interface Props {
  conversation: ConversationView
  path: string
  chosen: boolean
}

export const Row = memo(function Row({ conversation, path, chosen }: Props) {
  const { id, contact, channel, lastActivityAt } = conversation
  const now = useNow()
  const unread = useLive((state) => unreadOf(conversation, state.readings))
  const name = nameOf(contact)
  return (
    <div className={classes.item}>
      <Link
        to={path}
        className={classes.row}
        aria-current={chosen ? 'true' : undefined}
        data-unread={unread > 0 || undefined}
        data-testid="conversation-row"
        data-conversation-id={id}
      >
        <span className={classes.face}>
          <Avatar id={contact.id} name={name} size={36} />
          <span className={classes.channel} data-channel={channel}>
            <ChannelIcon channel={channel} size={11} />
          </span>
        </span>
        <span className={classes.body}>
          <span className={classes.line}>
            <span className={classes.name}>
              <bdi>{name}</bdi>
            </span>
            <time className={classes.time} dateTime={lastActivityAt} title={when(lastActivityAt, now)}>
              {ago(lastActivityAt, now)}
            </time>
          </span>
          <span className={classes.line}>
            <Preview conversation={conversation} />
            {unread > 0 && (
              <span
                className={classes.unread}
                data-testid="unread-badge"
                role="img"
                aria-label={text.list.unread(unread)}
              >
                {unread > 99 ? '99+' : unread}
              </span>
            )}
          </span>
          <Marks conversation={conversation} now={now} />
        </span>
      </Link>
    </div>
  )
})

function Preview({ conversation }: { conversation: ConversationView }) {
  const { id, lastMessage } = conversation
  const { id: me } = useMe()
  const draft = useDraft(id)
  const writing = usePresence(({ typing }) =>
    typing.some((mark) => mark.conversation === id && mark.by.kind === 'contact'),
  )
  const unsent = useLive(({ pending }) =>
    pending.some((message) => message.conversation === id && message.state !== 'sending'),
  )
  if (writing) return <span className={`${classes.preview} ${classes.writing}`}>{text.list.typing}</span>
  if (unsent)
    return (
      <span className={`${classes.preview} ${classes.unsent}`}>
        <IconAlertCircle size={13} /> {text.list.notSent}
      </span>
    )
  if (draft.reply)
    return (
      <span className={classes.preview}>
        <span className={classes.draft}>{text.list.draft}</span>
        <bdi>{draft.reply}</bdi>
      </span>
    )
  if (!lastMessage) return <span className={classes.preview}>{text.list.noMessages}</span>
  return (
    <span className={classes.preview}>
      {lastMessage.note
        ? text.list.note
        : lastMessage.direction === 'outbound'
          ? said(lastMessage.author, me)
          : ''}
      <bdi>{plain(lastMessage.preview)}</bdi>
    </span>
  )
}

const said = (author: { id: string; name: string }, me: AgentId): string =>
  author.id === me ? text.list.you : text.list.colleague(author.name)

function Marks({ conversation, now }: { conversation: ConversationView; now: number }) {
  const { waitingSince, snoozedUntil, status, labels, assignee } = conversation
  const agent = useAgent(assignee)
  const waited = waitingSince ? now - Date.parse(waitingSince) : 0
  return (
    <span className={classes.marks}>
      {waitingSince && status === 'open' && (
        <span
          className={classes.waiting}
          data-long={waited > LONG_WAIT_MS || undefined}
          title={text.list.waitingLong(span(waited))}
        >
          <IconHourglassHigh size={11} aria-hidden="true" /> {text.list.waiting(span(waited))}
        </span>
      )}
      {status === 'snoozed' && snoozedUntil && (
        <span className={classes.snoozed}>
          <IconMoon size={11} aria-hidden="true" /> {text.list.snoozedUntil(when(snoozedUntil, now))}
        </span>
      )}
      {labels.slice(0, 2).map((label) => (
        <bdi key={label} className={classes.label}>
          {label}
        </bdi>
      ))}
      {labels.length > 2 && <span className={classes.label}>+{labels.length - 2}</span>}
      {agent && (
        <Tooltip label={text.list.assignedTo(agent.name)}>
          <span className={classes.assignee} role="img" aria-label={text.list.assignedTo(agent.name)}>
            <Avatar id={agent.id} name={agent.name} size={17} round={false} />
          </span>
        </Tooltip>
      )}
    </span>
  )
}
