import { addressKey, isByPhone } from './address.ts'
import type { Content } from './content.ts'
import {
  type Change,
  Conversation,
  type ConversationDoc,
  type MessageChange,
  turnOf,
} from './conversation.ts'
import { rankOf } from './delivery.ts'
import { Identity, type IdentityDoc } from './identity.ts'
import type { Address, MessageId, ProviderMessageId } from './ids.ts'
import { inboundMessageId } from './ids.ts'
import type { InboxDoc } from './inbox.ts'
import { Message, type MessageDoc, messageAt } from './message.ts'
import { understood } from './offers.ts'
import { consentIn } from './opt-out.ts'
import { apply, climb, type OutboundDoc } from './outbox.ts'
import { closesAfter } from './windows.ts'

/** What a contact wrote, as an adapter tells it. */
export interface InboundMessage {
  from: Address
  profile: { name?: string; username?: string; phone?: string }
  providerId: ProviderMessageId
  content: Content
  replyTo?: ProviderMessageId
  writtenAt?: Date
}

/**
 * Makes what a contact wrote a turn of their conversation. Null where it already is one: a webhook may come any number of
 * times, on any node, and a process may die between any two of these writes.
 */
export async function receive(
  inbox: InboxDoc,
  written: InboundMessage,
  at: Date,
): Promise<MessageChange | null> {
  const { workspace } = inbox
  const id = inboundMessageId(inbox._id, written.providerId)
  if (await Message.isWritten(id)) return null
  const identity = await Identity.recognise({
    workspace,
    channel: inbox.channel,
    address: written.from,
    name: written.profile.name,
    username: written.profile.username,
    at,
  })
  const replyTo = written.replyTo ? await quoted(inbox, written.replyTo) : undefined
  const conversation = await Conversation.admit({
    workspace,
    inbox: inbox._id,
    channel: inbox.channel,
    identity: identity._id,
    contact: {
      id: identity.contact,
      name: identity.name,
      address: identity.address,
      reachable: true,
      ...(identity.optedOutAt ? { optedOut: true } : {}),
    },
    message: id,
    content: written.content,
    windowClosesAt: closesAfter(inbox.window, at),
    at,
  })
  const message = messageAt(conversation, {
    _id: id,
    direction: 'inbound',
    author: { kind: 'contact', id: identity.contact, name: identity.name },
    content: understood(written.content, conversation.offered?.choices),
    note: false,
    ...(replyTo ? { replyTo } : {}),
    providerId: written.providerId,
    ...(written.writtenAt ? { writtenAt: written.writtenAt } : {}),
    createdAt: at,
  })
  return (await Message.write(message)) ? { conversation, message } : null
}

async function quoted(inbox: InboxDoc, providerId: ProviderMessageId): Promise<MessageId | undefined> {
  const message = await Message.byProviderId(
    inbox.workspace,
    inbox._id,
    providerId,
    inboundMessageId(inbox._id, providerId),
  )
  return message?._id
}

/** What became of news about a message: it changed, it was old news, or the message is not here yet. */
export type News = MessageChange | 'old' | 'unknown message'

/** The contact changed what they wrote; what it said before is kept. */
export async function edit(
  inbox: InboxDoc,
  news: { providerId: ProviderMessageId; version: number; content: Content },
  at: Date,
): Promise<News> {
  const message = await Message.findOne({
    workspace: inbox.workspace,
    _id: inboundMessageId(inbox._id, news.providerId),
  }).lean<MessageDoc>()
  if (!message) return 'unknown message'
  if ((message.editVersion ?? -1) >= news.version) return 'old'
  const change = await apply(
    message,
    { $or: [{ editVersion: { $exists: false } }, { editVersion: { $lt: news.version } }] },
    {
      $set: { content: news.content, editVersion: news.version },
      $push: { edits: { content: message.content, at } },
    },
  )
  return change ?? 'old'
}

/** The contact's reactions on a message, whoever wrote it, as they now stand. */
export async function react(
  inbox: InboxDoc,
  news: { providerId: ProviderMessageId; emojis: string[]; version: number },
): Promise<News> {
  const message = await Message.byProviderId(
    inbox.workspace,
    inbox._id,
    news.providerId,
    inboundMessageId(inbox._id, news.providerId),
  )
  if (!message) return 'unknown message'
  if ((message.reactionVersion ?? -1) >= news.version) return 'old'
  const reactions = [
    ...message.reactions.filter((reaction) => reaction.by === 'agent'),
    ...news.emojis.map((emoji) => ({ by: 'contact' as const, emoji })),
  ]
  const change = await apply(
    message,
    {
      reactions: message.reactions,
      $or: [{ reactionVersion: { $exists: false } }, { reactionVersion: { $lt: news.version } }],
    },
    { $set: { reactions, reactionVersion: news.version } },
  )
  // An agent reacted in the same instant: look again, so that neither takes the other's away.
  return change ?? react(inbox, news)
}

/** The contact took a message back: it stays in the timeline, said to be deleted, for those who have read it already. */
export async function takeBack(
  inbox: InboxDoc,
  news: { providerId: ProviderMessageId },
  at: Date,
): Promise<News> {
  const message = await Message.findOne({
    workspace: inbox.workspace,
    _id: inboundMessageId(inbox._id, news.providerId),
  }).lean<MessageDoc>()
  if (!message) return 'unknown message'
  const change = await apply(message, { deletedAt: { $exists: false } }, { $set: { deletedAt: at } })
  return change ?? 'old'
}

/** How far a provider's clock may be behind ours: its moment for a message is then before the one we sent it at. */
const CLOCKS_DIFFER_MS = 1_000
/** Messages a watermark may lift at once; a longer silence is caught up with by the next one. */
const LIFTED_AT_ONCE = 100

/** Everything sent to a contact up to a moment was delivered, or read. */
export async function reach(
  inbox: InboxDoc,
  news: { from: Address; status: 'delivered' | 'read'; upTo: Date; named?: ProviderMessageId[] },
  at: Date,
): Promise<MessageChange[]> {
  const conversation = await currentOf(inbox, news.from)
  if (!conversation) return []
  const behind = await Message.find({
    workspace: inbox.workspace,
    conversation: conversation._id,
    direction: 'outbound',
    'delivery.rank': { $gte: rankOf('sent'), $lt: rankOf(news.status) },
    // Begun, not answered: a provider dates a message before we have its answer.
    $or: [
      { 'delivery.attempts.startedAt': { $lte: new Date(news.upTo.getTime() + CLOCKS_DIFFER_MS) } },
      { 'delivery.attempts.providerId': { $in: news.named ?? [] } },
    ],
  })
    .sort({ rev: 1 })
    .limit(LIFTED_AT_ONCE)
    .lean<OutboundDoc[]>()
  const changes = await Promise.all(behind.map((message) => climb(message, { status: news.status, at })))
  return changes.filter((change) => change !== null)
}

/**
 * Somebody answered in the provider's own app: it is part of what was said. Null where it is one of ours, or known, or the
 * contact never wrote here.
 */
export async function overhear(
  inbox: InboxDoc,
  echo: { to: Address; providerId: ProviderMessageId; content: Content },
  at: Date,
): Promise<MessageChange | null> {
  const id = inboundMessageId(inbox._id, echo.providerId)
  if (await Message.byProviderId(inbox.workspace, inbox._id, echo.providerId, id)) return null
  const conversation = await currentOf(inbox, echo.to)
  if (!conversation) return null
  const author = { kind: 'system', id: 'system', name: 'In the provider’s own app' } as const
  const place = await Conversation.advance(inbox.workspace, conversation._id, {
    $set: { lastTurn: turnOf(id, author, echo.content, 'outbound', false, at), lastActivityAt: at },
    $unset: { waitingSince: 1 },
  })
  if (!place) return null
  const message = messageAt(place, {
    _id: id,
    direction: 'outbound',
    author,
    content: echo.content,
    note: false,
    providerId: echo.providerId,
    createdAt: at,
  })
  return (await Message.write(message)) ? { conversation: place, message } : null
}

async function identityOf(inbox: InboxDoc, address: Address): Promise<IdentityDoc | null> {
  const { workspace, channel } = inbox
  return Identity.findOne({ workspace, channel, key: addressKey(channel, address).key }).lean<IdentityDoc>()
}

/** The conversation a contact's messages join now. */
async function currentOf(inbox: InboxDoc, address: Address): Promise<ConversationDoc | null> {
  const identity = await identityOf(inbox, address)
  if (!identity) return null
  return Conversation.findOne({
    workspace: inbox.workspace,
    inbox: inbox._id,
    identity: identity._id,
    current: true,
  }).lean<ConversationDoc>()
}

/**
 * Keeps to a STOP or START that is all a message says, on channels where that is the custom: from then on nothing is sent
 * to any of their numbers' conversations, through whichever inbox. Returns the conversations that changed.
 */
export async function heedConsent(
  inbox: InboxDoc,
  written: InboundMessage,
  at: Date,
): Promise<ConversationDoc[]> {
  if (!isByPhone(inbox.channel) || written.content.type !== 'text') return []
  const consent = consentIn(written.content.text)
  if (!consent) return []
  const { workspace } = inbox
  const identity = await identityOf(inbox, written.from)
  if (!identity) return []
  const identities = await Identity.consent(workspace, identity.contact, consent, at)
  const optedOut = consent === 'stop'
  const affected = await Conversation.find(
    { workspace, identity: { $in: identities }, current: true },
    { _id: 1 },
  ).lean<Pick<ConversationDoc, '_id'>[]>()
  const changes = await Promise.all(
    affected.map(({ _id }) =>
      Conversation.advance(
        workspace,
        _id,
        optedOut ? { $set: { 'contact.optedOut': true } } : { $unset: { 'contact.optedOut': 1 } },
        { 'contact.optedOut': optedOut ? { $ne: true } : true },
      ),
    ),
  )
  return changes.filter((conversation) => conversation !== null)
}

/**
 * The contact shut the door of this inbox to us, or opened it again. Null where that was known, or they never wrote here.
 * What counts is the conversation's own mark: one person may block one of our bots and not the other.
 */
export async function setReachable(
  inbox: InboxDoc,
  from: Address,
  reachable: boolean,
): Promise<ConversationDoc | null> {
  const { workspace } = inbox
  const conversation = await currentOf(inbox, from)
  if (!conversation) return null
  const change = { $set: { 'contact.reachable': reachable } }
  return Conversation.advance(workspace, conversation._id, change, { 'contact.reachable': !reachable })
}

/** The conversation a contact is writing in, if there is one. Changes nothing. */
export async function writing(inbox: InboxDoc, from: Address): Promise<Change | null> {
  const conversation = await currentOf(inbox, from)
  return conversation && { conversation }
}
