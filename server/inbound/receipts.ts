import mongoose from 'mongoose'
import { Unreadable } from '../../adapters/adapter.ts'
import type { ProviderEvent } from '../../adapters/events.ts'
import type { Address } from '../../models/ids.ts'
import { Receipt, type ReceiptDoc } from '../../models/receipt.ts'
import { Batcher } from '../batcher.ts'

const { MongoBulkWriteError } = mongoose.mongo

type NewReceipt = ReturnType<typeof Receipt.of>

/** Keeps receipts durably, those that arrive together in one write. */
export class ReceiptKeeper {
  readonly #batcher = new Batcher<NewReceipt, 'kept' | 'repeated'>(insert)

  /** Receipts that wait to be written: grows when the store is slower than the world. */
  get backlog(): number {
    return this.#batcher.waiting
  }

  /** Resolves once it is durable; `repeated` where the very same request was kept before. */
  keep(receipt: NewReceipt): Promise<'kept' | 'repeated'> {
    return this.#batcher.add(receipt)
  }
}

async function insert(receipts: NewReceipt[]): Promise<('kept' | 'repeated')[]> {
  try {
    await Receipt.collection.insertMany(receipts as never, { ordered: false })
    return receipts.map(() => 'kept' as const)
  } catch (error) {
    const failed = writeErrorsOf(error)
    if (!failed) throw error
    if (failed.some(({ code }) => code !== 11000) || isUnconfirmed(error)) throw error
    const repeated = new Set(failed.map(({ index }) => index))
    return receipts.map((_, index) => (repeated.has(index) ? 'repeated' : 'kept'))
  }
}

/** The majority did not confirm: what was written may be rolled back, so nobody may be told that it is kept. */
const isUnconfirmed = (error: unknown): boolean =>
  error instanceof MongoBulkWriteError && error.result.getWriteConcernError() !== undefined

function writeErrorsOf(error: unknown): { code: number; index: number }[] | null {
  if (typeof error !== 'object' || error === null || !('writeErrors' in error)) return null
  const errors = [error.writeErrors].flat() as { code: number; index: number }[]
  return errors.length > 0 ? errors : null
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
  events.map((event) => ('from' in event ? event.from : undefined)).find((from) => from !== undefined)
