import { Unreadable } from '../../adapters/adapter.ts'
import type { ProviderEvent } from '../../adapters/events.ts'
import { Batcher } from '../../models/batcher.ts'
import type { Address } from '../../models/ids.ts'
import { insertAll } from '../../models/insert-all.ts'
import { Receipt, type ReceiptDoc } from '../../models/receipt.ts'

type NewReceipt = ReturnType<typeof Receipt.of>

/** Keeps receipts durably, those that arrive together in one write. */
export class ReceiptKeeper {
  readonly #batcher = new Batcher<NewReceipt, boolean>((receipts) => insertAll(Receipt.collection, receipts))

  /** Receipts that wait to be written: grows when the store is slower than the world. */
  get backlog(): number {
    return this.#batcher.waiting
  }

  /** Resolves once it is durable; `repeated` where the very same request was kept before. */
  async keep(receipt: NewReceipt): Promise<'kept' | 'repeated'> {
    return (await this.#batcher.add(receipt)) ? 'kept' : 'repeated'
  }
}

/** A stored body as bytes. */
export const bodyOf = (receipt: Pick<ReceiptDoc, 'body'>): Uint8Array => {
  const { body } = receipt as unknown as { body: Uint8Array | { buffer: Uint8Array } }
  return body instanceof Uint8Array ? body : body.buffer
}

/** Null where the body is nothing the provider documents. */
export function readEvents(parse: () => ProviderEvent[]): ProviderEvent[] | null {
  try {
    return parse()
  } catch (error) {
    if (error instanceof Unreadable) return null
    throw error
  }
}

/** Whose events they are, as far as one of them says. */
export const senderOf = (events: ProviderEvent[]): Address | undefined =>
  events
    .map((event) => ('from' in event ? event.from : 'to' in event ? event.to : undefined))
    .find((contact) => contact !== undefined)
