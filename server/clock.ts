import { setTimeout as sleep } from 'node:timers/promises'

/** All time enters through one of these, so that tests turn the hands themselves. */
export interface Clock {
  /** The cluster's time: the database's, carried on by this machine's monotonic clock. */
  now(): Date
  /** Milliseconds for durations; never jumps. */
  monotonic(): number
  /** Resolves after `ms`, or early, without an error, when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back once after `ms`; the timer alone does not keep the process alive. */
  after(ms: number, callback: () => void): Timer
}
export interface Timer {
  cancel(): void
}

/** Corrections below this are the network's noise. */
const NOISE_MS = 50
const RESYNC_MS = 60_000

/**
 * The clock of a running node. Leases of many nodes are compared with each other, so all of them follow the database's
 * clock and not their own; between two looks at it, and whenever it jumps back, the monotonic clock carries on, so that
 * time here never runs backwards.
 */
export class SystemClock implements Clock {
  #base: number
  #since: number
  #followed = false

  constructor(wall: () => number = Date.now) {
    this.#base = wall()
    this.#since = performance.now()
  }

  now(): Date {
    return new Date(this.#base + (performance.now() - this.#since))
  }

  monotonic(): number {
    return performance.now()
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      await sleep(ms, undefined, signal ? { signal, ref: false } : { ref: false })
    } catch {
      // Woken early: that is what the signal is for.
    }
  }

  after(ms: number, callback: () => void): Timer {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  }

  /** Takes the database's time over, now and every minute. Returns how to stop. */
  async follow(databaseNow: () => Promise<Date>): Promise<Timer> {
    await this.#take(databaseNow)
    const timer = setInterval(() => void this.#take(databaseNow).catch(() => {}), RESYNC_MS)
    timer.unref()
    return { cancel: () => clearInterval(timer) }
  }

  async #take(databaseNow: () => Promise<Date>): Promise<void> {
    const asked = performance.now()
    const answered = (await databaseNow()).getTime()
    const halfTrip = (performance.now() - asked) / 2
    const ahead = answered + halfTrip - this.now().getTime()
    // At the start any correction is taken; later only forward ones, or a lease could come back to life.
    const first = !this.#followed
    this.#followed = true
    if (Math.abs(ahead) < NOISE_MS || (ahead < 0 && !first)) return
    this.#base = answered + halfTrip
    this.#since = performance.now()
  }
}
