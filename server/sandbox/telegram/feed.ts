import type { Stage } from '../stage.ts'

export interface Webhook {
  url: string
  secret: string | undefined
  allowed: readonly string[] | undefined
}
export type Update = { update_id: number } & Record<string, unknown>
interface Waiting {
  kind: string
  chat: number
  update: Update
  /** Called with whether the product took it. */
  settled?: ((taken: boolean) => void) | undefined
}

/** Told only to those who ask. @see https://core.telegram.org/bots/api#setwebhook */
const ON_REQUEST = new Set(['chat_member', 'message_reaction', 'message_reaction_count'])
const KEPT = 10_000
const DAY_MS = 86_400_000

/** Updates on their way to the product: to its webhook, or kept until it asks. */
export class Feed {
  readonly #stage: Stage
  #webhook: Webhook | undefined
  #pending: Waiting[] = []
  #wake: (() => void)[] = []
  #lastId: number
  #lastFailure: string | undefined

  constructor(stage: Stage) {
    this.#stage = stage
    this.#lastId = countFrom(stage.clock.now())
  }

  get webhook(): Webhook | undefined {
    return this.#webhook
  }
  get pendingCount(): number {
    return this.#pending.length
  }
  get lastFailure(): string | undefined {
    return this.#lastFailure
  }

  /** What came meanwhile goes there at once. */
  setWebhook(webhook: Webhook, dropPending: boolean): void {
    this.#webhook = webhook
    const waiting = dropPending ? [] : this.#pending
    this.#pending = []
    for (const one of waiting) this.#post(webhook, one)
  }

  deleteWebhook(dropPending: boolean): void {
    this.#webhook = undefined
    if (dropPending) this.#pending = []
  }

  tell(kind: string, chat: number, content: object, settled?: (taken: boolean) => void): void {
    if (this.#webhook?.allowed ? !this.#webhook.allowed.includes(kind) : ON_REQUEST.has(kind)) return
    const update = { update_id: ++this.#lastId, [kind]: content }
    const one: Waiting = { kind, chat, update, settled }
    if (this.#webhook) this.#post(this.#webhook, one)
    else this.#keep(one)
  }

  /** Long polling: everything from `offset` on, waiting up to `timeoutMs` for the first. What is before it is forgotten. */
  async updates(offset: number, limit: number, timeoutMs: number): Promise<Update[]> {
    for (const one of this.#pending) if (one.update.update_id < offset) one.settled?.(true)
    this.#pending = this.#pending.filter(({ update }) => update.update_id >= offset)
    if (this.#pending.length === 0 && timeoutMs > 0) await this.#news(timeoutMs)
    return this.#pending.slice(0, limit).map(({ update }) => update)
  }

  #keep(one: Waiting): void {
    this.#pending.push(one)
    if (this.#pending.length > KEPT) this.#pending.shift()
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }

  #news(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel()
        leave()
        resolve()
      }
      const timer = this.#stage.clock.setTimeout(done, timeoutMs)
      const leave = this.#stage.onClose(done)
      this.#wake.push(done)
    })
  }

  #post(webhook: Webhook, { kind, chat, update, settled }: Waiting): void {
    const { courier, faults, clock, random } = this.#stage
    const parcel = {
      provider: 'telegram',
      what: kind,
      url: webhook.url,
      headers: {
        'content-type': 'application/json',
        ...(webhook.secret && { 'x-telegram-bot-api-secret-token': webhook.secret }),
      },
      body: JSON.stringify(update),
      lane: `telegram:${chat}:${kind}`,
      retry: retryForADay(clock.now().getTime(), clock, random),
    } as const
    const copies = faults.receipts('telegram', 'duplicate') ? 2 : 1
    for (let copy = 0; copy < copies; copy++)
      void courier.send(parcel).then((taken) => {
        if (!taken) this.#lastFailure = 'Wrong response from the webhook'
        settled?.(taken)
      })
  }
}

/**
 * At once, then after 2, 4, 8 … s up to a random 60–120 s, or as the product's Retry-After asks, for 24 hours.
 * @see https://github.com/tdlib/telegram-bot-api telegram-bot-api/WebhookActor.cpp
 */
const retryForADay =
  (since: number, clock: Stage['clock'], random: () => number) =>
  (attempt: number, { retryAfterMs }: { retryAfterMs?: number }): number | undefined => {
    if (clock.now().getTime() - since > DAY_MS) return undefined
    if (retryAfterMs !== undefined) return Math.min(retryAfterMs, 3_600_000)
    if (attempt === 1) return 0
    return Math.min(2 ** (attempt - 1) * 1000, 60_000 + random() * 60_000)
  }

/** A number to count from that a restarted sandbox does not give again, in the 31 bits that Telegram's ids have. */
export const countFrom = (now: Date): number =>
  Math.max(1, Math.floor((now.getTime() - Date.UTC(2026, 0)) / 125) % 0x7fffffff)
