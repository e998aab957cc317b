import { createHash } from 'node:crypto'
import type { Binary } from 'bson'
import { model } from 'mongoose'
import { Batcher } from './batcher.ts'
import type { Provider } from './channels.ts'
import type { Address, InboxId, ReceiptId, RouteId, WorkspaceId } from './ids.ts'
import { newIdAt } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/**
 * `kept` waits to be ingested; `parked` speaks of a message that is not here yet and is tried again; `orphaned` waited for
 * one in vain; `unreadable` was the provider's own and in no form we know: kept for the people who mend the adapter.
 */
export type ReceiptState = 'kept' | 'parked' | 'ingested' | 'orphaned' | 'unreadable'

/** A webhook as it came. */
export interface ReceiptDoc {
  _id: ReceiptId
  workspace: WorkspaceId
  inbox: InboxId
  route: RouteId
  provider: Provider
  /** Of the request's every byte: a provider that repeats itself is kept once. */
  hash: string
  /** Whose messages it carries, where it carries any: they are ingested in the order they came. */
  sender?: Address
  /** Absent for POST, which nearly all are. */
  method?: 'GET'
  url: string
  contentType: string
  body: Binary
  state: ReceiptState
  /** True until it needs no more looking at; what the partial indexes select. */
  pending?: boolean
  /** When a sweep should look at it, should whoever kept it have died. */
  dueAt?: Date
  tries: number
  receivedAt: Date
  /** Kept longer than any provider repeats a webhook. */
  expiresAt: Date
}

const schema = workspaceSchema<ReceiptDoc>(
  {
    inbox: { type: String, required: true },
    route: { type: String, required: true },
    provider: { type: String, required: true },
    hash: { type: String, required: true },
    sender: String,
    method: String,
    url: String,
    contentType: String,
    body: Buffer,
    state: { type: String, required: true },
    pending: Boolean,
    dueAt: Date,
    tries: { type: Number, default: 0 },
    receivedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
  } as never,
  [
    [{ route: 1, hash: 1 }, { unique: true }],
    [{ dueAt: 1 }, { partialFilterExpression: { pending: true } }],
    [{ inbox: 1, sender: 1, _id: 1 }, { partialFilterExpression: { pending: true } }],
    [{ expiresAt: 1 }, { expireAfterSeconds: 0 }],
  ],
)

const Model = model('Receipt', schema, 'receipts')

export const RECEIPT_KEPT_MS = 14 * 24 * 60 * 60 * 1000
const EVERYONE = 'receipts left by a dead node belong to any workspace'

type SenderReceipt = Pick<ReceiptDoc, '_id' | 'inbox' | 'sender'>

/** Looks for many receipts' predecessors in one command: nearly always there are none. */
const earlier = new Batcher<SenderReceipt, ReceiptDoc[]>(async (receipts) => {
  const inboxes = [...new Set(receipts.map(({ inbox }) => inbox))]
  const senders = [...new Set(receipts.map(({ sender }) => sender))].filter((sender) => sender !== undefined)
  const found = await Model.find(
    { inbox: { $in: inboxes }, sender: { $in: senders }, pending: true, state: 'kept' },
    null,
    { acrossWorkspaces: EVERYONE },
  )
    .sort({ _id: 1 })
    .lean<ReceiptDoc[]>()
  return receipts.map(({ _id, inbox, sender }) =>
    found.filter((each) => each.inbox === inbox && each.sender === sender && each._id < _id),
  )
})

export const Receipt = Object.assign(Model, {
  /** A receipt ready to be kept. `ingestBy` is when a sweep takes it for forgotten. */
  of(given: {
    route: { _id: RouteId; workspace: WorkspaceId; inbox: InboxId; provider: Provider }
    method: string
    url: string
    contentType: string
    body: Uint8Array
    sender: Address | undefined
    readable: boolean
    at: Date
    ingestBy: Date
  }): Omit<ReceiptDoc, 'body'> & { body: Buffer } {
    const { route, method, url, contentType, body, sender, readable, at, ingestBy } = given
    return {
      _id: newIdAt<ReceiptId>(at),
      workspace: route.workspace,
      inbox: route.inbox,
      route: route._id,
      provider: route.provider,
      hash: hashOf(url, body, readable),
      ...(sender === undefined ? {} : { sender }),
      ...(method === 'GET' ? { method } : {}),
      url,
      contentType,
      body: Buffer.from(body),
      ...(readable
        ? { state: 'kept' as const, pending: true, dueAt: ingestBy }
        : { state: 'unreadable' as const }),
      tries: 0,
      receivedAt: at,
      expiresAt: new Date(at.getTime() + RECEIPT_KEPT_MS),
    }
  },

  /** Those of one sender that came before this one and were not ingested yet, oldest first. */
  earlierOf: (receipt: SenderReceipt): Promise<ReceiptDoc[]> => earlier.add(receipt),

  async settle(ids: ReceiptId[], state: 'ingested' | 'orphaned' | 'unreadable'): Promise<void> {
    await Model.updateMany(
      { _id: { $in: ids } },
      { $set: { state }, $unset: { pending: 1, dueAt: 1 } },
    ).setOptions({ acrossWorkspaces: EVERYONE })
  },

  /** Sets it aside until the message it speaks of is here. */
  async park(id: ReceiptId, dueAt: Date): Promise<void> {
    await Model.updateOne(
      { _id: id },
      { $set: { state: 'parked', dueAt, pending: true }, $inc: { tries: 1 } },
    ).setOptions({ acrossWorkspaces: EVERYONE })
  },

  /** What nobody finished in time, oldest first, each put off to `leaseUntil` so that one sweep takes it. */
  async forgotten(now: Date, leaseUntil: Date, limit: number): Promise<ReceiptDoc[]> {
    const found = await Model.find(
      { pending: true, dueAt: { $lte: now } },
      { _id: 1, dueAt: 1 },
      { acrossWorkspaces: EVERYONE },
    )
      .sort({ dueAt: 1 })
      .limit(limit)
      .lean<Pick<ReceiptDoc, '_id' | 'dueAt'>[]>()
    const taken = await Promise.all(
      found.map(({ _id, dueAt }) =>
        Model.findOneAndUpdate(
          { _id, pending: true, dueAt },
          { $set: { dueAt: leaseUntil } },
          { returnDocument: 'after', acrossWorkspaces: EVERYONE },
        ).lean<ReceiptDoc>(),
      ),
    )
    return taken.filter((receipt) => receipt !== null).sort((a, b) => (a._id < b._id ? -1 : 1))
  },
})

/** What could not be read has a hash of its own: once the adapter is mended, the provider's repetition is not an old one. */
const hashOf = (url: string, body: Uint8Array, readable: boolean): string =>
  createHash('sha256')
    .update(readable ? '' : 'unreadable\n')
    .update(url)
    .update('\n')
    .update(body)
    .digest('base64')
