import { type Content, choicesOf, isAboutAnother } from './content.ts'
import { Conversation, type ConversationDoc, type MessageChange, turnOf } from './conversation.ts'
import { rankOf } from './delivery.ts'
import type { AgentId, ClientMessageId, MessageId } from './ids.ts'
import { outboundMessageId } from './ids.ts'
import { type Author, Message, type MessageDoc, messageAt } from './message.ts'

/** Somebody wrote in between, or the conversation is another's: the author should look before sending. */
export class StaleReply extends Error {
  override name = 'StaleReply'
  /** The lines the author had not seen, oldest first; empty where only the assignee differs. */
  readonly unseen: MessageDoc[]
  readonly assignee: AgentId | null
  constructor(unseen: MessageDoc[], assignee: AgentId | null) {
    super('the conversation moved on')
    this.unseen = unseen
    this.assignee = assignee
  }
}

export interface Reply {
  author: Author
  clientId: ClientMessageId
  content: Content
  note: boolean
  replyTo?: MessageId
  /** The newest rev the author had seen; refused as stale where others wrote since. */
  seenRev?: number
  /** Who the author believes has it; refused as stale where somebody else has. */
  expectedAssignee?: AgentId | null
  at: Date
  /** A message still unsent by then fails, saying so. */
  expiresAt: Date
  /** Waits a moment (milliseconds) for a line that took its place and is about to be written. */
  pause: () => Promise<unknown>
}

/** Times that two authors may race each other for the same place before we give up; each round one of them wins. */
const ROUNDS = 50

/** The message a client wrote under this name before, if it did. */
export async function alreadyWritten(
  { workspace, _id }: Pick<ConversationDoc, '_id' | 'workspace'>,
  clientId: ClientMessageId,
): Promise<MessageDoc | null> {
  return Message.findOne({ workspace, _id: outboundMessageId(_id, clientId) }).lean<MessageDoc>()
}

/**
 * Writes an agent's message, with its delivery queued inside it: after this returns it will be sent or accounted for. Ask
 * {@link alreadyWritten} first; of the same message asked for twice at once one is written, and returned to both.
 * @throws StaleReply where `seenRev` or `expectedAssignee` no longer hold.
 */
export async function reply(
  conversation: Pick<ConversationDoc, '_id' | 'workspace' | 'inbox'>,
  given: Reply,
): Promise<MessageChange & { created: boolean }> {
  const id = outboundMessageId(conversation._id, given.clientId)
  const place = await takePlace(conversation, id, given)
  const message = messageAt(place, {
    _id: id,
    direction: 'outbound',
    author: given.author,
    content: given.content,
    clientId: given.clientId,
    note: given.note,
    ...(given.replyTo ? { replyTo: given.replyTo } : {}),
    ...(given.note ? {} : { delivery: queued(given.at, given.expiresAt) }),
    createdAt: given.at,
  })
  if (!(await Message.write(message))) {
    const first = await alreadyWritten(conversation, given.clientId) // the same request, sent twice at once
    if (first) return { conversation: place, message: first, created: false }
  }
  return { conversation: place, message, created: true }
}

const queued = (at: Date, expiresAt: Date) => ({
  state: 'queued' as const,
  rank: rankOf('queued'),
  pending: true,
  dueAt: at,
  expiresAt,
  tries: 0,
  attempts: [],
})

/** Takes the message's place; if the author set conditions, only while they hold, in one atomic write. */
async function takePlace(
  conversation: Pick<ConversationDoc, '_id' | 'workspace'>,
  id: MessageId,
  given: Reply,
) {
  const { workspace, _id } = conversation
  const update = effectOf(id, given)
  if (given.seenRev === undefined && given.expectedAssignee === undefined) {
    const place = await Conversation.advance(workspace, _id, update)
    if (place) return place
  }
  for (let round = 0; round < ROUNDS; round++) {
    const { conversation: now } = await standing(conversation)
    if ((await look(now, id, given)) === 'line under way') {
      await given.pause()
      continue
    }
    // Holds only if nothing at all changed since we looked: between the look and the write nobody can slip in.
    const place = await Conversation.advance(workspace, _id, update, { rev: now.rev })
    if (place) return place
  }
  throw new StaleReply([], null)
}

/** What a message does to its conversation, beside taking a place in it. */
function effectOf(id: MessageId, given: Reply) {
  const { author, content, note, at } = given
  // A reaction or an edit shows on the message it is about: the list goes on saying what was said last.
  if (isAboutAnother(content)) return { $set: { 'lastTurn.message': id } }
  const said = { lastTurn: turnOf(id, author, content, 'outbound', note, at), lastActivityAt: at }
  if (note) return { $set: said }
  const choices = choicesOf(content)
  // After words that offer nothing, a number is a number again.
  const offer = choices.length > 0 ? { offered: { message: id, choices } } : {}
  const over = choices.length > 0 ? {} : { offered: 1 }
  // What another system sends answers nobody, and gives nobody work.
  if (author.kind === 'api') return { $set: { ...said, ...offer }, $unset: over }
  return {
    $set: { ...said, ...offer, status: 'open' },
    $unset: { ...over, waitingSince: 1, snoozedUntil: 1, resolution: 1 },
  }
}

/**
 * Throws where the author should look first. A turn that took its place but is not written yet was certainly not seen by
 * this author: it is written within moments, and then we know what it says, or its writer died and its place is nobody's.
 */
async function look(
  now: ConversationDoc,
  id: MessageId,
  given: Reply,
): Promise<'up to date' | 'line under way'> {
  if (given.expectedAssignee !== undefined && given.expectedAssignee !== now.assignee)
    throw new StaleReply([], now.assignee)
  if (given.seenRev === undefined) return 'up to date'
  // First whether the last turn is written, then what is newer: the other way round it could be written in between, and
  // be missed by both looks.
  if (await isUnderWay(now, id, given.at)) return 'line under way'
  const newer = await Message.find({
    workspace: now.workspace,
    conversation: now._id,
    rev: { $gt: given.seenRev },
  })
    .sort({ rev: 1 })
    .limit(50)
    .lean<MessageDoc[]>()
  const unseen = newer.filter((message) => message.author.id !== given.author.id)
  if (unseen.length > 0) throw new StaleReply(unseen, now.assignee)
  return 'up to date'
}

async function isUnderWay({ lastTurn }: ConversationDoc, id: MessageId, at: Date): Promise<boolean> {
  if (!lastTurn || lastTurn.message === id || at.getTime() - lastTurn.at.getTime() > TURN_IS_LOST_MS)
    return false
  return !(await Message.isWritten(lastTurn.message))
}

/** A turn that is not written this long after it took its place never will be, under that place. */
const TURN_IS_LOST_MS = 2_000

async function standing(
  conversation: Pick<ConversationDoc, '_id' | 'workspace'>,
): Promise<{ conversation: ConversationDoc }> {
  const now = await Conversation.findOne({
    workspace: conversation.workspace,
    _id: conversation._id,
  }).lean<ConversationDoc>()
  if (!now) throw new Error('a conversation vanished')
  return { conversation: now }
}
