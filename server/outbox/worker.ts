import { randomUUID } from 'node:crypto'
import type { ConversationId } from '../../models/ids.ts'
import { Lane } from '../../models/lane.ts'
import { abandonAttempts, conversationsWithWork, nextInLane } from '../../models/outbox.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Deliver } from './deliver.ts'

interface Parts {
  clock: Clock
  random: () => number
  log: Log
  deliver: Pick<Deliver, 'deliver'>
}

/** Lanes this node runs at once; the bound on memory, not on speed. */
const MAX_LANES = 200
/**
 * A lane's lease, renewed while it runs: what a dead node held is taken over so soon. Nothing but speed leans on it. Should
 * a node that stood still find its lane in other hands, a message's own state still lets only one of them begin an attempt.
 */
const LANE_LEASE_MS = 10_000
const RENEW_MS = 3_000
/** How often a node looks for what a dead one left, or for a wake that was lost. Drawn anew each time, so nodes part. */
const SWEEP_MS = 5_000
/** After losing the race for a lane, look again: its holder may have looked just before our message was written. */
const LOST_RACE_MS = 100
/** Messages a sweep looks at; a backlog is worked off in as many sweeps as it takes, one right after the other. */
const SWEPT_AT_ONCE = MAX_LANES * 2
const STOP_MS = 6_000
/** A timer of a longer wait is set anew; larger ones overflow. */
const LONGEST_TIMER_MS = 60 * 60_000

/**
 * Sends what is queued. A node that accepts a message wakes its own worker with the conversation's id, so the database is
 * not searched for work; a sweep finds what nobody was woken for. One conversation is one lane, sent in order by one node.
 */
export class Worker {
  readonly #parts: Parts
  readonly #holder: string
  readonly #woken = new Set<ConversationId>()
  readonly #running = new Map<ConversationId, Promise<void>>()
  /** Lanes that were woken again while they ran: looked at once more before they are released. */
  readonly #again = new Set<ConversationId>()
  readonly #timers = new Map<ConversationId, Timer>()
  #sweep: Timer | undefined
  #renewal: Timer | undefined
  #claiming: Promise<void> | undefined
  #stopped = false

  constructor(parts: Parts, holder: string = randomUUID()) {
    this.#parts = parts
    this.#holder = holder
  }

  /**
   * @param alone true where no other process can work on this store: then whatever is claimed or half sent was left by a
   * life of ours that ended, and need not wait until its leases run out
   */
  async start(alone: boolean): Promise<void> {
    if (alone) {
      await Lane.releaseAll()
      await abandonAttempts(this.#parts.clock.now())
    }
    this.#scheduleSweep()
    void this.sweep()
  }

  /** Something is due in this conversation now. */
  wake(conversation: ConversationId): void {
    if (this.#stopped) return
    if (this.#running.has(conversation)) this.#again.add(conversation)
    else this.#woken.add(conversation)
    this.#pump()
  }

  /** Looks for due work that nobody woke us for; after a full look, looks again at once. */
  async sweep(): Promise<void> {
    try {
      // What waits behind a message that backs off is due all the same; without leaving those out they would hide the rest.
      const inHand = [...this.#running.keys(), ...this.#timers.keys(), ...this.#woken]
      const found = await conversationsWithWork(this.#parts.clock.now(), SWEPT_AT_ONCE, inHand)
      for (const conversation of found) this.wake(conversation)
      if (found.length >= MAX_LANES && !this.#stopped)
        this.#parts.clock.after(LOST_RACE_MS, () => void this.sweep())
    } catch (error) {
      this.#parts.log.warn({ event: 'outbox.sweep_failed', error }, 'could not look for queued messages')
    }
  }

  /** Finishes what is under way, hands the rest back, within 8 seconds. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#sweep?.cancel()
    for (const timer of this.#timers.values()) timer.cancel()
    this.#woken.clear()
    const ended = async () => {
      await this.#claiming // it may start lanes yet
      await Promise.all(this.#running.values())
    }
    await Promise.race([ended(), this.#parts.clock.sleep(STOP_MS)])
  }

  /** Resolves when nothing is running or woken. */
  async idle(): Promise<void> {
    while (this.#running.size > 0 || this.#woken.size > 0 || this.#claiming) {
      await Promise.all([this.#claiming, ...this.#running.values()])
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #scheduleSweep(): void {
    this.#sweep = this.#parts.clock.after(SWEEP_MS * (0.75 + this.#parts.random() / 2), () => {
      void this.sweep().finally(() => {
        if (!this.#stopped) this.#scheduleSweep()
      })
    })
  }

  #pump(): void {
    if (this.#claiming || this.#stopped || this.#woken.size === 0 || this.#running.size >= MAX_LANES) return
    this.#claiming = this.#claim()
      .catch((error: unknown) => {
        this.#parts.log.warn(
          { event: 'outbox.claim_failed', error },
          'could not claim conversations to send for',
        )
      })
      .finally(() => {
        this.#claiming = undefined
        this.#pump()
      })
  }

  /** Claims what was woken in this turn, together. */
  async #claim(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    const wanted = [...this.#woken].slice(0, MAX_LANES - this.#running.size)
    for (const conversation of wanted) this.#woken.delete(conversation)
    const now = this.#parts.clock.now()
    const claimed = new Set(
      await Lane.claim(wanted, this.#holder, now, new Date(now.getTime() + LANE_LEASE_MS)),
    )
    for (const conversation of wanted) {
      if (claimed.has(conversation)) this.#start(conversation)
      else this.#wakeLater(conversation, LOST_RACE_MS)
    }
  }

  #start(conversation: ConversationId): void {
    const lane = this.#run(conversation)
      .catch((error: unknown) => {
        this.#parts.log.warn(
          { event: 'outbox.lane_failed', conversation, error },
          'a lane stopped; the sweep will find it',
        )
      })
      .finally(() => {
        this.#running.delete(conversation)
        if (this.#again.delete(conversation)) this.wake(conversation)
        this.#pump()
      })
    this.#running.set(conversation, lane)
    this.#renewal ??= this.#parts.clock.after(RENEW_MS, () => this.#renew())
  }

  /** Keeps the lanes that run, for as long as any does. */
  #renew(): void {
    const until = new Date(this.#parts.clock.now().getTime() + LANE_LEASE_MS)
    void Lane.extendAll(this.#holder, until)
      .catch((error: unknown) => {
        this.#parts.log.warn({ event: 'outbox.renewal_failed', error }, 'the lanes could not be kept')
      })
      .finally(() => {
        this.#renewal =
          this.#running.size > 0 ? this.#parts.clock.after(RENEW_MS, () => this.#renew()) : undefined
      })
  }

  /** Sends the conversation's messages one after the other until none is due. */
  async #run(conversation: ConversationId): Promise<void> {
    try {
      while (!this.#stopped) {
        this.#again.delete(conversation)
        const next = await nextInLane(conversation)
        if (!next) {
          if (this.#again.has(conversation)) continue
          return
        }
        const { message, more } = next
        const wait = (message.delivery.dueAt?.getTime() ?? 0) - this.#parts.clock.now().getTime()
        if (wait > 0) {
          this.#wakeLater(conversation, wait)
          return
        }
        const done = await this.#parts.deliver.deliver(message)
        // Nothing else was there, and what came since has woken us, or finds the lane taken and comes again.
        if (done && !more && !this.#again.has(conversation)) return
      }
    } finally {
      await Lane.release(conversation, this.#holder)
    }
  }

  #wakeLater(conversation: ConversationId, ms: number): void {
    this.#timers.get(conversation)?.cancel()
    this.#timers.set(
      conversation,
      this.#parts.clock.after(Math.min(ms, LONGEST_TIMER_MS), () => {
        this.#timers.delete(conversation)
        this.wake(conversation)
      }),
    )
  }
}
