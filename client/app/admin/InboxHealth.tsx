import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { InboxId } from '../../../models/ids.ts'
import type { RouteHealthView } from '../../../server/realtime/protocol.ts'
import { fetchHealth } from '../api/endpoints.ts'
import { plain } from '../design/plain.ts'
import { fullTime } from '../design/time.ts'
import { text } from '../text.ts'
import classes from './Admin.module.css'

/** How an inbox is doing, asked of its providers when the page opens. */
export function InboxHealth({ inbox }: { inbox: InboxId }) {
  const { data } = useQuery({
    queryKey: ['health', inbox],
    queryFn: () => fetchHealth(inbox),
    refetchInterval: 30_000,
  })
  return data?.routes.map((route) => <Route key={route.route} {...route} />)
}

function Route({ account, webhook, lastReceiptAt, lastSentAt, sentToday, errorsToday }: RouteHealthView) {
  const { never } = text.admin
  const failed = errorsToday.reduce((sum, { count }) => sum + count, 0)
  return (
    <ul className={classes.health} data-testid="route-health">
      {account && (
        <Sign trouble={!account.ok}>
          {account.ok
            ? text.admin.account(plain(account.name))
            : text.admin.accountRefused(plain(account.reason))}
        </Sign>
      )}
      <Sign trouble={webhook.state === 'failed'}>
        {text.admin.webhookStates[webhook.state]}
        {webhook.reason && `: ${plain(webhook.reason)}`}
      </Sign>
      <li>{text.admin.lastReceipt(lastReceiptAt ? fullTime(lastReceiptAt) : never)}</li>
      <li>{text.admin.lastSent(lastSentAt ? fullTime(lastSentAt) : never)}</li>
      <li>{text.admin.sentToday(sentToday)}</li>
      {failed > 0 && <Sign trouble>{text.admin.errorsToday(failed)}</Sign>}
      {errorsToday.slice(0, 3).map(({ code, reason, count }) => (
        <li key={code}>{text.admin.errorLine(count, plain(reason), plain(code))}</li>
      ))}
    </ul>
  )
}

const Sign = ({ trouble, children }: { trouble: boolean; children: ReactNode }) => (
  <li className={classes.sign} data-trouble={trouble || undefined}>
    {trouble ? (
      <IconAlertTriangle size={13} aria-hidden="true" />
    ) : (
      <IconCircleCheck size={13} aria-hidden="true" />
    )}
    {children}
  </li>
)
