import type { LiveEvent } from '../../client/app/live/state.ts'
import type {
  AgentId,
  ClientMessageId,
  ContactId,
  ConversationId,
  InboxId,
  MessageId,
} from '../../models/ids.ts'
import type {
  Changes,
  ConversationRow,
  ConversationView,
  MessageView,
  ReadingView,
} from '../../server/realtime/protocol.ts'

export const KIM = 'kim' as AgentId
export const NOOR = 'noor' as AgentId
export const INBOX = 'inbox' as InboxId
export const conversationId = (name: string) => name as ConversationId

const MOMENT = Date.UTC(2026, 0, 1)

/** A server small enough to read: what it holds is the truth the client must arrive at. */
export class World {
  readonly conversations = new Map<ConversationId, ConversationView>()
  readonly messages = new Map<ConversationId, MessageView[]>()
  readonly readings = new Map<ConversationId, ReadingView>()
  #log: { conversation?: ConversationId; message?: MessageId; reading?: ConversationId }[] = []
  #clock = 0

  inbound(id: ConversationId): LiveEvent {
    const conversation = this.#open(id)
    return this.#add(conversation, {
      direction: 'inbound',
      author: { kind: 'contact', id: 'ada' as ContactId, name: 'Ada' },
    })
  }

  reply(id: ConversationId, clientId = `client ${this.#clock}` as ClientMessageId): LiveEvent {
    const conversation = this.#open(id)
    return this.#add(conversation, {
      direction: 'outbound',
      author: { kind: 'agent', id: KIM, name: 'Kim' },
      clientId,
      delivery: { state: 'queued', attempts: [] },
    })
  }

  /** Something about an earlier message changed: a status, an edit. Null where there is none. */
  change(id: ConversationId, which: number): LiveEvent | null {
    const messages = this.messages.get(id) ?? []
    const old = messages[which % Math.max(messages.length, 1)]
    const conversation = this.conversations.get(id)
    if (!old || !conversation) return null
    const rev = conversation.rev + 1
    const message: MessageView = {
      ...old,
      changedRev: rev,
      reactions: [...old.reactions, { by: 'contact', emoji: '👍' }],
    }
    messages[messages.indexOf(old)] = message
    const changed = this.#set({ ...conversation, rev })
    this.#log.push({ conversation: id, message: message.id })
    return { type: 'message.changed', conversation: changed, message }
  }

  assign(id: ConversationId, assignee: AgentId | null): LiveEvent {
    const conversation = this.#open(id)
    const changed = this.#set({ ...conversation, rev: conversation.rev + 1, assignee })
    this.#log.push({ conversation: id })
    return { type: 'conversation.changed', conversation: changed }
  }

  read(id: ConversationId): LiveEvent {
    const { rev, inbound } = this.#open(id)
    const reading = { conversation: id, agent: KIM, rev, inbound }
    this.readings.set(id, reading)
    this.#log.push({ reading: id })
    return { type: 'reading.changed', reading }
  }

  changes(cursor: string | null, most = Number.POSITIVE_INFINITY): Changes {
    if (cursor === null) return this.snapshot()
    const from = Number(cursor)
    const part = this.#log.slice(from, from + most)
    const touched = unique(part.map(({ conversation }) => conversation))
    const messages = part.flatMap(({ conversation, message }) => {
      const found = conversation && this.messages.get(conversation)?.find(({ id }) => id === message)
      return found ? [found] : []
    })
    return {
      snapshot: false,
      conversations: touched.map((id) => this.row(id)),
      messages: unique(messages),
      readings: unique(part.map(({ reading }) => reading)).flatMap((id) => this.readings.get(id) ?? []),
      cursor: String(from + part.length),
      more: from + part.length < this.#log.length,
    }
  }

  snapshot(): Changes {
    return {
      snapshot: true,
      conversations: [...this.conversations.keys()].map((id) => this.row(id)),
      messages: [],
      readings: [],
      cursor: String(this.#log.length),
      more: false,
    }
  }

  row(id: ConversationId): ConversationRow {
    return { ...this.#open(id), reading: this.readings.get(id) ?? unread(id) }
  }

  page(id: ConversationId, before: number | null, limit: number): { messages: MessageView[]; end: boolean } {
    const older = (this.messages.get(id) ?? []).filter(({ rev }) => before === null || rev < before)
    return { messages: older.slice(-limit), end: older.length <= limit }
  }

  newer(id: ConversationId, after: number, limit: number): { messages: MessageView[]; end: boolean } {
    const newer = (this.messages.get(id) ?? []).filter(({ rev }) => rev > after)
    return { messages: newer.slice(0, limit), end: newer.length <= limit }
  }

  #add(
    conversation: ConversationView,
    part: Pick<MessageView, 'direction' | 'author'> & Partial<MessageView>,
  ) {
    const rev = conversation.rev + 1
    const at = this.#tick()
    const message: MessageView = {
      id: `${conversation.id} ${rev}` as MessageId,
      conversation: conversation.id,
      rev,
      changedRev: rev,
      content: { type: 'text', text: `line ${rev}` },
      note: false,
      reactions: [],
      edits: [],
      createdAt: at,
      ...part,
    }
    this.messages.set(conversation.id, [...(this.messages.get(conversation.id) ?? []), message])
    const inbound = conversation.inbound + (part.direction === 'inbound' ? 1 : 0)
    const changed = this.#set({ ...conversation, rev, inbound, lastActivityAt: at })
    this.#log.push({ conversation: conversation.id, message: message.id })
    return { type: 'message.added' as const, conversation: changed, message }
  }

  #open(id: ConversationId): ConversationView {
    return this.conversations.get(id) ?? this.#set(conversation(id, { lastActivityAt: this.#tick() }))
  }

  #set(conversation: ConversationView): ConversationView {
    this.conversations.set(conversation.id, conversation)
    return conversation
  }

  #tick(): string {
    this.#clock += 1
    return new Date(MOMENT + this.#clock * 1000).toISOString()
  }
}

const unread = (id: ConversationId): ReadingView => ({ conversation: id, agent: KIM, rev: 0, inbound: 0 })

export const conversation = (id: ConversationId, part: Partial<ConversationView> = {}): ConversationView => ({
  id,
  inbox: INBOX,
  channel: 'telegram',
  contact: { id: 'ada' as ContactId, name: 'Ada', address: '@ada', reachable: true, optedOut: false },
  status: 'open',
  assignee: null,
  labels: [],
  rev: 0,
  inbound: 0,
  lastMessage: null,
  waitingSince: null,
  theyWroteAt: null,
  windowClosesAt: null,
  snoozedUntil: null,
  resolution: null,
  createdAt: new Date(MOMENT).toISOString(),
  lastActivityAt: new Date(MOMENT).toISOString(),
  ...part,
})

const unique = <T>(values: (T | undefined)[]): T[] => [
  ...new Set(values.filter((value): value is T => value !== undefined)),
]
