import { Tooltip } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { memo } from 'react'
import type { MessageId } from '../../../models/ids.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { Avatar } from '../design/Avatar.tsx'
import { plain } from '../design/plain.ts'
import { clockTime, fullTime } from '../design/time.ts'
import { useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import contentClasses from './ContentView.module.css'
import { ContentView } from './ContentView.tsx'
import { DeliveryMark } from './DeliveryMark.tsx'
import { DeliveryTrouble } from './DeliveryTrouble.tsx'
import { History } from './History.tsx'
import type { Line } from './lines.ts'
import { MessageActions } from './MessageActions.tsx'
import { PendingTrouble } from './PendingTrouble.tsx'
import { Quote } from './Quote.tsx'
import { Reactions } from './Reactions.tsx'
import classes from './Turn.module.css'

interface Props {
  line: Line
  conversation: ConversationView
  glowing: boolean
  onJump: (message: MessageId) => void
}

/** One message: who, what, when, and how far it got. */
export const Turn = memo(function Turn({ line, conversation, glowing, onJump }: Props) {
  const { message, pending, first, last } = line
  const me = useMe()
  const { author, content, note, delivery, direction } = message
  const mine = author.kind === 'agent' && author.id === me.id
  const theirs = direction === 'inbound'
  const named = first && (note || (!theirs && !mine))
  const name = mine ? text.message.you : plain(author.name)
  const state = pending ? (pending.state === 'sending' ? 'echo' : pending.state) : delivery?.state
  const bare = content.type === 'sticker'
  return (
    <div className={classes.turn} data-side={theirs ? 'theirs' : 'ours'} data-glow={glowing || undefined}>
      <div className={classes.gutter}>
        {theirs && last && (
          <Avatar id={author.id} name={author.name || conversation.contact.address} size={28} />
        )}
      </div>
      <div className={classes.column}>
        {named && (
          <div className={classes.author}>
            {note && <IconLock size={11} aria-hidden="true" />}
            {note ? `${text.message.note} · ` : ''}
            <bdi>{name}</bdi>
          </div>
        )}
        <div className={classes.held}>
          <article
            className={classes.bubble}
            data-note={note || undefined}
            data-bare={bare || undefined}
            data-last={last || undefined}
            data-echo={pending?.state === 'sending' || undefined}
            data-trouble={state === 'failed' || state === 'refused' || state === 'unsent' || undefined}
            aria-label={text.message.from(name, fullTime(message.createdAt))}
            data-testid="message"
            data-message-id={message.id}
            data-client-id={message.clientId}
            data-direction={direction}
            data-delivery-state={state}
          >
            {message.replyTo && (
              <Quote message={message.replyTo} conversation={conversation} onJump={onJump} />
            )}
            {message.deletedAt && (
              <div className={contentClasses.deleted} data-testid="deleted">
                {text.message.deleted}
              </div>
            )}
            <ContentView content={content} />
            <span className={classes.meta}>
              {message.edits.length > 0 && <History message={message} />}
              <Tooltip label={fullTime(message.createdAt)}>
                <time dateTime={message.createdAt}>{clockTime(message.createdAt)}</time>
              </Tooltip>
              {!theirs && !note && <DeliveryMark line={line} conversation={conversation} />}
            </span>
          </article>
          {!pending && <MessageActions message={message} conversation={conversation} mine={mine} />}
        </div>
        <Reactions message={message} />
        {pending && pending.state !== 'sending' && <PendingTrouble pending={pending} />}
        {delivery && <DeliveryTrouble message={message} delivery={delivery} />}
      </div>
    </div>
  )
})
