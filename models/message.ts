import { model } from 'mongoose'
import { Batcher } from './batcher.ts'
import type { Content } from './content.ts'
import type { Delivery } from './delivery.ts'
import type {
  AgentId,
  ApiKeyId,
  ClientMessageId,
  ContactId,
  ConversationId,
  InboxId,
  MessageId,
  ProviderMessageId,
  WorkspaceId,
} from './ids.ts'
import { insertAll } from './insert-all.ts'
import { type Touched, workspaceSchema } from './schema.ts'

export type Author =
  | { kind: 'contact'; id: ContactId; name: string }
  | { kind: 'agent'; id: AgentId; name: string }
  | { kind: 'api'; id: ApiKeyId; name: string }
  | { kind: 'system'; id: 'system'; name: string }

/** One turn. Its id is made of what makes it unique; see `ids.ts`. */
export interface MessageDoc {
  _id: MessageId
  workspace: WorkspaceId
  conversation: ConversationId
  inbox: InboxId
  /** Its place in the timeline, taken from the conversation. */
  rev: number
  /** The conversation's rev at its last change. */
  changedRev: number
  touched: Touched
  direction: 'inbound' | 'outbound'
  author: Author
  content: Content
  clientId?: ClientMessageId
  note: boolean
  replyTo?: MessageId
  /** Inbound: the provider's name for it. */
  providerId?: ProviderMessageId
  /** Outbound: its outbox. */
  delivery?: Delivery
  reactions: { by: 'contact' | 'agent'; emoji: string }[]
  /** What it said before, oldest first. */
  edits: { content: Content; at: Date }[]
  /** The provider's numbers of the last edit and the last reaction seen, by which older ones are known. */
  editVersion?: number
  reactionVersion?: number
  /** When it was taken back. What it said is kept, and shown as deleted. */
  deletedAt?: Date
  /** When the provider says it was written. */
  writtenAt?: Date
  createdAt: Date
}

const schema = workspaceSchema<MessageDoc>(
  {
    conversation: { type: String, required: true },
    inbox: { type: String, required: true },
    rev: { type: Number, required: true },
    changedRev: { type: Number, required: true },
    touched: {},
    direction: { type: String, enum: ['inbound', 'outbound'], required: true },
    author: { type: { kind: String, id: String, name: String, _id: false }, required: true },
    content: {},
    clientId: String,
    note: { type: Boolean, default: false },
    replyTo: String,
    providerId: String,
    delivery: {},
    reactions: { type: [{ by: String, emoji: String, _id: false }], default: [] },
    edits: { type: [{ content: {}, at: Date, _id: false }], default: [] },
    editVersion: Number,
    reactionVersion: Number,
    deletedAt: Date,
    writtenAt: Date,
    createdAt: { type: Date, required: true },
  },
  [
    [{ workspace: 1, conversation: 1, rev: 1 }],
    [{ workspace: 1, touched: 1 }],
    // A receipt names the provider's id alone.
    [{ inbox: 1, 'delivery.attempts.providerId': 1 }, { partialFilterExpression: { direction: 'outbound' } }],
    // What the worker has left to do, by time and by conversation.
    [{ 'delivery.dueAt': 1 }, { partialFilterExpression: { 'delivery.pending': true } }],
    [{ conversation: 1, rev: 1 }, { partialFilterExpression: { 'delivery.pending': true } }],
    // Files still at the provider.
    [{ 'content.file.state': 1 }, { partialFilterExpression: { 'content.file.state': 'pending' } }],
  ],
)

const Model = model('Message', schema, 'messages')

/** A page of a timeline; `more` says whether it goes on in the direction asked. */
export interface Page {
  messages: MessageDoc[]
  more: boolean
}

/** What a conversation gives to a message that takes a place in it. */
interface Place {
  _id: ConversationId
  workspace: WorkspaceId
  inbox: InboxId
  rev: number
  touched: Touched
}

/** A new message at the place that its conversation gave it. */
export const messageAt = (
  { _id, workspace, inbox, rev, touched }: Place,
  said: Omit<MessageDoc, keyof Place | 'conversation' | 'changedRev' | 'reactions' | 'edits'> & {
    _id: MessageId
  },
): MessageDoc => ({
  ...said,
  workspace,
  conversation: _id,
  inbox,
  rev,
  changedRev: rev,
  touched,
  reactions: [],
  edits: [],
})

const known = new Batcher<MessageId, boolean>(async (ids) => {
  const among = { _id: { $in: ids as never[] } }
  const found = await Model.collection.find(among, { projection: { _id: 1 } }).toArray()
  const there = new Set(found.map(({ _id }) => String(_id)))
  return ids.map((id) => there.has(id))
})
const writing = new Batcher<MessageDoc, boolean>((messages) => insertAll(Model.collection, messages))

export const Message = Object.assign(Model, {
  /** Whether a message is written. Those asked for together are looked up together; the id alone says whose it is. */
  isWritten: (id: MessageId): Promise<boolean> => known.add(id),

  /** Writes a new message, with others that come at the same moment. False where it was written before. */
  write: (message: MessageDoc): Promise<boolean> => writing.add(message),

  /**
   * Ascending by rev: those after a rev, those right before one, or the latest.
   * @param limit at most this many
   */
  async page(
    workspace: WorkspaceId,
    conversation: ConversationId,
    { after, before, limit }: { after?: number; before?: number; limit: number },
  ): Promise<Page> {
    if (after !== undefined) {
      const rows = await Model.find({ workspace, conversation, rev: { $gt: after } })
        .sort({ rev: 1 })
        .limit(limit + 1)
        .lean<MessageDoc[]>()
      return { messages: rows.slice(0, limit), more: rows.length > limit }
    }
    const rows = await Model.find({
      workspace,
      conversation,
      ...(before === undefined ? {} : { rev: { $lt: before } }),
    })
      .sort({ rev: -1 })
      .limit(limit + 1)
      .lean<MessageDoc[]>()
    return { messages: rows.slice(0, limit).reverse(), more: rows.length > limit }
  },

  /** The provider's name for a message, whichever way it went: what a reply quotes. */
  async providerIdOf(workspace: WorkspaceId, id: MessageId): Promise<ProviderMessageId | undefined> {
    const message = await Model.findOne(
      { workspace, _id: id },
      { providerId: 1, 'delivery.attempts': 1 },
    ).lean<MessageDoc>()
    return (
      message?.providerId ?? message?.delivery?.attempts.findLast((attempt) => attempt.providerId)?.providerId
    )
  },

  /** The provider's name for the contact's latest message, or the latest up to a rev. */
  async latestInbound(
    workspace: WorkspaceId,
    conversation: ConversationId,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Promise<ProviderMessageId | undefined> {
    const message = await Model.findOne(
      { workspace, conversation, rev: { $lte: upTo }, direction: 'inbound' },
      { providerId: 1 },
    )
      .sort({ rev: -1 })
      .lean<Pick<MessageDoc, 'providerId'>>()
    return message?.providerId
  },

  /** A message by a name the provider uses for it: one of ours it took, or one of the contact's. */
  async byProviderId(
    workspace: WorkspaceId,
    inbox: InboxId,
    providerId: ProviderMessageId,
    inboundId: MessageId,
  ): Promise<MessageDoc | null> {
    return (
      (await Model.findOne({ workspace, _id: inboundId }).lean<MessageDoc>()) ??
      (await Model.findOne({
        workspace,
        inbox,
        direction: 'outbound',
        'delivery.attempts.providerId': providerId,
      }).lean<MessageDoc>())
    )
  },
})
