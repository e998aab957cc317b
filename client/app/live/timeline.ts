import type { MessageView } from '../../../server/realtime/protocol.ts'
import type { Timeline, TimelinePage } from './state.ts'

export const emptyTimeline = (): Timeline => ({
  messages: [],
  ready: false,
  hasOlder: true,
  hasNewer: false,
  busy: false,
  failed: false,
  early: [],
  anchor: 0,
})

/** A message in its place, or put by until its place is known. Old news leaves the timeline as it is. */
export function place(timeline: Timeline, message: MessageView): Timeline {
  if (!timeline.ready) return { ...timeline, early: [...timeline.early, message] }
  const { messages } = timeline
  const held = messages.findIndex(({ id }) => id === message.id)
  const known = messages[held]
  if (known) {
    if (message.changedRev <= known.changedRev) return timeline
    return { ...timeline, messages: messages.with(held, message) }
  }
  const oldest = messages[0]
  const newest = messages.at(-1)
  const below = timeline.hasOlder && (!oldest || message.rev < oldest.rev)
  const beyond = timeline.hasNewer && (!newest || message.rev > newest.rev)
  // A page under way was read before or after this change: nobody knows, so that it is kept until the page is there.
  if (below || beyond) {
    return timeline.busy || beyond ? { ...timeline, early: [...timeline.early, message] } : timeline
  }
  const index = messages.findLastIndex(({ rev }) => rev < message.rev) + 1
  return { ...timeline, messages: messages.toSpliced(index, 0, message) }
}

export function addPage(timeline: Timeline, { which, messages, end }: TimelinePage): Timeline {
  const early = timeline.early
  const start: Timeline =
    which === 'latest'
      ? { ...emptyTimeline(), messages, ready: true, hasOlder: !end, anchor: messages[0]?.rev ?? 0 }
      : {
          ...timeline,
          busy: false,
          failed: false,
          early: [],
          messages: merged(timeline.messages, messages),
          ...(which === 'older' ? { hasOlder: !end } : { hasNewer: !end }),
        }
  return early.reduce(place, start)
}

export const failed = (timeline: Timeline): Timeline => ({ ...timeline, busy: false, failed: true })

function merged(held: MessageView[], page: MessageView[]): MessageView[] {
  const byId = new Map(held.map((message) => [message.id, message]))
  for (const message of page) {
    const known = byId.get(message.id)
    if (!known || known.changedRev < message.changedRev) byId.set(message.id, message)
  }
  return [...byId.values()].sort((a, b) => a.rev - b.rev)
}
