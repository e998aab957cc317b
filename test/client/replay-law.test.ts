import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apply, applyAll } from '../../client/app/live/reducer.ts'
import { emptyState, type LiveEvent, type LiveState } from '../../client/app/live/state.ts'
import type { ConversationId } from '../../models/ids.ts'
import { conversationId, KIM, World } from './world.ts'

const IDS = ['a', 'b', 'c'].map(conversationId)
const PAGE = 3

/** What may happen to an event between the server and the tab. */
type Fate = 'arrives' | 'lost' | 'late' | 'twice'

type Step =
  | { do: 'inbound' | 'reply' | 'assign' | 'read'; in: number; fate: Fate }
  | { do: 'change'; in: number; which: number; fate: Fate }
  | { do: 'open' | 'older'; in: number }
  | { do: 'list' | 'page arrives' | 'late ones arrive' | 'catch up' | 'snapshot' }

const where = fc.nat({ max: IDS.length - 1 })
const fate = fc.constantFrom<Fate>('arrives', 'lost', 'late', 'twice')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('inbound' as const, 'reply' as const, 'assign' as const, 'read' as const),
      in: where,
      fate,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('change' as const), in: where, which: fc.nat(20), fate }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('open' as const, 'older' as const), in: where }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'list' as const,
        'page arrives' as const,
        'late ones arrive' as const,
        'catch up' as const,
        'snapshot' as const,
      ),
    }),
  },
)

/** A tab with its line to the server: answers are read when asked for, and arrive when the test says. */
class Tab {
  state: LiveState = emptyState()
  readonly heard: LiveEvent[] = []
  #late: LiveEvent[] = []
  #answers: LiveEvent[] = []
  readonly world: World

  constructor(world: World) {
    this.world = world
  }

  hear(event: LiveEvent | null, fate: Fate): void {
    if (!event || fate === 'lost') return
    if (fate === 'late') this.#late.unshift(event)
    else this.do(event)
    if (fate === 'twice') this.do(event)
  }

  do(event: LiveEvent): void {
    this.heard.push(event)
    this.state = apply(this.state, event)
  }

  lateOnesArrive(): void {
    for (const event of this.#late.splice(0)) this.do(event)
  }

  pagesArrive(): void {
    for (const answer of this.#answers.splice(0)) this.do(answer)
  }

  ask(conversation: ConversationId, which: 'latest' | 'older'): void {
    const timeline = this.state.timelines[conversation]
    if (timeline?.busy || (which === 'latest' ? timeline : !timeline?.ready || !timeline.hasOlder)) return
    const before = which === 'older' ? (timeline?.messages[0]?.rev ?? null) : null
    const page = this.world.page(conversation, before, PAGE)
    this.do({ type: 'timeline.asked', conversation })
    this.#answers.push({
      type: 'timeline.page',
      conversation,
      page: { which, ...page },
      epoch: this.state.epoch,
    })
  }

  list(): void {
    const rows = [...this.world.conversations.keys()].map((id) => this.world.row(id))
    this.#answers.push({ type: 'list.loaded', key: 'open', rows, next: null, epoch: this.state.epoch })
  }

  catchUp(most = 4): void {
    for (;;) {
      const changes = this.world.changes(this.state.cursor, most)
      this.do({ type: 'changes', changes })
      if (!changes.more) break
    }
  }

  take(step: Step): void {
    switch (step.do) {
      case 'inbound':
      case 'reply':
      case 'read':
        this.hear(this.world[step.do](IDS[step.in] ?? conversationId('a')), step.fate)
        break
      case 'assign':
        this.hear(this.world.assign(IDS[step.in] ?? conversationId('a'), KIM), step.fate)
        break
      case 'change':
        this.hear(this.world.change(IDS[step.in] ?? conversationId('a'), step.which), step.fate)
        break
      case 'open':
        this.ask(IDS[step.in] ?? conversationId('a'), 'latest')
        break
      case 'older':
        this.ask(IDS[step.in] ?? conversationId('a'), 'older')
        break
      case 'list':
        this.list()
        break
      case 'page arrives':
        this.pagesArrive()
        break
      case 'late ones arrive':
        this.lateOnesArrive()
        break
      case 'catch up':
        this.catchUp()
        break
      case 'snapshot':
        this.do({ type: 'changes', changes: this.world.snapshot() })
        break
    }
  }
}

function expectTruth({ state, world }: Tab): void {
  for (const [id, truth] of world.conversations) {
    const { rev: _, ...held } = state.conversations[id] ?? { rev: 0 }
    const { rev: __, ...real } = truth
    // Only a conversation opened and never written to has told nobody that it exists.
    if (truth.rev > 0) expect(held).toEqual(real)
    const reading = world.readings.get(id)
    if (reading) expect(state.readings[id]).toMatchObject({ rev: reading.rev, inbound: reading.inbound })
  }
  for (const [id, timeline] of Object.entries(state.timelines) as [
    ConversationId,
    LiveState['timelines'][ConversationId],
  ][]) {
    const all = world.messages.get(id) ?? []
    const oldest = timeline.hasOlder ? (timeline.messages[0]?.rev ?? Number.POSITIVE_INFINITY) : 0
    expect(timeline.messages).toEqual(all.filter(({ rev }) => rev >= oldest))
  }
}

/** Whoever writes into it, or into what it holds, throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) frozen(part)
  }
  return value
}

describe('the replay law: old state + events = fresh state', () => {
  it('holds for events that come twice, late, in any order or never, whatever is asked for in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tab = new Tab(new World())
        tab.catchUp()
        for (const each of steps) tab.take(each)
        tab.pagesArrive()
        tab.lateOnesArrive()
        tab.catchUp()
        expectTruth(tab)
      }),
      { numRuns: 2_000 },
    )
  })

  it('holds where late events come after the catch-up that covered them', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const tab = new Tab(new World())
        tab.catchUp()
        for (const each of steps) tab.take(each)
        tab.pagesArrive()
        tab.catchUp()
        tab.lateOnesArrive()
        tab.catchUp()
        expectTruth(tab)
      }),
      { numRuns: 1_000 },
    )
  })

  it('notices every gap in a conversation it holds', () => {
    const world = new World()
    const tab = new Tab(world)
    tab.hear(world.inbound(conversationId('a')), 'arrives')
    tab.catchUp()
    const before = tab.state.gaps
    tab.hear(world.inbound(conversationId('a')), 'lost')
    tab.hear(world.inbound(conversationId('a')), 'arrives')
    expect(tab.state.gaps).toBe(before + 1)
  })

  it('asks for the reading of an old conversation it had never heard of', () => {
    const world = new World()
    const tab = new Tab(world)
    tab.catchUp()
    tab.hear(world.inbound(conversationId('b')), 'lost')
    tab.hear(world.inbound(conversationId('b')), 'arrives')
    expect(tab.state.gaps).toBe(1)
  })

  it('knows without asking that nobody has read a conversation that just began', () => {
    const world = new World()
    const tab = new Tab(world)
    tab.catchUp()
    tab.hear(world.inbound(conversationId('b')), 'arrives')
    tab.hear(world.inbound(conversationId('b')), 'arrives')
    expect(tab.state.gaps).toBe(0)
    expect(tab.state.readings[conversationId('b')]).toMatchObject({ inbound: 0 })
  })

  it('lets no answer asked for before a snapshot in after it', () => {
    const world = new World()
    const tab = new Tab(world)
    world.inbound(conversationId('a'))
    tab.catchUp()
    tab.ask(conversationId('a'), 'latest')
    world.inbound(conversationId('a'))
    tab.do({ type: 'changes', changes: world.snapshot() })
    tab.do({ type: 'timeline.asked', conversation: conversationId('a') })
    tab.pagesArrive()
    expect(tab.state.timelines[conversationId('a')]).toMatchObject({ ready: false, messages: [] })
  })

  it('is the same for events applied one by one and many at once, and nothing held is written into', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (steps, frame) => {
        const tab = new Tab(new World())
        tab.catchUp()
        for (const each of steps) tab.take(each)
        tab.pagesArrive()
        tab.lateOnesArrive()
        let state = frozen(emptyState())
        for (let at = 0; at < tab.heard.length; at += frame)
          state = frozen(applyAll(state, tab.heard.slice(at, at + frame)))
        expect(state).toEqual(tab.state)
      }),
      { numRuns: 1_000 },
    )
  })

  it('leaves what is held as it is where no event of many brings news', () => {
    const world = new World()
    const news = [world.inbound(conversationId('a')), world.read(conversationId('a'))]
    const state = applyAll(emptyState(), news)
    const again = applyAll(state, news)
    expect(again.conversations).toBe(state.conversations)
    expect(again.readings).toBe(state.readings)
  })
})
