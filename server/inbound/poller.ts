import { polls, type WebhookRequest } from '../../adapters/adapter.ts'
import type { RouteId } from '../../models/ids.ts'
import { Receipt } from '../../models/receipt.ts'
import { Route } from '../../models/route.ts'
import type { Clock } from '../clock.ts'
import type { Directory, OpenRoute } from '../directory.ts'
import type { Log } from '../log.ts'
import type { Providers } from '../providers.ts'
import type { Ingest } from './ingest.ts'
import { type ReceiptKeeper, readEvents, senderOf } from './receipts.ts'
import { INGEST_WITHIN_MS } from './sweep.ts'

interface Parts {
  clock: Clock
  log: Log
  directory: Directory
  providers: Providers
  keeper: ReceiptKeeper
  ingest: Ingest
}

const AFTER_ERROR_MS = 5_000
const LOOK_FOR_ROUTES_MS = 15_000

/**
 * For hosts nobody outside can reach: asks the providers that can be asked for what is new. What comes walks the same way
 * as a webhook, and the provider is told that we have it only after it was kept.
 */
export class Poller {
  readonly #parts: Parts
  readonly #ends = new AbortController()
  readonly #running = new Map<RouteId, Promise<void>>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  start(): void {
    void this.#watch()
  }

  async stop(): Promise<void> {
    this.#ends.abort()
    await Promise.race([Promise.all(this.#running.values()), this.#parts.clock.sleep(2_000)])
  }

  async #watch(): Promise<void> {
    const { clock, directory, log, providers } = this.#parts
    while (!this.#ends.signal.aborted) {
      try {
        for (const { routes } of await directory.all()) {
          for (const open of routes) {
            const { _id } = open.route
            if (!polls(open.adapter) || providers.canCallUs(open) || this.#running.has(_id)) continue
            this.#running.set(
              _id,
              this.#poll(open).finally(() => this.#running.delete(_id)),
            )
          }
        }
      } catch (error) {
        log.warn({ event: 'poll.routes_failed', error }, 'could not look for routes to poll')
      }
      await clock.sleep(LOOK_FOR_ROUTES_MS, this.#ends.signal)
    }
  }

  async #poll(open: OpenRoute): Promise<void> {
    const { clock, log, providers } = this.#parts
    const { signal } = this.#ends
    let position = open.route.position
    while (!signal.aborted && polls(open.adapter)) {
      try {
        const answer = await open.adapter.poll(position, providers.call(open), signal)
        for (const update of answer.updates) await this.#keep(open, update)
        if (answer.position !== undefined && answer.position !== position) {
          position = answer.position
          await Route.updateOne(
            { workspace: open.route.workspace, _id: open.route._id },
            { $set: { position } },
          )
        }
      } catch (error) {
        if (signal.aborted) return
        log.warn(
          { event: 'poll.failed', provider: open.route.provider, route: open.route._id, error },
          'the provider could not be asked for news',
        )
        await clock.sleep(AFTER_ERROR_MS, signal)
      }
    }
  }

  async #keep(open: OpenRoute, update: Uint8Array): Promise<void> {
    const { clock, ingest, keeper, log, providers } = this.#parts
    const request: WebhookRequest = {
      method: 'POST',
      url: providers.webhookUrl(open),
      headers: { 'content-type': 'application/json' },
      body: update,
    }
    const events = readEvents(() => open.adapter.parse(request))
    const at = clock.now()
    const receipt = Receipt.of({
      route: open.route,
      method: request.method,
      url: request.url,
      contentType: 'application/json',
      body: update,
      sender: events === null ? undefined : senderOf(events),
      readable: events !== null,
      at,
      ingestBy: new Date(at.getTime() + INGEST_WITHIN_MS),
    })
    const kept = await keeper.keep(receipt)
    // What cannot be read is kept for inspection, and does not stand in the way of what comes behind it.
    if (!events)
      log.warn(
        { event: 'poll.unreadable', provider: open.route.provider, receipt: receipt._id },
        'an update could not be read; it is kept',
      )
    else if (kept === 'kept') await ingest.accept(receipt, events)
  }
}
