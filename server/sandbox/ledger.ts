import { perProvider } from './catalogue.ts'
import type { Clock } from './clock.ts'
import type { LedgerEntry, LedgerView, SandboxProvider } from './protocol.ts'
import { Ring } from './ring.ts'

const TEXT_KEPT = 200

/** What each provider took to send, so that a test can count what was lost or doubled. */
export class Ledger {
  readonly #clock: Clock
  readonly #entries: Ring<number, LedgerEntry>
  #accepted = perProvider(() => 0)
  #count = 0

  constructor(clock: Clock, keep: number) {
    this.#clock = clock
    this.#entries = new Ring(keep)
  }

  /** A message that the provider took. */
  enter(entry: Omit<LedgerEntry, 'at'>): void {
    this.#accepted[entry.provider]++
    this.note(entry)
  }

  /** Something that is no message: typing, a tap acknowledged. */
  note(entry: Omit<LedgerEntry, 'at'>): void {
    const text = entry.text.slice(0, TEXT_KEPT)
    this.#entries.set(this.#count++, { ...entry, text, at: this.#clock.now().toISOString() })
  }

  view(provider?: SandboxProvider): LedgerView {
    const entries = this.#entries.values().filter((entry) => !provider || entry.provider === provider)
    return { accepted: { ...this.#accepted }, entries }
  }

  clear(): void {
    this.#entries.clear()
    this.#accepted = perProvider(() => 0)
  }
}
