import pLimit from 'p-limit'
import { createHttp, type HttpClient } from '../../adapters/http.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { SandboxEvent, SandboxProvider, WebhookView } from './protocol.ts'
import { Ring } from './ring.ts'
import type { Tasks } from './tasks.ts'

/** A webhook to be posted. */
export interface Parcel {
  provider: SandboxProvider
  /** For the page: `message`, `status: delivered`. */
  what: string
  /** The address as registered; it is what gets signed. */
  url: string
  headers: Record<string, string>
  body: string
  /** Parcels of one lane are posted one at a time, in order. */
  lane: string
  /** Milliseconds to wait before the next try, or undefined to give up. */
  retry(attempt: number, result: PostResult): number | undefined
}

export interface PostResult {
  /** Undefined where there was no answer. */
  status?: number
  /** Milliseconds. */
  retryAfterMs?: number
}

const ok = ({ status }: PostResult): boolean => status !== undefined && status >= 200 && status <= 299

const AT_ONCE = 64
const KEPT = 200
const MAX_WAITING = 200_000
/** Twilio waits this long in all, Telegram longer. */
const TIMEOUT_MS = 15_000

interface CourierOptions {
  clock: Clock
  log: Log
  tasks: Tasks
  publish: (event: SandboxEvent) => void
  webhookOrigin: string | ((url: string) => string) | undefined
}

/** Posts webhooks to the product: lanes in order, retries as each provider documents, the last ones kept to be shown. */
export class Courier {
  readonly #clock: Clock
  readonly #log: Log
  readonly #tasks: Tasks
  readonly #publish: (event: SandboxEvent) => void
  readonly #origin: CourierOptions['webhookOrigin']
  readonly #http: HttpClient = createHttp({ userAgent: 'nexus-sandbox' })
  readonly #limit = pLimit(AT_ONCE)
  readonly #lanes = new Map<string, Promise<void>>()
  readonly #posted = new Ring<number, WebhookView>(KEPT)
  #waiting = 0
  #count = 0

  constructor({ clock, log, tasks, publish, webhookOrigin }: CourierOptions) {
    this.#clock = clock
    this.#log = log
    this.#tasks = tasks
    this.#publish = publish
    this.#origin = webhookOrigin
  }

  /** The last webhooks, newest first. */
  posted(): WebhookView[] {
    return this.#posted.values().reverse()
  }

  /** Resolves to whether the product took it, after as many tries as the provider makes. */
  send(parcel: Parcel): Promise<boolean> {
    if (this.#tasks.closed) return Promise.resolve(false)
    if (this.#waiting >= MAX_WAITING) {
      this.#log.warn(
        { provider: parcel.provider, what: parcel.what },
        'sandbox: too many webhooks wait; dropped',
      )
      return Promise.resolve(false)
    }
    this.#waiting++
    return new Promise((resolve) => {
      const before = this.#lanes.get(parcel.lane) ?? Promise.resolve()
      this.#tasks.run(async () => {
        const turn = before.then(async () => resolve(await this.#deliver(parcel)))
        this.#lanes.set(parcel.lane, turn)
        await turn
        this.#waiting--
        if (this.#lanes.get(parcel.lane) === turn) this.#lanes.delete(parcel.lane)
      })
    })
  }

  /** Fetches a file that the product offers. @returns undefined where there is none */
  async fetch(url: string, maxBytes: number): Promise<{ bytes: Buffer; mime: string } | undefined> {
    try {
      const { status, headers, body } = await this.#http.request({
        method: 'GET',
        url: this.#target(url),
        maxBytes,
      })
      if (status !== 200) return undefined
      const mime = headers['content-type']?.split(';', 1)[0]?.trim()
      return { bytes: Buffer.from(body), mime: mime || 'application/octet-stream' }
    } catch {
      return undefined
    }
  }

  /** Ends what is on its way, so that closing need not wait for a slow product. */
  close(): void {
    void this.#http.close()
  }

  async #deliver(parcel: Parcel): Promise<boolean> {
    for (let attempt = 1; !this.#tasks.closed; attempt++) {
      const result = await this.#limit(() => this.#post(parcel, attempt))
      if (ok(result)) return true
      const wait = parcel.retry(attempt, result)
      if (wait === undefined) break
      await this.#tasks.delay(wait)
    }
    return false
  }

  async #post({ provider, what, url, headers, body }: Parcel, attempt: number): Promise<PostResult> {
    const startedAt = this.#clock.now()
    let result: PostResult = {}
    let reason = ''
    try {
      const answer = await this.#http.request({
        method: 'POST',
        url: this.#target(url),
        headers,
        body,
        timeoutMs: TIMEOUT_MS,
      })
      const retryAfter = Number(answer.headers['retry-after'])
      result = { status: answer.status, ...(retryAfter > 0 && { retryAfterMs: retryAfter * 1000 }) }
    } catch (error) {
      reason = error instanceof Error && 'code' in error ? String(error.code) : 'network'
    }
    const view: WebhookView = {
      id: ++this.#count,
      provider,
      what,
      at: startedAt.toISOString(),
      path: pathOf(url),
      attempt,
      answer: result.status ?? reason,
      tookMs: this.#clock.now().getTime() - startedAt.getTime(),
    }
    this.#posted.set(view.id, view)
    this.#publish({ type: 'webhook', webhook: view })
    return result
  }

  #target(url: string): string {
    if (typeof this.#origin === 'function') return this.#origin(url)
    return this.#origin && URL.canParse(url) ? new URL(pathOf(url), this.#origin).href : url
  }
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}
