import type { InboxId } from '../../../models/ids.ts'
import type { AttemptView, DeliveryView, InboxView, MessageView } from '../../../server/realtime/protocol.ts'
import { exactTime } from '../design/time.ts'
import { useInbox } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import classes from './DeliveryDetails.module.css'

interface Props {
  message: MessageView
  delivery: DeliveryView
  inbox: InboxId
}

/** The whole way of one message: each step's time, who carried it and why, and every try with its answer. */
export default function DeliveryDetails({ message, delivery, inbox: id }: Props) {
  const inbox = useInbox(id)
  const route = inbox?.routes.find((candidate) => candidate.id === delivery.route)
  return (
    <div className={classes.details}>
      <h2>{text.delivery.heading}</h2>
      <ol className={classes.ladder}>
        {stepsOf(message, delivery, inbox).map(({ name, at, silent, trouble }) => (
          <li key={name} data-done={at !== undefined || undefined} data-trouble={trouble || undefined}>
            <span>{name}</span>
            <span>
              {at ? exactTime(at) : silent ? text.delivery.notTold : trouble ? '' : text.delivery.notYet}
            </span>
          </li>
        ))}
      </ol>
      {delivery.retryAt && (
        <p className={classes.reason}>{text.delivery.retryAt(exactTime(delivery.retryAt))}</p>
      )}
      {route && (
        <p className={classes.route}>
          <span>{text.delivery.route}</span>
          <bdi>
            {route.provider} · {route.sender}
          </bdi>
        </p>
      )}
      {delivery.reason && <p className={classes.reason}>{delivery.reason}</p>}
      {delivery.attempts.length > 0 && (
        <>
          <h2>{text.delivery.attempts}</h2>
          <ol className={classes.attempts}>
            {delivery.attempts.map((attempt) => (
              <Attempt key={attempt.key} attempt={attempt} />
            ))}
          </ol>
        </>
      )}
    </div>
  )
}

interface Step {
  name: string
  at: string | undefined
  /** The channel never says. */
  silent?: boolean
  trouble?: boolean
}

function stepsOf(message: MessageView, delivery: DeliveryView, inbox: InboxView | undefined): Step[] {
  const { states } = text.delivery
  const steps: Step[] = [
    { name: text.delivery.written, at: message.createdAt },
    { name: states.sent ?? '', at: delivery.sentAt },
  ]
  if (delivery.state === 'failed' || delivery.state === 'uncertain')
    return [...steps, { name: states[delivery.state] ?? '', at: undefined, trouble: true }]
  const receipts = inbox?.capabilities.receipts ?? { delivered: true, read: true }
  return [
    ...steps,
    { name: states.delivered ?? '', at: delivery.deliveredAt, silent: !receipts.delivered },
    { name: states.read ?? '', at: delivery.readAt, silent: !receipts.read },
  ]
}

const Attempt = ({ attempt }: { attempt: AttemptView }) => (
  <li data-outcome={attempt.outcome}>
    <p>
      <bdi>{attempt.provider}</bdi>
      <span>{text.delivery.outcomes[attempt.outcome] ?? attempt.outcome}</span>
      <time dateTime={attempt.startedAt}>{exactTime(attempt.startedAt)}</time>
    </p>
    <p className={classes.words}>
      {[
        attempt.tookMs === undefined ? '' : text.delivery.took(attempt.tookMs),
        attempt.code ?? '',
        attempt.reason ?? '',
      ]
        .filter(Boolean)
        .join(' · ')}
    </p>
  </li>
)
