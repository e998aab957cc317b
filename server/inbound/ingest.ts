import type { Adapter, WebhookRequest } from '../../adapters/adapter.ts'
import type { ProviderEvent } from '../../adapters/events.ts'
import { Batcher } from '../../models/batcher.ts'
import type { Change } from '../../models/conversation.ts'
import type { AttemptKey, ProviderMessageId, ReceiptId } from '../../models/ids.ts'
import * as inbound from '../../models/inbound.ts'
import type { InboxDoc } from '../../models/inbox.ts'
import { byAttemptKey, bySentId, climb, type OutboundDoc } from '../../models/outbox.ts'
import { Receipt, type ReceiptDoc } from '../../models/receipt.ts'
import type { Clock } from '../clock.ts'
import type { Directory } from '../directory.ts'
import { Lanes } from '../lanes.ts'
import type { Log } from '../log.ts'
import type { MediaFetcher } from '../media/fetch.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Broadcasts } from '../realtime/broadcasts.ts'
import type { Courtesies } from './courtesies.ts'
import type { Introductions } from './introductions.ts'
import { bodyOf, readEvents } from './receipts.ts'

interface Parts {
  clock: Clock
  log: Log
  directory: Directory
  broadcasts: Broadcasts
  media: Pick<MediaFetcher, 'wanted'>
  courtesies: Pick<Courtesies, 'acknowledge' | 'decline'>
  introductions: Pick<Introductions, 'of'>
  metrics: Metrics
}

/** A receipt as the webhook endpoint has it at hand, read already. */
export type FreshReceipt = Pick<
  ReceiptDoc,
  '_id' | 'workspace' | 'inbox' | 'route' | 'provider' | 'sender' | 'receivedAt'
> & { tries: number }

/** How long a receipt that speaks of an unknown message waits for it, in tries of the sweep with growing pauses. */
const PARKED_TRIES = 12
const MAX_WAITING = 10_000
const parkedForMs = (tries: number): number => Math.min(2_000 * 2 ** tries, 60 * 60_000)

/**
 * Makes events of receipts, and changes of events. Whatever happens in between, a receipt is ingested at least once, and
 * ingesting again changes nothing. One sender's receipts are ingested one at a time, in the order they came.
 */
export class Ingest {
  readonly #parts: Parts
  readonly #lanes = new Lanes()
  /** Ingested here, and not marked so in the database yet. */
  readonly #settling = new Set<ReceiptId>()
  readonly #settled = new Batcher<ReceiptId, void>(
    async (ids) => {
      await Receipt.settle(ids, 'ingested')
      for (const id of ids) this.#settling.delete(id)
      return ids.map(() => undefined)
    },
    { lanes: 1 },
  )
  /** Receipts of this node that wait for a message, by what they call it. */
  readonly #waiting = new Map<string, Set<ReceiptId>>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Ingests a receipt just kept, after what its sender sent before. Never throws: what fails now, the sweep repeats. */
  accept(receipt: FreshReceipt, events: ProviderEvent[]): Promise<void> {
    return this.#lanes.run(laneOf(receipt), async () => {
      try {
        if (receipt.sender !== undefined) await this.#earlier(receipt)
        await this.#ingest(receipt, events)
      } catch (error) {
        this.#parts.log.warn(
          { event: 'ingest.failed', receipt: receipt._id, provider: receipt.provider, error },
          'a receipt waits to be ingested again',
        )
      }
    })
  }

  /** Ingests a receipt from the store: left by a dead node, or parked. */
  again(receipt: ReceiptDoc): Promise<void> {
    return this.#lanes.run(laneOf(receipt), async () => {
      try {
        if (receipt.sender !== undefined) await this.#earlier(receipt)
        await this.#replay(receipt)
      } catch (error) {
        this.#parts.log.warn(
          { event: 'ingest.failed', receipt: receipt._id, provider: receipt.provider, error },
          'a receipt waits to be ingested again',
        )
      }
    })
  }

  /** A provider's name for a message became known: what waited for it need wait no longer. */
  arrived(providerId: ProviderMessageId): void {
    const waiting = this.#waiting.get(providerId)
    if (!waiting) return
    this.#waiting.delete(providerId)
    void Receipt.find({ _id: { $in: [...waiting] }, pending: true }, null, {
      acrossWorkspaces: 'our own parked receipts',
    })
      .lean<ReceiptDoc[]>()
      .then((receipts) => Promise.all(receipts.map((receipt) => this.again(receipt))))
      .catch(() => {}) // the sweep comes by
  }

  /** Senders whose receipts are being ingested or wait for it. */
  get backlog(): number {
    return this.#lanes.busy
  }

  idle(): Promise<void> {
    return this.#lanes.idle()
  }

  /** What the same sender sent before and another node, or we in a former life, did not ingest. */
  async #earlier(receipt: FreshReceipt): Promise<void> {
    for (const earlier of await Receipt.earlierOf(receipt)) {
      if (!this.#settling.has(earlier._id)) await this.#replay(earlier)
    }
  }

  async #replay(receipt: ReceiptDoc): Promise<void> {
    const open = await this.#parts.directory.routeById(receipt.inbox, receipt.route)
    if (!open) {
      await Receipt.settle([receipt._id], 'orphaned')
      return
    }
    const events = read(open.adapter, receipt, open.route.sender)
    if (events) await this.#ingest(receipt, events)
    else await Receipt.settle([receipt._id], 'unreadable')
  }

  async #ingest(receipt: FreshReceipt, events: ProviderEvent[]): Promise<void> {
    const open = await this.#parts.directory.inbox(receipt.inbox)
    if (!open) return
    let missing: string | null = null
    for (const event of events) missing = (await this.#take(open.inbox, receipt, event)) ?? missing
    if (missing === null) {
      this.#settling.add(receipt._id)
      void this.#settled.add(receipt._id).catch(() => this.#settling.delete(receipt._id))
      return
    }
    await this.#park(receipt, missing)
  }

  /** Does what one event asks. Answers with the provider's name of a message that is not here yet, if it needs one. */
  async #take(inbox: InboxDoc, receipt: FreshReceipt, event: ProviderEvent): Promise<string | null> {
    const { broadcasts, clock, courtesies, introductions, log, media, metrics } = this.#parts
    const count = (result: string) =>
      metrics.events.inc({ provider: receipt.provider, kind: event.kind, result })
    switch (event.kind) {
      case 'message': {
        const written = await introductions.of(inbox, receipt, event)
        const change = await inbound.receive(inbox, written, receipt.receivedAt)
        if (!change) return done(count, 'repeated')
        broadcasts.messageAdded(change)
        media.wanted(change.message)
        metrics.ingestSeconds.observe(
          Math.max(0, clock.now().getTime() - receipt.receivedAt.getTime()) / 1000,
        )
        log.info({
          event: 'message.received',
          conversation: change.conversation._id,
          message: change.message._id,
          rev: change.message.rev,
          type: event.content.type,
        })
        for (const conversation of await inbound.heedConsent(inbox, event, receipt.receivedAt))
          broadcasts.conversationChanged(conversation)
        if (event.content.type === 'choice') courtesies.acknowledge(receipt, event.providerId)
        this.arrived(event.providerId)
        return done(count, 'added')
      }
      case 'edit':
        return this.#news(await inbound.edit(inbox, event, receipt.receivedAt), event.providerId, count)
      case 'reaction':
        return this.#news(await inbound.react(inbox, event), event.providerId, count)
      case 'deletion':
        return this.#news(await inbound.takeBack(inbox, event, receipt.receivedAt), event.providerId, count)
      case 'watermark': {
        const changes = await inbound.reach(inbox, event, receipt.receivedAt)
        for (const change of changes) broadcasts.messageChanged(change)
        return done(count, changes.length > 0 ? event.status : 'old')
      }
      case 'echo': {
        const change = await inbound.overhear(inbox, event, receipt.receivedAt)
        if (!change) return done(count, 'old')
        broadcasts.messageAdded(change)
        media.wanted(change.message)
        return done(count, 'added')
      }
      case 'status':
        return this.#status(inbox, receipt, event, count)
      case 'reachability': {
        const conversation = await inbound.setReachable(inbox, event.from, event.reachable)
        if (conversation) broadcasts.conversationChanged(conversation)
        return done(count, conversation ? 'changed' : 'old')
      }
      case 'typing': {
        const change: Change | null = await inbound.writing(inbox, event.from)
        if (change) broadcasts.contactTyping(change)
        return done(count, 'told')
      }
      case 'invitation':
        courtesies.decline(receipt, event.where)
        return done(count, 'declined')
      case 'ignored':
        log.debug({ event: 'event.ignored', provider: receipt.provider, what: event.what })
        return done(count, 'ignored')
    }
  }

  async #status(
    inbox: InboxDoc,
    receipt: FreshReceipt,
    event: Extract<ProviderEvent, { kind: 'status' }>,
    count: (result: string) => void,
  ): Promise<string | null> {
    const message = await findSent(inbox, event)
    if (!message)
      return event.attemptKey ? done(count, 'unknown') : (event.providerId ?? done(count, 'unknown'))
    const change = await climb(message, {
      status: event.status,
      at: receipt.receivedAt,
      ...(event.attemptKey ? { attemptKey: event.attemptKey } : {}),
      ...(event.providerId ? { providerId: event.providerId } : {}),
      ...(event.status === 'failed'
        ? {
            problem: {
              code: event.code ?? 'failed',
              reason: event.reason ?? 'The provider could not deliver it.',
            },
          }
        : {}),
    })
    if (!change) return done(count, 'old')
    this.#parts.broadcasts.messageChanged(change)
    return done(count, event.status)
  }

  #news(news: inbound.News, providerId: ProviderMessageId, count: (result: string) => void): string | null {
    if (news === 'unknown message') {
      count('waits')
      return providerId
    }
    if (news === 'old') return done(count, 'old')
    this.#parts.broadcasts.messageChanged(news)
    return done(count, 'changed')
  }

  /** Sets a receipt aside until what it speaks of is here; in the end it is kept as an orphan, not forgotten. */
  async #park(receipt: FreshReceipt, missing: string): Promise<void> {
    if (receipt.tries >= PARKED_TRIES) {
      this.#parts.log.warn(
        { event: 'receipt.orphaned', receipt: receipt._id, provider: receipt.provider },
        'a receipt speaks of a message that never came',
      )
      await Receipt.settle([receipt._id], 'orphaned')
      return
    }
    if (this.#waiting.size >= MAX_WAITING) this.#waiting.clear() // they are parked in the database as well
    const waiting = this.#waiting.get(missing) ?? new Set()
    this.#waiting.set(missing, waiting.add(receipt._id))
    await Receipt.park(receipt._id, new Date(this.#parts.clock.now().getTime() + parkedForMs(receipt.tries)))
  }
}

const laneOf = (receipt: Pick<ReceiptDoc, '_id' | 'inbox' | 'sender'>): string =>
  receipt.sender === undefined ? receipt._id : `${receipt.inbox} ${receipt.sender}`

const done = (count: (result: string) => void, result: string): null => {
  count(result)
  return null
}

function read(adapter: Adapter, receipt: ReceiptDoc, sender: string): ProviderEvent[] | null {
  const request: WebhookRequest = {
    method: receipt.method ?? 'POST',
    url: receipt.url,
    headers: { 'content-type': receipt.contentType },
    body: bodyOf(receipt),
  }
  return readEvents(() => adapter.parse(request, sender))
}

async function findSent(
  inbox: InboxDoc,
  event: { attemptKey?: AttemptKey; providerId?: ProviderMessageId },
): Promise<OutboundDoc | null> {
  const byKey = event.attemptKey ? await byAttemptKey(inbox.workspace, event.attemptKey) : null
  return byKey ?? (event.providerId ? bySentId(inbox.workspace, inbox._id, event.providerId) : null)
}
