import { EventEmitter } from 'node:events'
import type { SandboxAccounts } from './accounts.ts'
import type { Clock } from './clock.ts'
import { Courier } from './courier.ts'
import { Faults } from './faults.ts'
import { Files } from './files.ts'
import { Handsets } from './handsets.ts'
import { Ledger } from './ledger.ts'
import type { Log } from './log.ts'
import type { SandboxEvent } from './protocol.ts'
import { Tasks } from './tasks.ts'

export interface SandboxOptions {
  clock: Clock
  /** At least 0 and less than 1. */
  random: () => number
  log: Log
  accounts: SandboxAccounts
  /**
   * Where webhooks are really posted (`http://127.0.0.1:3000`, or a function of the registered address), for a product
   * that cannot reach itself by its public address. They are signed for the registered one all the same.
   */
  webhookOrigin?: string | ((url: string) => string)
  /** How many messages each provider remembers; 10,000 unless told. */
  keep?: number
  /** Milliseconds from a text message's acceptance to `sent`, and from there to `delivered`. */
  receipts?: { sentAfterMs: number; deliveredAfterMs: number }
}

/** What the simulators share: the visitors' phones, what goes wrong, what was accepted, and the way to the product. */
export class Stage {
  readonly clock: Clock
  readonly random: () => number
  readonly accounts: SandboxAccounts
  readonly keep: number
  readonly receipts: { sentAfterMs: number; deliveredAfterMs: number }
  readonly tasks: Tasks
  readonly faults: Faults
  readonly ledger: Ledger
  readonly files: Files
  readonly handsets: Handsets
  readonly courier: Courier
  readonly #events = new EventEmitter()

  constructor({ clock, random, log, accounts, webhookOrigin, keep = 10_000, receipts }: SandboxOptions) {
    this.clock = clock
    this.random = random
    this.accounts = accounts
    this.keep = keep
    this.receipts = receipts ?? { sentAfterMs: 120, deliveredAfterMs: 400 }
    this.#events.setMaxListeners(0)
    const publish = (event: SandboxEvent): void => this.publish(event)
    this.tasks = new Tasks(clock)
    this.faults = new Faults(this.tasks, publish)
    this.ledger = new Ledger(clock, keep)
    this.files = new Files(() => this.hex(32))
    this.handsets = new Handsets({ random, publish })
    this.courier = new Courier({ clock, log, tasks: this.tasks, publish, webhookOrigin })
  }

  publish(event: SandboxEvent): void {
    this.#events.emit('event', event)
  }

  /** @returns what ends the subscription */
  subscribe(listener: (event: SandboxEvent) => void): () => void {
    this.#events.on('event', listener)
    return () => this.#events.off('event', listener)
  }

  /** Called when the sandbox closes. @returns what takes that back */
  onClose(listener: () => void): () => void {
    this.#events.once('close', listener)
    return () => this.#events.off('close', listener)
  }

  /** As many hexadecimal digits. */
  hex(length: number): string {
    let text = ''
    while (text.length < length)
      text += Math.floor(this.random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, length)
  }

  /** What is still under way ends: timers, retries, requests held back by a fault. */
  async close(): Promise<void> {
    this.#events.emit('close')
    this.faults.close()
    this.courier.close()
    await this.tasks.close()
  }
}
