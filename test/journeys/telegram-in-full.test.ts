import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversationRow, MessageView } from '../../server/realtime/protocol.ts'
import type { BubbleView } from '../../server/sandbox/protocol.ts'
import type { AgentClient } from '../support/agent-client.ts'
import type { Customer } from '../support/customer.ts'
import { eventually } from '../support/eventually.ts'
import { request } from '../support/http.ts'
import { World } from '../support/world.ts'

let world: World
let kim: AgentClient
let ada: Customer
let conversation: ConversationRow

beforeAll(async () => {
  world = await World.start()
  kim = await (await world.agent('kim')).connect()
  ada = await world.customer('Ada')
  await ada.writes('telegram', 'Hello')
  conversation = await eventually(async () => (await kim.conversations())[0])
})
afterAll(async () => {
  kim.hangUp()
  await world.end()
})

const say = async (content: object): Promise<MessageView> => {
  const { status, body } = await kim.post<MessageView>(`/conversations/${conversation.id}/messages`, {
    clientId: randomUUID(),
    content,
  })
  expect(status).toBe(201)
  return body
}
const seen = (wanted: (bubble: BubbleView) => boolean): Promise<BubbleView> =>
  eventually(async () => (await ada.sees('telegram')).find(wanted))
const taps = (bubble: string, choice: string) =>
  request('POST', `${world.sandboxUrl}/api/handsets/${ada.id}/messages/${bubble}/choice`, {
    body: { choice },
  })
const lastWords = async () => (await kim.timeline(conversation.id)).at(-1)?.content

const menu = [
  { id: 'am', title: 'Morning' },
  { id: `a-name-too-long-for-a-button-${'x'.repeat(60)}`, title: 'Afternoon' },
]

test('buttons are tapped, the tap is acknowledged, and comes as the choice', async () => {
  await say({ type: 'buttons', text: 'When may we come?', buttons: menu })
  const bubble = await seen(({ content }) => content.type === 'offer' && content.as === 'buttons')
  const [morning, afternoon] = bubble.content.type === 'offer' ? bubble.content.choices : []
  await taps(bubble.id, morning?.id ?? '')
  await eventually(async () => (await lastWords())?.type === 'choice')
  expect(await lastWords()).toEqual({ type: 'choice', id: 'am', title: 'Morning' })
  await taps(bubble.id, afternoon?.id ?? '')
  await eventually(
    async () => (await lastWords())?.type === 'choice' && (await kim.timeline(conversation.id)).length === 4,
  )
  expect(await lastWords()).toEqual({ type: 'choice', ...menu[1] })
  await eventually(async () => {
    const ledger = await request<{ what: string }[]>(
      'GET',
      `${world.sandboxUrl}/api/ledger?provider=telegram`,
    )
    return JSON.stringify(ledger.body).split('"acknowledgement"').length - 1 === 2
  })
})

test('a list becomes buttons under its words, quick replies stand above the keyboard', async () => {
  await say({
    type: 'list',
    text: 'Pick a cake',
    button: 'Cakes',
    sections: [{ title: 'Today', rows: [{ id: 'c', title: 'Carrot', description: 'with nuts' }] }],
  })
  const list = await seen(({ content }) => content.type === 'offer' && content.text.startsWith('Pick a cake'))
  expect(list.content).toMatchObject({ text: 'Pick a cake\n\nToday\nCarrot: with nuts', as: 'buttons' })
  await say({ type: 'quick-replies', text: 'Shall we?', replies: [{ id: 'y', title: 'Yes please' }] })
  const replies = await seen(({ content }) => content.type === 'offer' && content.as === 'replies')
  await taps(replies.id, 'Yes please')
  await eventually(async () => (await lastWords())?.type === 'choice')
  expect(await lastWords()).toEqual({ type: 'choice', id: 'y', title: 'Yes please' })
})

test('a message of ours is taken back: gone from the phone, said to be deleted here', async () => {
  const said = await say({ type: 'text', text: 'The price is 5' })
  const bubble = await seen(({ content }) => content.type === 'text' && content.text === 'The price is 5')
  await say({ type: 'deletion', message: said.id })
  await eventually(async () => !(await ada.sees('telegram')).some(({ id }) => id === bubble.id))
  await eventually(async () =>
    (await kim.timeline(conversation.id)).some(
      ({ id, deletedAt }) => id === said.id && deletedAt !== undefined,
    ),
  )
  const stranger = await kim.post<{ code: string }>(`/conversations/${conversation.id}/messages`, {
    clientId: randomUUID(),
    content: { type: 'deletion', message: (await kim.timeline(conversation.id))[0]?.id },
  })
  expect(stranger).toMatchObject({ status: 422, body: { code: 'cannot_carry' } })
})

test('formatting goes out as Telegram’s entities, and wrong marks are refused', async () => {
  const said = await say({
    type: 'text',
    text: 'Bold and linked',
    marks: [
      { kind: 'bold', start: 0, end: 4 },
      { kind: 'link', start: 9, end: 15, url: 'https://example.com/' },
    ],
  })
  await seen(({ content }) => content.type === 'text' && content.text === 'Bold and linked')
  expect(said.content).toMatchObject({ marks: [{ kind: 'bold' }, { kind: 'link' }] })
  const wrong = await kim.post(`/conversations/${conversation.id}/messages`, {
    clientId: randomUUID(),
    content: {
      type: 'text',
      text: 'x',
      marks: [{ kind: 'link', start: 0, end: 1, url: 'javascript:alert(1)' }],
    },
  })
  expect(wrong.status).toBe(400)
})
