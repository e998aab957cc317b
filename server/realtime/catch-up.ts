import { Timestamp } from 'bson'
import { type AgentDoc, confinedTo } from '../../models/agent.ts'
import { Conversation, type ConversationDoc } from '../../models/conversation.ts'
import type { ConversationId, InboxId } from '../../models/ids.ts'
import { Message, type MessageDoc } from '../../models/message.ts'
import { Participation, type ParticipationDoc } from '../../models/participation.ts'
import { conversationRow, messageView, readingView } from '../views.ts'
import type { Changes, ConversationRow } from './protocol.ts'

/**
 * A position in everything an agent sees. `at` is the database's logical clock; `exact` says that this is a page's end and
 * the next one goes on right behind it; `access` is the agent's rights at the time.
 */
interface Cursor {
  at: Timestamp
  exact: boolean
  access: number
}

/** A change is stamped a moment before it can be seen; every fresh look goes back this far. Applying twice is harmless. */
const OVERLAP_S = 10
/** Older cursors, and longer absences, are answered with a fresh snapshot: it is shorter than what happened since. */
const TOO_OLD_S = 24 * 60 * 60
const MAX_CHANGES = 500
export const SNAPSHOT_ROWS = 50

export function writeCursor({ at, exact, access }: Cursor): string {
  return Buffer.from(`${at.toBigInt()}.${exact ? 1 : 0}.${access}`).toString('base64url')
}

/** Null for a text that is none of ours: answered like a cursor too old. */
export function readCursor(text: string): Cursor | null {
  const match = /^(\d{1,20})\.([01])\.(\d{1,9})$/.exec(Buffer.from(text, 'base64url').toString('latin1'))
  if (!match?.[1]) return null
  const value = BigInt(match[1])
  if (value > 0xffff_ffff_ffff_ffffn) return null
  return { at: new Timestamp(value), exact: match[2] === '1', access: Number(match[3]) }
}

/** What happened since a cursor to what this agent may see, or the first page of everything. */
export async function changesSince(agent: AgentDoc, cursor: string | null): Promise<Changes> {
  const from = cursor === null ? null : readCursor(cursor)
  if (!from || from.access !== agent.access) return snapshot(agent)
  if (!from.at.isZero()) {
    // The cursor of an empty workspace is zero, and everything since is not too much: it is all there is.
    const latest = await latestMoment(agent)
    if (latest.getHighBitsUnsigned() - from.at.getHighBitsUnsigned() > TOO_OLD_S) return snapshot(agent)
  }
  return since(agent, from)
}

async function since(agent: AgentDoc, from: Cursor): Promise<Changes> {
  const { workspace } = agent
  const inboxes = inboxFilter(agent)
  const touched = { $gt: from.exact ? from.at : before(from.at, OVERLAP_S) }
  const newest = { sort: { touched: 1 as const }, limit: MAX_CHANGES }
  const [conversations, messages, participations] = await Promise.all([
    Conversation.find({ workspace, touched, ...inboxes }, null, newest).lean<ConversationDoc[]>(),
    Message.find({ workspace, touched, ...inboxes }, null, newest).lean<MessageDoc[]>(),
    Participation.find({ workspace, agent: agent._id, touched }, null, newest).lean<ParticipationDoc[]>(),
  ])
  // Where one of the three goes on past this page, the page ends there for all of them.
  const full = [conversations, messages, participations].filter((rows) => rows.length === MAX_CHANGES)
  const end = full
    .map((rows) => rows.at(-1)?.touched)
    .filter((at) => at !== undefined)
    .sort(compare)[0]
  const within = <T extends { touched: Timestamp }>(rows: T[]): T[] =>
    end ? rows.filter((row) => compare(row.touched, end) <= 0) : rows
  const page = {
    conversations: within(conversations),
    messages: within(messages),
    participations: within(participations),
  }
  const last = [...page.conversations, ...page.messages, ...page.participations]
    .map((row) => row.touched)
    .sort(compare)
    .at(-1)
  const reached = last && compare(last, from.at) > 0 ? last : from.at
  return {
    snapshot: false,
    conversations: await withReadings(agent, page.conversations),
    messages: page.messages.map(messageView),
    readings: page.participations.map(readingView),
    cursor: writeCursor({ at: reached, exact: end !== undefined, access: agent.access }),
    more: end !== undefined,
  }
}

/** The cursor is read before the rows: what changes in between is told twice rather than never. */
async function snapshot(agent: AgentDoc): Promise<Changes> {
  const at = await latestMoment(agent)
  const rows = await Conversation.find({ workspace: agent.workspace, ...inboxFilter(agent) })
    .sort({ lastActivityAt: -1, _id: -1 })
    .limit(SNAPSHOT_ROWS)
    .lean<ConversationDoc[]>()
  return {
    snapshot: true,
    conversations: await withReadings(agent, rows),
    messages: [],
    readings: [],
    cursor: writeCursor({ at, exact: false, access: agent.access }),
    more: false,
  }
}

async function latestMoment(agent: AgentDoc): Promise<Timestamp> {
  const { workspace } = agent
  const latest = { sort: { touched: -1 as const } }
  const [conversation, participation] = await Promise.all([
    Conversation.findOne({ workspace }, { touched: 1 }, latest).lean<ConversationDoc>(),
    Participation.findOne({ workspace, agent: agent._id }, { touched: 1 }, latest).lean<ParticipationDoc>(),
  ])
  const moments = [conversation?.touched, participation?.touched].filter((at) => at !== undefined)
  return moments.sort(compare).at(-1) ?? new Timestamp(0n)
}

/** Rows with the agent's own reading of each. */
export async function withReadings(
  agent: AgentDoc,
  conversations: ConversationDoc[],
): Promise<ConversationRow[]> {
  const ids = conversations.map((conversation) => conversation._id)
  const participations = await Participation.find({
    workspace: agent.workspace,
    agent: agent._id,
    conversation: { $in: ids },
  }).lean<ParticipationDoc[]>()
  const byConversation = new Map<ConversationId, ParticipationDoc>(
    participations.map((each) => [each.conversation, each]),
  )
  return conversations.map((conversation) =>
    conversationRow(conversation, agent._id, byConversation.get(conversation._id)),
  )
}

/** The part of a filter that keeps an agent to the inboxes they work in. */
export function inboxFilter(agent: AgentDoc): { inbox?: { $in: InboxId[] } } {
  const confined = confinedTo(agent)
  return confined === null ? {} : { inbox: { $in: confined } }
}

const compare = (a: Timestamp, b: Timestamp): number => a.compare(b)
const before = (at: Timestamp, seconds: number): Timestamp =>
  Timestamp.fromBits(0, Math.max(0, at.getHighBitsUnsigned() - seconds))
