import { IconBrandMeta, IconBrandTelegram, IconMessageCircle2Filled } from '@tabler/icons-react'
import type { SandboxProvider, WebhookView } from '../../../server/sandbox/protocol.ts'
import { exactTimeOf } from '../format.ts'

const ICONS: Record<SandboxProvider, React.ReactNode> = {
  telegram: <IconBrandTelegram size={16} aria-label="Telegram" />,
  twilio: <IconMessageCircle2Filled size={16} aria-label="Twilio" />,
  meta: <IconBrandMeta size={16} aria-label="Meta" />,
}

/** The last requests that the providers made to the product, and what it answered. */
export function Webhooks({ webhooks }: { webhooks: WebhookView[] }) {
  return (
    <section className="card webhooks" aria-labelledby="webhooks-title">
      <div className="card-title">
        <h2 id="webhooks-title">What the provider sent</h2>
      </div>
      {webhooks.length === 0 ? (
        <p className="card-lead">Nothing yet. Write something on the phone.</p>
      ) : (
        <ol>
          {webhooks.map((webhook) => (
            <Webhook key={webhook.id} webhook={webhook} />
          ))}
        </ol>
      )}
    </section>
  )
}

function Webhook({
  webhook: { provider, what, path, at, answer, attempt, tookMs },
}: {
  webhook: WebhookView
}) {
  const taken = typeof answer === 'number' && answer < 300
  return (
    <li className="webhook" title={path}>
      {ICONS[provider]}
      <span className="webhook-what">
        {what.replaceAll('_', ' ')}
        {attempt > 1 && <small> · try {attempt}</small>}
      </span>
      <span className="webhook-time">
        {exactTimeOf(at)} · {tookMs} ms
      </span>
      <span className="answer" data-taken={taken}>
        {typeof answer === 'number' ? answer : answer.replaceAll('_', ' ')}
      </span>
    </li>
  )
}
