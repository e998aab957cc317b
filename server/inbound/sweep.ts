import { Conversation } from '../../models/conversation.ts'
import { Receipt } from '../../models/receipt.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Broadcasts } from '../realtime/broadcasts.ts'
import type { Ingest } from './ingest.ts'

interface Parts {
  clock: Clock
  random: () => number
  log: Log
  ingest: Ingest
  broadcasts: Broadcasts
}

/** A receipt that is not ingested this long after it was kept was forgotten: its node died. */
export const INGEST_WITHIN_MS = 15_000
const SWEEP_MS = 5_000
const AT_ONCE = 200

/** Finds what a dead node left: receipts kept and not ingested, parked ones whose time has come, snoozes that ended. */
export class InboundSweep {
  readonly #parts: Parts
  #timer: Timer | undefined
  #stopped = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = this.#parts.clock.after(SWEEP_MS * (0.75 + this.#parts.random() / 2), () => {
      void this.run().finally(() => {
        if (!this.#stopped) this.start()
      })
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** One round. Never throws: the next round is soon. */
  async run(): Promise<void> {
    try {
      await this.#receipts(this.#parts.clock.now())
      for (const conversation of await Conversation.wake(this.#parts.clock.now()))
        this.#parts.broadcasts.conversationChanged(conversation)
    } catch (error) {
      this.#parts.log.warn(
        { event: 'inbound.sweep_failed', error },
        'could not look for receipts left behind',
      )
    }
  }

  /**
   * A node that starts alone after a crash ingests what it had acknowledged before it takes anything new: the backlog
   * keeps its order, and nobody waits for a lease to run out.
   */
  async recover(): Promise<number> {
    return this.#receipts(new Date(this.#parts.clock.now().getTime() + INGEST_WITHIN_MS - 1))
  }

  async #receipts(dueBefore: Date): Promise<number> {
    const { clock, ingest } = this.#parts
    let total = 0
    for (;;) {
      const lease = new Date(clock.now().getTime() + INGEST_WITHIN_MS)
      const forgotten = await Receipt.forgotten(dueBefore, lease, AT_ONCE)
      await Promise.all(forgotten.map((receipt) => ingest.again(receipt)))
      total += forgotten.length
      if (forgotten.length < AT_ONCE) return total
    }
  }
}
