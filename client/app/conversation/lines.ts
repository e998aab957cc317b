import type { ClientMessageId, MessageId } from '../../../models/ids.ts'
import type { AgentView, MessageView } from '../../../server/realtime/protocol.ts'
import type { PendingMessage } from '../live/state.ts'

/** A message as the timeline draws it. */
export interface Line {
  /** The same before and after the server answered, so that the echo is replaced in its place. */
  key: string
  message: MessageView
  pending?: PendingMessage
  /** The day begins here. */
  day: boolean
  /** What the agent had not read when they opened the conversation begins here. */
  unread: boolean
  /** First and last of one author's turn. */
  first: boolean
  last: boolean
}

const TURN_MS = 5 * 60_000

export function linesOf(
  messages: MessageView[],
  pending: PendingMessage[],
  me: AgentView,
  firstUnread: MessageId | null,
): Line[] {
  const shown = [
    ...messages.filter(isShown).map((message) => ({ message, pending: undefined })),
    ...pending.filter(isEchoShown).map((mine) => ({ message: echoOf(mine, me), pending: mine })),
  ]
  const lines: Line[] = []
  for (const { message, pending: mine } of shown) {
    const before = lines.at(-1)
    const unread = message.id === firstUnread
    const day = !before || dayOf(before.message) !== dayOf(message)
    const first = day || unread || !before || !sameTurn(before.message, message)
    if (first && before) before.last = true
    lines.push({
      key: message.clientId ?? message.id,
      message,
      ...(mine ? { pending: mine } : {}),
      day,
      unread,
      first,
      last: false,
    })
  }
  const end = lines.at(-1)
  if (end) end.last = true
  return lines
}

/** Where the unread line goes; null where everything was read. */
export const firstUnreadOf = (messages: MessageView[], readRev: number): MessageId | null =>
  messages.find(({ direction, rev }) => direction === 'inbound' && rev > readRev)?.id ?? null

/** Reactions and edits show on the message they are about; only one that did not get there shows as itself. */
function isShown({ content, delivery }: MessageView): boolean {
  if (content.type !== 'reaction' && content.type !== 'edit') return true
  return delivery?.state === 'failed' || delivery?.state === 'uncertain'
}

const isEchoShown = ({ content, state }: PendingMessage): boolean =>
  (content.type !== 'reaction' && content.type !== 'edit') || state !== 'sending'

export function echoOf(mine: PendingMessage, me: AgentView): MessageView {
  return {
    id: mine.clientId as ClientMessageId & MessageId,
    conversation: mine.conversation,
    rev: Number.POSITIVE_INFINITY,
    changedRev: 0,
    direction: 'outbound',
    author: { kind: 'agent', id: me.id, name: me.name },
    content: mine.content,
    clientId: mine.clientId,
    note: mine.note,
    ...(mine.replyTo ? { replyTo: mine.replyTo } : {}),
    reactions: [],
    edits: [],
    createdAt: mine.createdAt,
  }
}

const dayOf = ({ createdAt }: MessageView): string => new Date(createdAt).toDateString()

const sameTurn = (a: MessageView, b: MessageView): boolean =>
  a.author.kind === b.author.kind &&
  a.author.id === b.author.id &&
  a.note === b.note &&
  Date.parse(b.createdAt) - Date.parse(a.createdAt) < TURN_MS
