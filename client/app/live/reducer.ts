import type { ConversationId } from '../../../models/ids.ts'
import type {
  Changes,
  ConversationRow,
  ConversationView,
  MessageView,
} from '../../../server/realtime/protocol.ts'
import { added, dropped, freed, marked, withoutAnswered } from './pending.ts'
import type { LiveEvent, LiveState, Reading, Timeline, TimelinePage } from './state.ts'
import { addPage, emptyTimeline, failed, place } from './timeline.ts'

/**
 * The state after an event. Pure, and forgiving: events may come twice, late, in any order or not at all. Old news is
 * ignored, a gap is counted, and a catch-up brings the state to what a fresh one would be.
 */
export const apply = (state: LiveState, event: LiveEvent): LiveState => applyAll(state, [event])

/** The state after many events. It copies what is held once for all of them, not for each. */
export function applyAll(state: LiveState, events: LiveEvent[]): LiveState {
  const put = putter()
  return events.reduce((before, event) => after(before, event, put), state)
}

/** The record with one more entry. */
type Put = <K extends string, V>(record: Record<K, V>, key: K, value: V) => Record<K, V>

/** Copies a record the first time, and puts into its own copy from then on: nobody else has seen that one yet. */
function putter(): Put {
  const own = new WeakSet<object>()
  return (record, key, value) => {
    const copy = own.has(record) ? record : { ...record }
    own.add(copy)
    copy[key] = value
    return copy
  }
}

function after(state: LiveState, event: LiveEvent, put: Put): LiveState {
  switch (event.type) {
    case 'message.added':
    case 'message.changed':
      return withMessage(withConversation(state, event.conversation, put), event.message)
    case 'conversation.changed':
      return withConversation(state, event.conversation, put)
    case 'reading.changed':
      return withReading(state, event.reading, put)
    case 'changes':
      return withChanges(state, event.changes, put)
    case 'rows.loaded':
      return event.epoch === state.epoch ? withLoadedRows(state, event.rows, put) : state
    case 'list.loaded':
      return event.epoch === state.epoch ? withList(state, event, put) : state
    case 'message.answered':
      return withMessage(state, event.message)
    case 'timeline.asked':
      return withTimeline(state, event.conversation, (timeline) => ({
        ...timeline,
        busy: true,
        failed: false,
      }))
    case 'timeline.page':
      return event.epoch === state.epoch ? withPage(state, event.conversation, event.page) : state
    case 'timeline.failed':
      return event.epoch === state.epoch ? withTimeline(state, event.conversation, failed) : state
    case 'timeline.dropped':
      return { ...state, timelines: without(state.timelines, event.conversation) }
    case 'pending.added':
      return added(state, event.messages)
    case 'pending.marked':
      return marked(state, event.clientId, event.state, event.problem)
    case 'pending.freed':
      return freed(state, event.clientId)
    case 'pending.dropped':
      return dropped(state, event.clientId)
  }
}

function withConversation(state: LiveState, conversation: ConversationView, put: Put): LiveState {
  const held = state.conversations[conversation.id]
  if (held && conversation.rev <= held.rev) return state
  const conversations = put(state.conversations, conversation.id, conversation)
  // An event says nothing of this agent's reading: for an old conversation not held before, only a catch-up does. One
  // that just began nobody has read, and asking for each of those would make every agent ask at once.
  const missed = conversation.rev > (held?.rev ?? 0) + 1
  if (missed) return { ...state, conversations, gaps: state.gaps + 1 }
  const next = { ...state, conversations }
  return held ? next : withReading(next, { conversation: conversation.id, rev: 0, inbound: 0 }, put)
}

function withReading(state: LiveState, reading: Reading, put: Put): LiveState {
  const held = state.readings[reading.conversation]
  if (held && reading.rev <= held.rev && reading.inbound <= held.inbound) return state
  return { ...state, readings: put(state.readings, reading.conversation, reading) }
}

function withMessage(state: LiveState, message: MessageView): LiveState {
  const answered = withoutAnswered(state, [message])
  const timeline = answered.timelines[message.conversation]
  if (!timeline) return answered
  const next = place(timeline, message)
  return next === timeline ? answered : setTimeline(answered, message.conversation, next)
}

function withChanges(state: LiveState, changes: Changes, put: Put): LiveState {
  const start: LiveState = changes.snapshot
    ? {
        ...state,
        conversations: {},
        readings: {},
        lists: {},
        timelines: {},
        epoch: state.epoch + 1,
      }
    : state
  const rows = withRows(start, changes.conversations, put)
  const read = changes.readings.reduce((before, reading) => withReading(before, reading, put), rows)
  const told = changes.messages.reduce(withMessage, read)
  return { ...told, cursor: changes.cursor }
}

const withRows = (state: LiveState, rows: ConversationRow[], put: Put): LiveState => {
  let { conversations, readings } = state
  for (const { reading, ...conversation } of rows) {
    const held = conversations[conversation.id]
    if (!held || conversation.rev > held.rev)
      conversations = put(conversations, conversation.id, conversation)
    const known = readings[conversation.id]
    if (!known || reading.rev > known.rev || reading.inbound > known.inbound)
      readings = put(readings, conversation.id, reading)
  }
  return { ...state, conversations, readings }
}

/** A row that is ahead of a held timeline brings a rev without its messages: what lies between was missed. */
function withLoadedRows(state: LiveState, rows: ConversationRow[], put: Put): LiveState {
  const ahead = rows.some(({ id, rev }) => {
    const held = state.conversations[id]
    return state.timelines[id] !== undefined && held !== undefined && rev > held.rev
  })
  const next = withRows(state, rows, put)
  return ahead ? { ...next, gaps: state.gaps + 1 } : next
}

function withList(state: LiveState, list: Extract<LiveEvent, { type: 'list.loaded' }>, put: Put): LiveState {
  const next = withLoadedRows(state, list.rows, put)
  const until = list.next === null ? null : (list.rows.at(-1)?.lastActivityAt ?? null)
  return { ...next, lists: { ...next.lists, [list.key]: { until, next: list.next } } }
}

function withPage(state: LiveState, conversation: ConversationId, page: TimelinePage): LiveState {
  const timeline = state.timelines[conversation]
  if (!timeline) return state
  return withoutAnswered(setTimeline(state, conversation, addPage(timeline, page)), page.messages)
}

const withTimeline = (
  state: LiveState,
  conversation: ConversationId,
  change: (timeline: Timeline) => Timeline,
): LiveState => setTimeline(state, conversation, change(state.timelines[conversation] ?? emptyTimeline()))

const setTimeline = (state: LiveState, conversation: ConversationId, timeline: Timeline): LiveState => ({
  ...state,
  timelines: { ...state.timelines, [conversation]: timeline },
})

function without<K extends string, V>(record: Record<K, V>, key: K): Record<K, V> {
  const { [key]: _, ...rest } = record
  return rest as Record<K, V>
}
