import express, { type Request, type Response, type Router } from 'express'
import { Forged, type WebhookRequest } from '../../adapters/adapter.ts'
import { CHANNELS, PROVIDERS, type Provider } from '../../models/channels.ts'
import type { InboxId } from '../../models/ids.ts'
import { Receipt } from '../../models/receipt.ts'
import { notFound, Refusal } from '../errors.ts'
import { readEvents, senderOf } from '../inbound/receipts.ts'
import { INGEST_WITHIN_MS } from '../inbound/sweep.ts'
import type { Parts } from '../parts.ts'

/** Larger than anything a provider documents. */
const MAX_BODY = '1mb'
/** Receipts under way beyond which new webhooks are asked to come again: the queue is the provider's, not our memory. */
const MAX_BACKLOG = 2_000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Every webhook is the same sentence: verify, keep, acknowledge, ingest. 200 is said only once the receipt is durable, so
 * a provider whose webhook we lost will send it again.
 */
export function webhooks(
  parts: Pick<Parts, 'clock' | 'directory' | 'ingest' | 'keeper' | 'log' | 'metrics' | 'publicUrl'>,
): Router {
  const { clock, directory, ingest, keeper, log, metrics } = parts
  const router = express.Router()
  const raw = express.raw({ type: () => true, limit: MAX_BODY })

  async function receive(
    request: Request,
    response: Response,
    provider: Provider,
    inboxId: string,
  ): Promise<void> {
    const open = UUID.test(inboxId) ? await directory.route(inboxId as InboxId, provider) : null
    if (!open) {
      metrics.webhooks.inc({ provider, result: 'unknown_inbox' })
      throw notFound('inbox')
    }
    const webhook = asWebhook(request, parts.publicUrl())
    try {
      open.adapter.verify(webhook, open.credentials)
    } catch (error) {
      if (!(error instanceof Forged)) throw error
      metrics.webhooks.inc({ provider, result: 'forged' })
      log.warn(
        { event: 'webhook.forged', provider, inbox: open.inbox._id, reason: error.message },
        'a webhook without a valid signature was refused',
      )
      throw new Refusal('forged', 'The signature is missing or does not match.')
    }
    if (keeper.backlog + ingest.backlog > MAX_BACKLOG) {
      metrics.webhooks.inc({ provider, result: 'refused' })
      throw new Refusal('unavailable', 'Too much is under way. Send it again in a moment.', { retryAfter: 2 })
    }
    const events = readEvents(() => open.adapter.parse(webhook))
    const at = clock.now()
    const receipt = Receipt.of({
      route: open.route,
      url: webhook.url,
      contentType: webhook.headers['content-type'] ?? '',
      body: webhook.body,
      sender: events === null ? undefined : senderOf(events),
      readable: events !== null,
      at,
      ingestBy: new Date(at.getTime() + INGEST_WITHIN_MS),
    })
    const kept = await keeper.keep(receipt)
    if (!events) {
      metrics.webhooks.inc({ provider, result: 'unreadable' })
      log.warn(
        { event: 'webhook.unreadable', provider, inbox: open.inbox._id, receipt: receipt._id },
        'a webhook could not be read; it is kept',
      )
      throw new Refusal(
        'unreadable_body',
        'The body is not what this provider sends. It was kept for inspection.',
      )
    }
    metrics.webhooks.inc({ provider, result: kept })
    // Empty on purpose: Twilio sends whatever text it is answered with to the customer.
    response.status(200).end()
    if (kept === 'kept') void ingest.accept(receipt, events)
  }

  for (const channel of CHANNELS) {
    const own = PROVIDERS.find((provider) => provider === (channel as string))
    if (own)
      router.post(`/${channel}/webhook/:inbox`, raw, (request, response) =>
        receive(request, response, own, String(request.params.inbox)),
      )
    else
      router.post(`/${channel}/webhook/:provider/:inbox`, raw, (request, response) => {
        const provider = PROVIDERS.find((each) => each === request.params.provider)
        if (!provider) throw notFound('provider')
        return receive(request, response, provider, String(request.params.inbox))
      })
  }
  return router
}

function asWebhook(request: Request, publicUrl: string): WebhookRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  )
  return {
    method: request.method,
    url: publicUrl + request.originalUrl,
    headers,
    body: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
  }
}
