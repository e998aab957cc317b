import { signatureOf } from '../../../adapters/meta/signature.ts'
import type { Stage } from '../stage.ts'
import { GraphRefusal } from './errors.ts'

export type Product = 'whatsapp' | 'messenger'

const DAY_MS = 86_400_000
/** Longest between two tries. */
const MAX_PAUSE_MS = 600_000
const CHALLENGE_MAX_BYTES = 1_024

/** Where Meta posts what happens, and whether it may: an address counts once it has answered a challenge. */
export class Subscriptions {
  readonly #stage: Stage
  readonly #callbacks = new Map<Product, string>()
  readonly #subscribed = new Set<Product>()

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** The address that is posted to; undefined where there is none, or the app is not subscribed. */
  of(product: Product): string | undefined {
    return this.#subscribed.has(product) ? this.#callbacks.get(product) : undefined
  }

  subscribe(product: Product): void {
    this.#subscribed.add(product)
  }

  /** Asks the address for the challenge first. @throws GraphRefusal where it does not say it again */
  async lead(product: Product, url: string, verifyToken: string): Promise<void> {
    if (!URL.canParse(url)) throw new GraphRefusal(400, 100, 'Invalid parameter: the callback is no URL')
    const challenge = String(Math.floor(this.#stage.random() * 2 ** 31))
    const asked = new URL(url)
    asked.searchParams.set('hub.mode', 'subscribe')
    asked.searchParams.set('hub.verify_token', verifyToken)
    asked.searchParams.set('hub.challenge', challenge)
    const answer = await this.#stage.courier.fetch(asked.href, CHALLENGE_MAX_BYTES)
    if (answer?.bytes.toString('utf8') !== challenge)
      throw new GraphRefusal(
        400,
        2200,
        'Callback verification failed with the following errors: HTTP Status Code',
      )
    this.#callbacks.set(product, url)
  }

  /** Resolves to whether the product took it. Several things of one lane are told in order. */
  async tell(product: Product, what: string, lane: string, body: object): Promise<boolean> {
    const url = this.of(product)
    if (!url) return false
    const { courier, clock, faults, accounts } = this.#stage
    const text = asMetaWritesIt(body)
    const post = () =>
      courier.send({
        provider: 'meta',
        what,
        url,
        headers: {
          'content-type': 'application/json',
          'x-hub-signature-256': signatureOf(text, accounts.meta[product].appSecret),
        },
        body: text,
        lane: `meta:${product}:${lane}`,
        retry: retryForDays(clock.now().getTime(), clock),
      })
    const copies = faults.receipts('meta', 'duplicate') ? 2 : 1
    const taken = await Promise.all(Array.from({ length: copies }, post))
    return taken.includes(true)
  }
}

/** Non-ASCII as escapes, slashes too: who signs anew what they have parsed gets another signature. */
const asMetaWritesIt = (body: object): string =>
  JSON.stringify(body)
    .replaceAll('/', '\\/')
    .replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** At once, then after ever longer, for seven days. */
const retryForDays =
  (since: number, clock: Stage['clock']) =>
  (attempt: number): number | undefined => {
    if (clock.now().getTime() - since > 7 * DAY_MS) return undefined
    return attempt === 1 ? 0 : Math.min(2 ** (attempt - 1) * 1000, MAX_PAUSE_MS)
  }
