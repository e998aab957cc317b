import { describe, expect, it } from 'vitest'
import { apply } from '../../client/app/live/reducer.ts'
import { emptyState, type LiveEvent } from '../../client/app/live/state.ts'
import { addPage, emptyTimeline, place } from '../../client/app/live/timeline.ts'
import { conversationId, World } from './world.ts'

const A = conversationId('a')

function worldOf(lines: number): World {
  const world = new World()
  for (let line = 0; line < lines; line++) world.inbound(A)
  return world
}

const stateAfter = (events: LiveEvent[]) => events.reduce(apply, emptyState())

describe('a timeline', () => {
  it('keeps what arrives while its first page is on its way', () => {
    const world = worldOf(2)
    const page = world.page(A, null, 50)
    const state = stateAfter([
      { type: 'timeline.asked', conversation: A },
      world.inbound(A),
      { type: 'timeline.page', conversation: A, page: { which: 'latest', ...page }, epoch: 0 },
    ])
    expect(state.timelines[A]?.messages.map(({ rev }) => rev)).toEqual([1, 2, 3])
  })

  it('makes no hole where it does not reach to the newest', () => {
    const world = worldOf(10)
    const middle = {
      ...emptyTimeline(),
      ready: true,
      hasNewer: true,
      messages: world.newer(A, 2, 3).messages,
    }
    const news = world.inbound(A)
    if (news.type !== 'message.added') throw new Error('not a message')
    const waiting = place(middle, news.message)
    expect(waiting.messages.map(({ rev }) => rev)).toEqual([3, 4, 5])
    const half = addPage(waiting, { which: 'newer', ...world.newer(A, 5, 3) })
    expect(half.messages.map(({ rev }) => rev)).toEqual([3, 4, 5, 6, 7, 8])
    const whole = addPage(half, { which: 'newer', ...world.newer(A, 8, 3) })
    expect(whole.hasNewer).toBe(false)
    expect(whole.messages.map(({ rev }) => rev)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('does not take a page read before a change for the present', () => {
    const world = worldOf(6)
    const page = world.page(A, 4, 3)
    const state = stateAfter([
      { type: 'timeline.asked', conversation: A },
      {
        type: 'timeline.page',
        conversation: A,
        page: { which: 'latest', ...world.page(A, null, 3) },
        epoch: 0,
      },
      { type: 'timeline.asked', conversation: A },
      world.change(A, 0) as LiveEvent,
      { type: 'timeline.page', conversation: A, page: { which: 'older', ...page }, epoch: 0 },
    ])
    expect(state.timelines[A]?.messages[0]?.reactions).toHaveLength(1)
  })

  it('ignores old news of a message it holds', () => {
    const world = worldOf(1)
    const first = world.change(A, 0) as LiveEvent
    const second = world.change(A, 0) as LiveEvent
    const state = stateAfter([
      { type: 'timeline.asked', conversation: A },
      {
        type: 'timeline.page',
        conversation: A,
        page: { which: 'latest', ...world.page(A, null, 9) },
        epoch: 0,
      },
      second,
      first,
    ])
    expect(state.timelines[A]?.messages[0]?.reactions).toHaveLength(2)
  })

  it('says that a page could not be had, and can be asked again', () => {
    const state = stateAfter([
      { type: 'timeline.asked', conversation: A },
      { type: 'timeline.failed', conversation: A, epoch: 0 },
    ])
    expect(state.timelines[A]).toMatchObject({ failed: true, busy: false, ready: false })
  })
})
