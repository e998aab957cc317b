import type { Content } from './content.ts'
import { type Change, Conversation, type ConversationDoc, type MessageChange } from './conversation.ts'
import { Identity } from './identity.ts'
import type { Address, MessageId, ProviderMessageId } from './ids.ts'
import { inboundMessageId } from './ids.ts'
import type { InboxDoc } from './inbox.ts'
import { Message, type MessageDoc } from './message.ts'
import { apply } from './outbox.ts'

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
    contact: { id: identity.contact, name: identity.name, address: identity.address, reachable: true },
    message: id,
    content: written.content,
    at,
  })
  const message: MessageDoc = {
    _id: id,
    workspace,
    conversation: conversation._id,
    inbox: inbox._id,
    rev: conversation.rev,
    changedRev: conversation.rev,
    touched: conversation.touched,
    direction: 'inbound',
    author: { kind: 'contact', id: identity.contact, name: identity.name },
    content: written.content,
    note: false,
    ...(replyTo ? { replyTo } : {}),
    providerId: written.providerId,
    ...(written.writtenAt ? { writtenAt: written.writtenAt } : {}),
    reactions: [],
    edits: [],
    createdAt: at,
  }
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

/**
 * The contact shut the door of this inbox to us, or opened it again. Null where that was known, or they never wrote here.
 * What counts is the conversation's own mark: one person may block one of our bots and not the other.
 */
export async function setReachable(
  inbox: InboxDoc,
  from: Address,
  reachable: boolean,
): Promise<ConversationDoc | null> {
  const { workspace, channel } = inbox
  const identity = await Identity.findOne({ workspace, channel, address: from }, { _id: 1 }).lean()
  const conversation =
    identity &&
    (await Conversation.findOne(
      { workspace, inbox: inbox._id, identity: identity._id, current: true },
      { _id: 1 },
    ).lean())
  if (!conversation) return null
  const change = { $set: { 'contact.reachable': reachable } }
  return Conversation.advance(workspace, conversation._id, change, { 'contact.reachable': !reachable })
}

/** The conversation a contact is writing in, if there is one. Changes nothing. */
export async function writing(inbox: InboxDoc, from: Address): Promise<Change | null> {
  const { workspace, channel } = inbox
  const identity = await Identity.findOne({ workspace, channel, address: from }, { _id: 1 }).lean()
  if (!identity) return null
  const conversation = await Conversation.findOne({
    workspace,
    inbox: inbox._id,
    identity: identity._id,
    current: true,
  }).lean<ConversationDoc>()
  return conversation && { conversation }
}
