import { Conversation, type MessageChange } from './conversation.ts'
import {
  type Attempt,
  type DeliveryProblem,
  type DeliveryState,
  type ReceiptStatus,
  rankOf,
} from './delivery.ts'
import type {
  AttemptKey,
  ConversationId,
  InboxId,
  MessageId,
  ProviderMessageId,
  RouteId,
  WorkspaceId,
} from './ids.ts'
import { Message, type MessageDoc } from './message.ts'

/** An outbound message: one with a delivery. */
export type OutboundDoc = MessageDoc & { delivery: NonNullable<MessageDoc['delivery']> }

export const isOutbound = (message: MessageDoc): message is OutboundDoc => message.delivery !== undefined

const EVERYONE = 'the worker serves every workspace'

/** Conversations that have something to send now, the longest due first, but for those the caller has in hand. */
export async function conversationsWithWork(
  now: Date,
  limit: number,
  except: ConversationId[] = [],
): Promise<ConversationId[]> {
  const due = await Message.find(
    { 'delivery.pending': true, 'delivery.dueAt': { $lte: now }, conversation: { $nin: except } },
    { conversation: 1 },
    { acrossWorkspaces: EVERYONE },
  )
    .sort({ 'delivery.dueAt': 1 })
    .limit(limit)
    .lean<Pick<MessageDoc, 'conversation'>[]>()
  return [...new Set(due.map((message) => message.conversation))]
}

/** The conversation's next message to send, the first that is not finished, and whether others wait behind it. */
export async function nextInLane(
  conversation: ConversationId,
): Promise<{ message: OutboundDoc; more: boolean } | null> {
  const [message, second] = await Message.find({ conversation, 'delivery.pending': true }, null, {
    acrossWorkspaces: EVERYONE,
  })
    .sort({ rev: 1 })
    .limit(2)
    .lean<OutboundDoc[]>()
  return message ? { message, more: second !== undefined } : null
}

/** Our name for an attempt; the message can be read back from it, so a receipt that carries it finds its message. */
export const attemptKeyOf = (message: MessageId, number: number): AttemptKey =>
  `${message}.${number}` as AttemptKey

/** The message an attempt key names, and which of its attempts; null for a text that is no key. */
export function readAttemptKey(key: string): { message: MessageId; number: number } | null {
  const match = /^([0-9a-f-]{36})\.(\d{1,6})$/.exec(key)
  return match ? { message: match[1] as MessageId, number: Number(match[2]) } : null
}

/**
 * Reserves the next attempt before the provider is called: from now on a receipt finds it, and whoever finds it unfinished
 * after `presumedDeadAt` knows that it may have been sent. Null where another worker or a receipt was here first.
 */
export async function beginAttempt(
  message: OutboundDoc,
  {
    route,
    provider,
    reason,
    at,
    presumedDeadAt,
  }: { route: RouteId; provider: string; reason: string; at: Date; presumedDeadAt: Date },
): Promise<(MessageChange & { message: OutboundDoc; key: AttemptKey }) | null> {
  const number = message.delivery.attempts.length
  const key = attemptKeyOf(message._id, number)
  const attempt: Attempt = { key, route, provider, startedAt: at, outcome: 'pending' }
  const change = await apply(
    message,
    { 'delivery.state': 'queued', 'delivery.attempts': { $size: number } },
    {
      $set: {
        'delivery.state': 'sending',
        'delivery.rank': rankOf('sending'),
        'delivery.dueAt': presumedDeadAt,
        'delivery.route': route,
        'delivery.reason': reason,
      },
      $unset: { 'delivery.problem': 1 },
      $push: { 'delivery.attempts': attempt },
    },
  )
  return change && isOutbound(change.message) ? { ...change, message: change.message, key } : null
}

/** Makes every attempt under way due for a look: whoever made it is known to be dead. */
export async function abandonAttempts(now: Date): Promise<void> {
  await Message.updateMany(
    { 'delivery.pending': true, 'delivery.state': 'sending' },
    { $set: { 'delivery.dueAt': now } },
  ).setOptions({ acrossWorkspaces: EVERYONE })
}

/** What became of an attempt, for the ledger. */
export interface Conclusion {
  outcome: Attempt['outcome']
  tookMs?: number
  providerId?: ProviderMessageId
  code?: string
  reason?: string
}

/** Where the message goes after an attempt. */
export type Next =
  | { state: 'sent'; at: Date }
  /** Surely not sent: to be tried again. `countTry` false where the provider only asked us to wait. */
  | { state: 'queued'; dueAt: Date; countTry: boolean; problem: DeliveryProblem }
  | { state: 'uncertain'; problem: DeliveryProblem }
  | { state: 'failed'; problem: DeliveryProblem }

/**
 * Writes how an attempt ended. If a receipt came earlier than the answer and lifted the message already, only the ledger
 * is completed: a status climbs, it does not fall. An attempt that was given up as uncertain is believed when it answers.
 */
export async function concludeAttempt(
  message: OutboundDoc,
  key: AttemptKey,
  conclusion: Conclusion,
  next: Next,
): Promise<MessageChange | null> {
  const ledger = Object.fromEntries(
    Object.entries(conclusion)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [`delivery.attempts.$.${field}`, value]),
  )
  const moved = await apply(
    message,
    { 'delivery.attempts.key': key, 'delivery.state': { $in: ['sending', 'uncertain'] } },
    {
      $set: { ...ledger, ...advanceTo(next) },
      $unset: leaves(next),
      ...(counts(next) ? { $inc: { 'delivery.tries': 1 } } : {}),
    },
  )
  return moved ?? apply(message, { 'delivery.attempts.key': key }, { $set: ledger })
}

function advanceTo(next: Next): Record<string, unknown> {
  const common = { 'delivery.state': next.state, 'delivery.rank': rankOf(next.state) }
  switch (next.state) {
    case 'sent':
      return { ...common, 'delivery.sentAt': next.at }
    case 'queued':
      return { ...common, 'delivery.dueAt': next.dueAt, 'delivery.problem': next.problem }
    case 'uncertain':
    case 'failed':
      return { ...common, 'delivery.problem': next.problem }
  }
}
/** What is over: a message still queued stays the worker's, every other state is not its business any more. */
const leaves = (next: Next): Record<string, 1> =>
  next.state === 'queued'
    ? {}
    : {
        'delivery.pending': 1,
        'delivery.dueAt': 1,
        ...(next.state === 'sent' ? { 'delivery.problem': 1 } : {}),
      }
const counts = (next: Next): boolean => next.state === 'queued' && next.countTry

/** Ends a message that is not to be sent any more, before any attempt or between two. */
export async function giveUp(message: OutboundDoc, problem: DeliveryProblem): Promise<MessageChange | null> {
  return apply(
    message,
    { 'delivery.state': 'queued' },
    { $set: advanceTo({ state: 'failed', problem }), $unset: leaves({ state: 'failed', problem }) },
  )
}

/** Puts a queued message off without an attempt: no route can take it now. */
export async function putOff(
  message: OutboundDoc,
  dueAt: Date,
  problem: DeliveryProblem,
): Promise<MessageChange | null> {
  return apply(
    message,
    { 'delivery.state': 'queued' },
    { $set: { 'delivery.dueAt': dueAt, 'delivery.problem': problem } },
  )
}

/** What a provider's receipt says of a message. */
export interface Receipt {
  status: ReceiptStatus
  /** Which attempt it speaks of, as far as it says. */
  attemptKey?: AttemptKey
  providerId?: ProviderMessageId
  problem?: DeliveryProblem
  at: Date
}

/**
 * Lifts a message by a receipt. Null where that is old news: a lower or equal state, or the failure of an attempt that is
 * not the last (a later one is under way, and will have its own).
 */
export async function climb(message: OutboundDoc, receipt: Receipt): Promise<MessageChange | null> {
  const rank = rankOf(receipt.status)
  const { attempts } = message.delivery
  const index = attempts.findIndex(
    (attempt) =>
      attempt.key === receipt.attemptKey ||
      (receipt.providerId !== undefined && attempt.providerId === receipt.providerId),
  )
  if (message.delivery.rank >= rank || isOutdated(message, index, receipt.status)) return null
  const moment = MOMENTS[receipt.status]
  return apply(
    message,
    { 'delivery.rank': { $lt: rank } },
    {
      $set: {
        'delivery.state': receipt.status,
        'delivery.rank': rank,
        ...(moment ? { [moment]: receipt.at } : {}),
        ...(receipt.problem ? { 'delivery.problem': receipt.problem } : {}),
        ...(index >= 0 && receipt.providerId
          ? { [`delivery.attempts.${index}.providerId`]: receipt.providerId }
          : {}),
      },
      $unset: {
        'delivery.pending': 1,
        'delivery.dueAt': 1,
        ...(receipt.problem ? {} : { 'delivery.problem': 1 }),
      },
    },
  )
}

/**
 * A person asked for another round after this attempt: that the carrier once took it, or then gave it up, is known, and must
 * not end the new round. That it arrived after all, or that an attempt nobody was sure of was taken, is proof, and does.
 */
function isOutdated({ delivery }: OutboundDoc, index: number, status: ReceiptStatus): boolean {
  const { attempts, state } = delivery
  const isLast = index === attempts.length - 1 && state !== 'queued'
  switch (status) {
    case 'failed':
      return !isLast
    case 'sent':
      return !isLast && attempts[index]?.outcome === 'accepted'
    case 'delivered':
    case 'read':
      return false
  }
}

const MOMENTS: Record<ReceiptStatus, string | null> = {
  sent: 'delivery.sentAt',
  delivered: 'delivery.deliveredAt',
  read: 'delivery.readAt',
  failed: null,
}

const RETRYABLE: DeliveryState[] = ['failed', 'uncertain']

/** A person asks for another round: the message is queued again and really sent. Null where it is not `failed` or `uncertain`. */
export async function retry(message: OutboundDoc, at: Date, expiresAt: Date): Promise<MessageChange | null> {
  if (!RETRYABLE.includes(message.delivery.state)) return null
  return apply(
    message,
    { 'delivery.state': { $in: RETRYABLE } },
    {
      $set: {
        'delivery.state': 'queued',
        'delivery.rank': rankOf('queued'),
        'delivery.pending': true,
        'delivery.dueAt': at,
        'delivery.expiresAt': expiresAt,
        'delivery.tries': 0,
      },
      $unset: { 'delivery.problem': 1 },
    },
  )
}

/** The message an attempt was for, and its conversation's workspace unknown: receipts carry only the key. */
export async function byAttemptKey(workspace: WorkspaceId, key: AttemptKey): Promise<OutboundDoc | null> {
  const named = readAttemptKey(key)
  if (!named) return null
  return Message.findOne({ workspace, _id: named.message, direction: 'outbound' }).lean<OutboundDoc>()
}

/** The message a provider calls by this name, among those that left through this inbox. */
export async function bySentId(
  workspace: WorkspaceId,
  inbox: InboxId,
  providerId: ProviderMessageId,
): Promise<OutboundDoc | null> {
  return Message.findOne({
    workspace,
    inbox,
    direction: 'outbound',
    'delivery.attempts.providerId': providerId,
  }).lean<OutboundDoc>()
}

interface MessageUpdate {
  $set?: Record<string, unknown>
  $unset?: Record<string, unknown>
  $inc?: Record<string, number>
  $push?: Record<string, unknown>
}

/** Changes a message under the conversation's next rev, if `condition` holds. */
export async function apply(
  message: MessageDoc,
  condition: Record<string, unknown>,
  update: MessageUpdate,
): Promise<MessageChange | null> {
  const conversation = await Conversation.advance(message.workspace, message.conversation)
  if (!conversation) return null
  const changed = (await Message.collection.findOneAndUpdate(
    { ...condition, workspace: message.workspace, _id: message._id } as never,
    {
      ...update,
      $set: { ...update.$set, touched: conversation.touched },
      $max: { changedRev: conversation.rev },
    } as never,
    { returnDocument: 'after' },
  )) as unknown as MessageDoc | null
  return changed ? { conversation, message: changed } : null
}
