import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversationRow, MessageView } from '../../server/realtime/protocol.ts'
import type { AgentClient } from '../support/agent-client.ts'
import type { Customer } from '../support/customer.ts'
import { eventually } from '../support/eventually.ts'
import { request } from '../support/http.ts'
import { World } from '../support/world.ts'
import { connectMeta } from './meta.ts'

let world: World
let kim: AgentClient

beforeAll(async () => {
  world = await World.start()
  await connectMeta(world, 'messenger')
  kim = await (await world.agent('kim')).connect()
})
afterAll(async () => {
  kim.hangUp()
  await world.end()
})

/** A conversation that somebody just began, opened at Kim's. */
async function begun(name: string, text: string): Promise<{ ada: Customer; conversation: ConversationRow }> {
  const ada = await world.customer(name)
  await ada.writes('messenger', text)
  const conversation = await eventually(() =>
    Object.values(kim.state.conversations).find(({ lastMessage }) => lastMessage?.preview === text),
  )
  await kim.open(conversation.id)
  return { ada, conversation: conversation as ConversationRow }
}

const held = ({ id }: ConversationRow): MessageView[] => kim.state.timelines[id]?.messages ?? []
const stateOf = (conversation: ConversationRow, message: string) =>
  held(conversation).find(({ id }) => id === message)?.delivery?.state
const send = (conversation: ConversationRow, clientId: string, content: object) =>
  kim.post<MessageView>(`/conversations/${conversation.id}/messages`, { clientId, content })
const theirs = (ada: Customer) => async () => (await ada.sees('messenger')).findLast(({ mine }) => !mine)

test('what Ada writes is answered, and watermarks lift the answer to read', async () => {
  const { ada, conversation } = await begun('Ada', 'Is the shop open on Sunday? 🙂')
  expect(conversation).toMatchObject({ channel: 'messenger', status: 'open', contact: { name: 'Ada' } })
  const { body } = await kim.reply(conversation.id, 'Yes, from ten to four.')
  const seen = await eventually(theirs(ada))
  expect(seen.content).toEqual({ type: 'text', text: 'Yes, from ten to four.' })
  await eventually(() => stateOf(conversation, body.id) === 'delivered')
  await ada.reads('messenger')
  await eventually(() => stateOf(conversation, body.id) === 'read')
  expect(held(conversation), 'the echo of our own answer is no second one').toHaveLength(2)
})

test('a picture goes both ways, and its words after it', async () => {
  const { ada, conversation } = await begun('Ada with a camera', 'Look at this')
  await ada.sendsPicture('messenger', PNG)
  await eventually(() =>
    held(conversation).some(({ content }) => 'file' in content && content.file.state === 'stored'),
  )
  const form = new FormData()
  form.set('file', new Blob([PNG], { type: 'image/png' }), 'menu.png')
  const uploaded = await request<{ id: string }>('POST', `${kim.url}/api/v1/media`, {
    token: kim.token,
    raw: form,
  })
  await send(conversation, 'picture', { type: 'image', file: { id: uploaded.body.id }, caption: 'The menu' })
  await eventually(async () => (await ada.sees('messenger')).filter(({ mine }) => !mine).length === 2)
  const [picture, words] = (await ada.sees('messenger')).filter(({ mine }) => !mine)
  expect(picture?.content).toMatchObject({ kind: 'image', file: { size: PNG.length } })
  expect(words?.content).toEqual({ type: 'text', text: 'The menu' })
})

test('Ada picks of quick replies and of buttons, edits and reacts', async () => {
  const { ada, conversation } = await begun('Ada who decides', 'A table, pleese')
  await send(conversation, 'replies', {
    type: 'quick-replies',
    text: 'For how many?',
    replies: [
      { id: 'two', title: 'Two' },
      { id: 'four', title: 'Four' },
    ],
  })
  const replies = await eventually(theirs(ada))
  await ada.picks(replies.id, 'four')
  await eventually(() =>
    held(conversation).some(({ content }) => content.type === 'choice' && content.id === 'four'),
  )
  await send(conversation, 'buttons', {
    type: 'buttons',
    text: 'Sure?',
    buttons: [{ id: 'y', title: 'Yes' }],
  })
  const buttons = await eventually(async () => {
    const latest = await theirs(ada)()
    return latest?.id !== replies.id && latest
  })
  await ada.picks(buttons.id, 'y')
  await eventually(() =>
    held(conversation).some(({ content }) => content.type === 'choice' && content.id === 'y'),
  )
  const [first] = await ada.sees('messenger')
  await ada.edits(first?.id ?? '', 'A table, please')
  await eventually(() => held(conversation)[0]?.edits.length === 1)
  await ada.reacts(buttons.id, '🎉')
  await eventually(() =>
    held(conversation).some(({ reactions }) => reactions.some(({ emoji }) => emoji === '🎉')),
  )
})

test('an answer lost on its way back is found by its echo, and is not sent twice', async () => {
  const { conversation } = await begun('Ada behind a bad line', 'Are you there?')
  await world.fault({ provider: 'meta', kind: 'accept-then-drop', times: 1 })
  const { body } = await kim.reply(conversation.id, 'We are.')
  await eventually(() => stateOf(conversation, body.id) === 'delivered')
  const ledger = await world.ledger('meta')
  expect(ledger.filter(({ text }) => text === 'We are.')).toHaveLength(1)
})

test('receipts that come before the answer, or twice, change nothing', async () => {
  const { conversation } = await begun('Ada in a hurry', 'Quick!')
  await world.fault({ provider: 'meta', kind: 'before-answer', times: 1 })
  await world.fault({ provider: 'meta', kind: 'duplicate', times: 3 })
  const { body } = await kim.reply(conversation.id, 'Here we are.')
  await eventually(() => stateOf(conversation, body.id) === 'delivered')
  expect(held(conversation)).toHaveLength(2)
})

test('who Messenger does not name is heard all the same', async () => {
  await world.fault({ provider: 'meta', kind: 'status', status: 500, on: 'all', times: 1 })
  const { conversation } = await begun('Nobody', 'Who am I?')
  expect(conversation.contact.name).toMatch(/^24\d{16}$/)
})

test('a colleague’s answer in Meta’s own app is part of what was said', async () => {
  const { ada, conversation } = await begun('Ada and the other app', 'Hello over there')
  await request('POST', `${world.sandboxUrl}/api/handsets/${ada.id}/echo`, {
    body: { text: 'Answered elsewhere' },
  })
  const echo = await eventually(() => held(conversation).find(({ direction }) => direction === 'outbound'))
  expect(echo).toMatchObject({ content: { text: 'Answered elsewhere' }, author: { kind: 'system' } })
})

/** The smallest PNG there is: one transparent pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
