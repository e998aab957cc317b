import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { answersChallenge, Forged, namesReceivers, type WebhookRequest } from '../../adapters/adapter.ts'
import { adapters } from '../../adapters/registry.ts'
import { type Channel, PROVIDERS, type Provider } from '../../models/channels.ts'
import type { InboxId } from '../../models/ids.ts'
import type { InboxDoc } from '../../models/inbox.ts'
import { Receipt } from '../../models/receipt.ts'
import type { OpenRoute } from '../directory.ts'
import { notFound, Refusal } from '../errors.ts'
import { readEvents, senderOf } from '../inbound/receipts.ts'
import { INGEST_WITHIN_MS } from '../inbound/sweep.ts'
import type { Parts } from '../parts.ts'
import { ownProvider } from '../providers.ts'

/** Larger than anything a provider documents: Meta promises no more than 3 MB. */
const MAX_BODY = '3mb'
/** Receipts under way beyond which new webhooks are asked to come again: the queue is the provider's, not our memory. */
const MAX_BACKLOG = 2_000
/** Numbers that one request may tell of. */
const MAX_RECEIVERS = 50
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

type Route = OpenRoute & { inbox: InboxDoc }

/**
 * Every webhook is the same sentence: verify, keep, acknowledge, ingest. 200 is said only once the receipt is durable, so
 * a provider whose webhook we lost will send it again.
 *
 * An address names its inbox, or is the short one of a provider and finds the inboxes by the numbers it is told of.
 */
export function webhooks(
  parts: Pick<
    Parts,
    'clock' | 'directory' | 'ingest' | 'keeper' | 'log' | 'metrics' | 'publicUrl' | 'routeHealth'
  >,
): Router {
  const { clock, directory, ingest, keeper, log, metrics, routeHealth } = parts
  const router = express.Router()
  const raw = express.raw({ type: () => true, limit: MAX_BODY })

  /** The routes a request is for; none where nobody here is meant. */
  async function meant(
    webhook: WebhookRequest,
    channel: Channel,
    provider: Provider,
    inboxId: string | undefined,
  ): Promise<Route[]> {
    if (inboxId !== undefined) {
      const route = UUID.test(inboxId) ? await directory.route(inboxId as InboxId, provider) : null
      return route?.inbox.channel === channel ? [route] : []
    }
    const adapter = adapters().find((each) => each.provider === provider && each.channel === channel)
    if (!adapter || !namesReceivers(adapter)) return []
    const senders = [...new Set(adapter.receiversOf(webhook))].slice(0, MAX_RECEIVERS)
    const found = await Promise.all(
      senders.map((sender) => directory.routesOfSender(provider, channel, sender)),
    )
    return found.flat()
  }

  /** Those that the request proves itself to. A number we do not have, or with another secret, is somebody else's. */
  function proven(webhook: WebhookRequest, routes: Route[]): Route[] {
    let forged: Forged | undefined
    const ours = routes.filter((open) => {
      try {
        open.adapter.verify(webhook, open.credentials)
        return true
      } catch (error) {
        if (!(error instanceof Forged)) throw error
        forged = error
        metrics.webhooks.inc({ provider: open.route.provider, result: 'forged' })
        log.warn(
          {
            event: 'webhook.forged',
            provider: open.route.provider,
            inbox: open.inbox._id,
            reason: error.message,
          },
          'a webhook without a valid signature was refused',
        )
        return false
      }
    })
    if (ours.length === 0 && forged)
      throw new Refusal('forged', 'The signature is missing or does not match.')
    return ours
  }

  async function receive(
    request: Request,
    response: Response,
    channel: Channel,
    provider: Provider,
    inboxId: string | undefined,
  ): Promise<void> {
    const webhook = asWebhook(request, parts.publicUrl())
    const routes = await meant(webhook, channel, provider, inboxId)
    if (routes.length === 0) {
      metrics.webhooks.inc({ provider, result: 'unknown_inbox' })
      throw notFound('inbox')
    }
    const ours = proven(webhook, routes)
    if (keeper.backlog + ingest.backlog > MAX_BACKLOG) {
      metrics.webhooks.inc({ provider, result: 'refused' })
      throw new Refusal('unavailable', 'Too much is under way. Send it again in a moment.', { retryAfter: 2 })
    }
    const kept = await Promise.all(ours.map((open) => keep(webhook, open)))
    if (kept.every(({ events }) => events === null))
      throw new Refusal(
        'unreadable_body',
        'The body is not what this provider sends. It was kept for inspection.',
      )
    // Empty on purpose: Twilio sends whatever text it is answered with to the customer.
    response.status(200).end()
    for (const { receipt, events, result } of kept)
      if (events && result === 'kept') void ingest.accept(receipt, events)
  }

  async function keep(webhook: WebhookRequest, open: Route) {
    const { provider } = open.route
    const events = readEvents(() => open.adapter.parse(webhook, open.route.sender))
    const at = clock.now()
    const receipt = Receipt.of({
      route: open.route,
      method: webhook.method,
      url: webhook.url,
      contentType: webhook.headers['content-type'] ?? '',
      body: webhook.body,
      sender: events === null ? undefined : senderOf(events),
      readable: events !== null,
      at,
      ingestBy: new Date(at.getTime() + INGEST_WITHIN_MS),
    })
    const result = await keeper.keep(receipt)
    routeHealth.received(open.route)
    metrics.webhooks.inc({ provider, result: events ? result : 'unreadable' })
    if (!events)
      log.warn(
        { event: 'webhook.unreadable', provider, inbox: open.inbox._id, receipt: receipt._id },
        'a webhook could not be read; it is kept',
      )
    return { receipt, events, result }
  }

  /** A provider asks whether the address is ours, before it posts there. */
  async function challenged(
    request: Request,
    response: Response,
    channel: Channel,
    provider: Provider,
    inboxId: string | undefined,
  ): Promise<void> {
    const webhook = asWebhook(request, parts.publicUrl())
    const routes =
      inboxId === undefined
        ? await directory.routesOf(provider, channel)
        : await meant(webhook, channel, provider, inboxId)
    for (const { adapter, credentials } of routes) {
      if (!answersChallenge(adapter)) continue
      try {
        response.type('text/plain').send(adapter.challenge(webhook, credentials))
        return
      } catch (error) {
        if (!(error instanceof Forged)) throw error
      }
    }
    throw routes.length === 0 ? notFound('inbox') : new Refusal('forged', 'The verify token does not match.')
  }

  for (const { channel, provider, ...adapter } of adapters()) {
    const base = `/${channel}/webhook`
    const paths =
      provider === ownProvider(channel)
        ? [base, `${base}/:inbox`, `${base}/${provider}`, `${base}/${provider}/:inbox`]
        : [`${base}/${provider}`, `${base}/${provider}/:inbox`]
    const onGet = 'challenge' in adapter ? challenged : receive
    for (const path of paths) {
      const named =
        (handle: typeof receive) => (request: Request, response: Response, next: NextFunction) => {
          const inbox = 'inbox' in request.params ? String(request.params.inbox) : undefined
          // No inbox is called `infobip`: that is another provider's short address.
          if (inbox !== undefined && isProvider(inbox)) return next('route')
          return handle(request, response, channel, provider, inbox)
        }
      router.post(path, raw, named(receive))
      router.get(path, named(onGet))
    }
  }
  return router
}

const isProvider = (text: string): boolean => PROVIDERS.some((provider) => provider === text)

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
