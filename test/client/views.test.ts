import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  belongs,
  NAMED_VIEWS,
  rowsOf,
  unreadOf,
  type View,
  viewKey,
  viewOf,
  viewQuery,
} from '../../client/app/inbox/views.ts'
import { apply } from '../../client/app/live/reducer.ts'
import { emptyState } from '../../client/app/live/state.ts'
import type { ConversationView } from '../../server/realtime/protocol.ts'
import { conversation, conversationId, INBOX, KIM, NOOR } from './world.ts'

const VIEWS: View[] = [...NAMED_VIEWS.map((name) => ({ name })), { name: 'inbox', inbox: INBOX }]

const anyConversation = fc
  .record({
    status: fc.constantFrom('open' as const, 'snoozed' as const, 'resolved' as const),
    assignee: fc.constantFrom(KIM, NOOR, null),
    minute: fc.nat(50),
  })
  .map(
    ({ minute, ...part }) =>
      (id: number): ConversationView =>
        conversation(conversationId(`c${id}`), {
          ...part,
          lastActivityAt: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
        }),
  )

/** What the server's filter means. */
function answers(row: ConversationView, view: View): boolean {
  const { status, assignee, inbox } = viewQuery(view)
  return (
    (status === undefined || row.status === status) &&
    (assignee === undefined || (assignee === 'me' ? row.assignee === KIM : row.assignee === null)) &&
    (inbox === undefined || row.inbox === inbox)
  )
}

describe('views', () => {
  it('ask the server for the rows they show, and no others', () => {
    fc.assert(
      fc.property(anyConversation, fc.constantFrom(...VIEWS), (make, view) => {
        const row = make(1)
        expect(belongs(row, view, KIM)).toBe(answers(row, view))
      }),
    )
  })

  it('have an address each, and know it again', () => {
    for (const view of VIEWS) {
      const [name, inbox] = viewKey(view).split('/')
      expect(viewOf(name, inbox)).toEqual(view)
    }
    expect(viewOf('everything')).toBeNull()
    expect(viewOf('inbox')).toBeNull()
  })

  it('show the newest activity first, and nothing below what was loaded', () => {
    fc.assert(
      fc.property(fc.array(anyConversation, { maxLength: 30 }), fc.nat(50), (makes, minute) => {
        const rows = makes.map((make, index) => make(index))
        const until = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
        const state = {
          conversations: Object.fromEntries(rows.map((row) => [row.id, row])),
          lists: { open: { until, next: 'more' } },
        }
        const shown = rowsOf(state, { name: 'open' }, KIM)
        const moments = shown.map(({ lastActivityAt }) => lastActivityAt)
        expect(moments).toEqual(moments.toSorted().toReversed())
        expect(shown).toHaveLength(
          rows.filter((row) => row.status === 'open' && row.lastActivityAt >= until).length,
        )
      }),
    )
  })

  it('show nothing before their first page, since what is held is not all', () => {
    const state = { conversations: { a: conversation(conversationId('a')) }, lists: {} }
    expect(rowsOf(state, { name: 'open' }, KIM)).toEqual([])
  })

  it('take a row in and let it go as events change it', () => {
    const row = conversation(conversationId('a'), { rev: 1 })
    const reading = { conversation: row.id, agent: KIM, rev: 0, inbound: 0 }
    const state = apply(emptyState(), {
      type: 'list.loaded',
      key: 'mine',
      rows: [{ ...row, reading }],
      next: null,
      epoch: 0,
    })
    const mine: View = { name: 'mine' }
    expect(rowsOf(state, mine, KIM)).toHaveLength(0)
    const taken = apply(state, {
      type: 'conversation.changed',
      conversation: { ...row, rev: 2, assignee: KIM },
    })
    expect(rowsOf(taken, mine, KIM)).toHaveLength(1)
    const gone = apply(taken, {
      type: 'conversation.changed',
      conversation: { ...row, rev: 3, assignee: KIM, status: 'resolved' },
    })
    expect(rowsOf(gone, mine, KIM)).toHaveLength(0)
  })
})

describe('unread', () => {
  const row = conversation(conversationId('a'), { inbound: 5 })
  const read = (inbound: number) => ({ [row.id]: { conversation: row.id, agent: KIM, rev: 9, inbound } })

  it('is what the contact wrote beyond what was read, and never below nothing', () => {
    expect(unreadOf(row, read(3))).toBe(2)
    expect(unreadOf(row, read(5))).toBe(0)
    expect(unreadOf(row, read(7))).toBe(0)
  })

  it('is never made up where the reading is not known', () => {
    expect(unreadOf(row, {})).toBe(0)
    expect(unreadOf({ ...row, waitingSince: row.createdAt }, {})).toBe(1)
  })
})
