import type { Clock, Timer } from './clock.ts'

/** All that the simulators have under way or planned, so that it can be awaited and ended. */
export class Tasks {
  readonly #clock: Clock
  readonly #timers = new Map<Timer, (() => void) | undefined>()
  #running = 0
  #closed = false
  #idle: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Counts as under way until it settles; a closed sandbox starts nothing more. */
  run(task: () => Promise<void>): void {
    if (this.#closed) return
    this.#running++
    void task().finally(() => {
      this.#running--
      this.#settle()
    })
  }

  /** Resolves after `ms`, or at once when everything is closed. */
  delay(ms: number): Promise<void> {
    if (this.#closed || ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => {
        this.#timers.delete(timer)
        resolve()
      }, ms)
      this.#timers.set(timer, resolve)
    })
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve))
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const [timer, resolve] of this.#timers) {
      timer.cancel()
      resolve?.()
    }
    this.#timers.clear()
    await this.idle()
  }

  #settle(): void {
    if (this.#running > 0) return
    const waiting = this.#idle
    this.#idle = []
    for (const resolve of waiting) resolve()
  }
}
