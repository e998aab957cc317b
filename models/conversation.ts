import { model } from 'mongoose'
import { CHANNELS, type Channel } from './channels.ts'
import { type Choice, type Content, previewOf } from './content.ts'
import type {
  Address,
  AgentId,
  ContactId,
  ConversationId,
  IdentityId,
  InboxId,
  MessageId,
  WorkspaceId,
} from './ids.ts'
import { newId } from './ids.ts'
import type { Author, MessageDoc } from './message.ts'
import { TOUCH, type Touched, workspaceSchema } from './schema.ts'

export const CONVERSATION_STATUSES = ['open', 'snoozed', 'resolved'] as const
export type ConversationStatus = (typeof CONVERSATION_STATUSES)[number]

/** Everything said with one contact through one inbox. */
export interface ConversationDoc {
  _id: ConversationId
  workspace: WorkspaceId
  inbox: InboxId
  channel: Channel
  identity: IdentityId
  /** Of the conversations with this identity in this inbox, the one that new messages join: at most one, by an index. */
  current: boolean
  contact: {
    id: ContactId
    name: string
    address: Address
    /** False while they have blocked this inbox. */
    reachable: boolean
    /** True once they asked to hear nothing more, by STOP or its like, until they take it back. */
    optedOut?: boolean
  }
  status: ConversationStatus
  assignee: AgentId | null
  labels: string[]
  /** The place of the last change. Every change of the conversation or of a message in it takes the next. */
  rev: number
  touched: Touched
  /** How many messages the contact wrote. */
  inbound: number
  lastTurn?: LastTurn
  lastActivityAt: Date
  /** Since when the contact waits; absent while nobody does. */
  waitingSince?: Date
  /** When the contact wrote last. */
  theyWroteAt?: Date
  /** When the provider's window for free writing closes; absent where there is none. */
  windowClosesAt?: Date
  /** What our last message let them pick, where it offered something. */
  offered?: { message: MessageId; choices: Choice[] }
  snoozedUntil?: Date
  resolution?: { by: AgentId; at: Date }
  createdAt: Date
}

/** The last message that took a place, named before it is written so that a second try knows its own. */
export interface LastTurn {
  message: MessageId
  author: { id: string; name: string }
  preview: string
  direction: 'inbound' | 'outbound'
  note: boolean
  at: Date
}

/** What a verb did: the conversation as it now stands, and the message that was added or changed. */
export interface Change {
  conversation: ConversationDoc
  message?: MessageDoc
}
export interface MessageChange extends Change {
  message: MessageDoc
}

const schema = workspaceSchema<ConversationDoc>(
  {
    inbox: { type: String, required: true },
    channel: { type: String, enum: CHANNELS, required: true },
    identity: { type: String, required: true },
    current: { type: Boolean, required: true },
    contact: {
      type: {
        id: String,
        name: String,
        address: String,
        reachable: Boolean,
        optedOut: Boolean,
        _id: false,
      },
      required: true,
    },
    status: { type: String, enum: CONVERSATION_STATUSES, required: true },
    assignee: { type: String, default: null },
    labels: { type: [String], default: [] },
    rev: { type: Number, default: 0 },
    touched: {},
    inbound: { type: Number, default: 0 },
    lastTurn: {
      type: {
        message: String,
        author: { type: { id: String, name: String, _id: false } },
        preview: String,
        direction: String,
        note: Boolean,
        at: Date,
        _id: false,
      },
    },
    lastActivityAt: { type: Date, required: true },
    waitingSince: Date,
    theyWroteAt: Date,
    windowClosesAt: Date,
    offered: { type: { message: String, choices: [{ id: String, title: String, _id: false }], _id: false } },
    snoozedUntil: Date,
    resolution: { type: { by: String, at: Date, _id: false } },
    createdAt: { type: Date, required: true },
  },
  [
    [
      { workspace: 1, inbox: 1, identity: 1 },
      { unique: true, partialFilterExpression: { current: true } },
    ],
    [{ workspace: 1, touched: 1 }],
    [{ workspace: 1, lastActivityAt: -1, _id: -1 }],
    [{ workspace: 1, status: 1, lastActivityAt: -1, _id: -1 }],
    [{ workspace: 1, status: 1, assignee: 1, lastActivityAt: -1, _id: -1 }],
    [{ workspace: 1, inbox: 1, status: 1, lastActivityAt: -1, _id: -1 }],
    [{ workspace: 1, inbox: 1, lastActivityAt: -1, _id: -1 }],
    [{ workspace: 1, 'contact.id': 1, lastActivityAt: -1 }],
    [{ workspace: 1, identity: 1 }],
    [{ snoozedUntil: 1 }, { partialFilterExpression: { status: 'snoozed' } }],
  ],
)

const Model = model('Conversation', schema, 'conversations')

interface Update {
  $set?: Record<string, unknown>
  $unset?: Record<string, unknown>
  $inc?: Record<string, number>
  $min?: Record<string, unknown>
  $setOnInsert?: Record<string, unknown>
}
/** An update with the conversation's next rev and the database's own moment in it. */
const stepped = (update: Update) => ({ ...update, $inc: { ...update.$inc, rev: 1 }, ...TOUCH })

/**
 * The one write that every change begins with, straight through the driver: it runs several times a message, and what
 * mongoose would check here is typed already. Its callers name the workspace.
 */
const change = (
  filter: { workspace: WorkspaceId } & Record<string, unknown>,
  update: Update,
  upsert = false,
) =>
  Model.collection.findOneAndUpdate(filter as never, stepped(update) as never, {
    returnDocument: 'after',
    upsert,
  }) as unknown as Promise<ConversationDoc | null>

const turn = (
  message: MessageId,
  author: Author,
  content: Content,
  direction: LastTurn['direction'],
  note: boolean,
  at: Date,
): LastTurn => ({
  message,
  author: { id: author.id, name: author.name },
  preview: previewOf(content),
  direction,
  note,
  at,
})

export const Conversation = Object.assign(Model, {
  /**
   * Takes the next rev, with whatever else changes. Null where `condition` does not hold: nothing was taken then.
   * A rev taken and never used (we died in between) is a gap that clients heal by asking.
   */
  async advance(
    workspace: WorkspaceId,
    id: ConversationId,
    update: Update = {},
    condition: Record<string, unknown> = {},
  ): Promise<ConversationDoc | null> {
    return change({ ...condition, workspace, _id: id }, update)
  },

  /**
   * Makes room for a message of the contact: finds or opens the conversation, wakes it if it slept, and takes the
   * message's place, all in one write. Asked again for the same message it takes a place without counting it twice.
   */
  async admit(given: {
    workspace: WorkspaceId
    inbox: InboxId
    channel: Channel
    identity: IdentityId
    contact: ConversationDoc['contact']
    message: MessageId
    content: Content
    windowClosesAt: Date | undefined
    at: Date
  }): Promise<ConversationDoc> {
    const { workspace, inbox, channel, identity, contact, message, content, windowClosesAt, at } = given
    const lastTurn = turn(message, { kind: 'contact', ...contact }, content, 'inbound', false, at)
    const mine = { workspace, inbox, identity, current: true }
    const effect = {
      $set: {
        status: 'open',
        lastTurn,
        lastActivityAt: at,
        theyWroteAt: at,
        ...(windowClosesAt ? { windowClosesAt } : {}),
        'contact.reachable': true,
        'contact.address': contact.address,
      },
      $unset: { snoozedUntil: 1, resolution: 1 },
      $min: { waitingSince: at },
      $inc: { inbound: 1 },
    }
    const first = {
      _id: newId<ConversationId>(),
      channel,
      'contact.id': contact.id,
      'contact.name': contact.name,
      ...(contact.optedOut ? { 'contact.optedOut': true } : {}),
      assignee: null,
      labels: [],
      createdAt: at,
    }
    const notYet = { ...mine, 'lastTurn.message': { $ne: message } }
    const join = async () => (await change(notYet, effect)) ?? again()
    // This very message took a place before, and its writer died: it takes another, and is not counted twice.
    const again = () => change({ ...mine, 'lastTurn.message': message }, {})
    const begin = () => change(notYet, { ...effect, $setOnInsert: first }, true)
    // A duplicate key says that another webhook began it this instant.
    const conversation = (await join()) ?? (await begin().catch(onDuplicate(join)))
    if (!conversation) throw new Error('a conversation vanished while a message arrived')
    return conversation
  },

  /** The conversation a message of ours joins; where there is none it begins resolved. */
  async begin(given: {
    workspace: WorkspaceId
    inbox: InboxId
    channel: Channel
    identity: IdentityId
    contact: ConversationDoc['contact']
    at: Date
  }): Promise<ConversationDoc> {
    const { workspace, inbox, identity, at, ...rest } = given
    const current = { workspace, inbox, identity, current: true }
    const find = () => Model.findOne(current).lean<ConversationDoc>()
    const first = {
      _id: newId<ConversationId>(),
      ...rest,
      status: 'resolved',
      assignee: null,
      labels: [],
      inbound: 0,
      lastActivityAt: at,
      createdAt: at,
    }
    const conversation =
      (await find()) ?? (await change(current, { $setOnInsert: first }, true).catch(onDuplicate(find)))
    if (!conversation) throw new Error('a conversation vanished as it began')
    return conversation
  },

  /** Gives it to an agent, or to nobody. */
  async assign(
    workspace: WorkspaceId,
    id: ConversationId,
    assignee: AgentId | null,
  ): Promise<ConversationDoc | null> {
    return Conversation.advance(workspace, id, { $set: { assignee } })
  },

  async resolve(
    workspace: WorkspaceId,
    id: ConversationId,
    by: AgentId,
    at: Date,
  ): Promise<ConversationDoc | null> {
    return Conversation.advance(workspace, id, {
      $set: { status: 'resolved', resolution: { by, at } },
      $unset: { waitingSince: 1, snoozedUntil: 1 },
    })
  },

  /** Opens it again, from resolved or snoozed. */
  async reopen(workspace: WorkspaceId, id: ConversationId): Promise<ConversationDoc | null> {
    return Conversation.advance(workspace, id, {
      $set: { status: 'open' },
      $unset: { resolution: 1, snoozedUntil: 1 },
    })
  },

  async snooze(workspace: WorkspaceId, id: ConversationId, until: Date): Promise<ConversationDoc | null> {
    return Conversation.advance(workspace, id, {
      $set: { status: 'snoozed', snoozedUntil: until },
      $unset: { resolution: 1 },
    })
  },

  /** Opens those whose time has come; each only once, whoever asks. */
  async wake(now: Date): Promise<ConversationDoc[]> {
    const due = await Model.find(
      { status: 'snoozed', snoozedUntil: { $lte: now } },
      { workspace: 1 },
      { acrossWorkspaces: 'snoozes end by the clock, not by a request', limit: 500 },
    ).lean<Pick<ConversationDoc, '_id' | 'workspace'>[]>()
    const woken = await Promise.all(
      due.map(({ _id, workspace }) =>
        Conversation.advance(
          workspace,
          _id,
          { $set: { status: 'open' }, $unset: { snoozedUntil: 1 } },
          { status: 'snoozed', snoozedUntil: { $lte: now } },
        ),
      ),
    )
    return woken.filter((conversation) => conversation !== null)
  },

  async label(workspace: WorkspaceId, id: ConversationId, labels: string[]): Promise<ConversationDoc | null> {
    return Conversation.advance(workspace, id, { $set: { labels } })
  },
})

/** Handles a duplicate key, and passes on every other error. */
const onDuplicate =
  <T>(then: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 11000) return then()
    throw error
  }

export { turn as turnOf }
