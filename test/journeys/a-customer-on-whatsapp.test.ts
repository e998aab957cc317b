import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversationRow, InboxView, MessageView } from '../../server/realtime/protocol.ts'
import { signed } from '../adapters/meta.ts'
import type { AgentClient } from '../support/agent-client.ts'
import type { Customer } from '../support/customer.ts'
import { eventually } from '../support/eventually.ts'
import { request } from '../support/http.ts'
import { World } from '../support/world.ts'
import { connectMeta } from './meta.ts'

let world: World
let kim: AgentClient
let inbox: InboxView

beforeAll(async () => {
  world = await World.start()
  inbox = await connectMeta(world, 'whatsapp')
  kim = await (await world.agent('kim')).connect()
})
afterAll(async () => {
  kim.hangUp()
  await world.end()
})

/** A conversation that somebody just began, opened at Kim's. */
async function begun(name: string, text: string): Promise<{ ada: Customer; conversation: ConversationRow }> {
  const ada = await world.customer(name)
  await ada.writes('whatsapp', text)
  const conversation = await eventually(() =>
    Object.values(kim.state.conversations).find(({ contact }) => contact.name === name),
  )
  await kim.open(conversation.id)
  return { ada, conversation: conversation as ConversationRow }
}

const held = ({ id }: ConversationRow): MessageView[] => kim.state.timelines[id]?.messages ?? []
const send = (conversation: ConversationRow, clientId: string, content: object) =>
  kim.post<MessageView>(`/conversations/${conversation.id}/messages`, { clientId, content })
const theirs = (ada: Customer) => async () => (await ada.sees('whatsapp')).findLast(({ mine }) => !mine)

test('what Ada writes is answered, and the answer climbs to read', async () => {
  const { ada, conversation } = await begun('Ada', 'Is the shop *really* open on Sunday?')
  expect(conversation).toMatchObject({
    channel: 'whatsapp',
    inbox: inbox.id,
    lastMessage: { preview: 'Is the shop really open on Sunday?' },
  })
  const [question] = held(conversation)
  expect(question?.content).toMatchObject({ marks: [{ kind: 'bold', start: 12, end: 18 }] })
  const { status, body } = await kim.reply(conversation.id, 'Yes, from ten to four.', {
    replyTo: question?.id,
  })
  expect(status).toBe(201)
  const seen = await eventually(theirs(ada))
  expect(seen).toMatchObject({
    content: { text: 'Yes, from ten to four.' },
    replyTo: expect.stringMatching(/^wamid/),
  })
  await eventually(() => held(conversation).find(({ id }) => id === body.id)?.delivery?.state === 'delivered')
  await ada.reads('whatsapp')
  await eventually(() => held(conversation).find(({ id }) => id === body.id)?.delivery?.state === 'read')
})

test('a picture goes both ways with its words', async () => {
  const { ada, conversation } = await begun('Ada with a camera', 'Look')
  await ada.sendsPicture('whatsapp', PNG)
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
  const seen = await eventually(theirs(ada))
  expect(seen.content).toMatchObject({ kind: 'image', caption: 'The menu', file: { size: PNG.length } })
})

test('Ada picks what she is offered, and Kim reads what she picked', async () => {
  const { ada, conversation } = await begun('Ada who decides', 'I would like a table')
  await send(conversation, 'offer', {
    type: 'buttons',
    text: 'For how many?',
    buttons: [
      { id: 'two', title: 'Two' },
      { id: 'four', title: 'Four' },
    ],
  })
  const offer = await eventually(theirs(ada))
  await ada.picks(offer.id, 'four')
  const picked = await eventually(() => held(conversation).find(({ content }) => content.type === 'choice'))
  expect(picked.content).toEqual({ type: 'choice', id: 'four', title: 'Four' })
  expect(picked.replyTo).toBe(held(conversation).find(({ content }) => content.type === 'buttons')?.id)
})

test('what Ada takes back says so, and her reaction shows where she left it', async () => {
  const { ada, conversation } = await begun('Ada in two minds', 'Forget it')
  const { body: answer } = await kim.reply(conversation.id, 'As you like.')
  const seen = await eventually(theirs(ada))
  await ada.reacts(seen.id, '👍')
  await eventually(() => held(conversation).find(({ id }) => id === answer.id)?.reactions.length === 1)
  const [first] = await ada.sees('whatsapp')
  await ada.takesBack(first?.id ?? '')
  await eventually(() => held(conversation)[0]?.deletedAt)
})

test('a template goes out with its named blanks filled, and its buttons can be picked', async () => {
  const { ada, conversation } = await begun('Ada who waits', 'Hello?')
  const { body } = await send(conversation, 'template', {
    type: 'template',
    name: 'may_we_call',
    language: 'en',
    parameters: ['Ada', 'the lamp'],
    names: ['first_name', 'subject'],
    text: 'Hello Ada, we would like to come back to you about the lamp. May we?',
  })
  expect(body.delivery?.state).toBe('queued')
  const seen = await eventually(theirs(ada))
  expect(seen.content).toMatchObject({ type: 'offer', text: expect.stringMatching(/about the lamp/) })
  await ada.picks(seen.id, 'Yes, please')
  await eventually(() => held(conversation).some(({ content }) => content.type === 'choice'))
})

test('Ada sees when the one who has her conversation has read what she wrote', async () => {
  const { ada, conversation } = await begun('Ada who looks', 'Did you get this?')
  const first = async () => (await ada.sees('whatsapp'))[0]
  await eventually(async () => (await first())?.mark === 'received')
  await kim.put(`/conversations/${conversation.id}/reading`, { rev: conversation.rev })
  await eventually(async () => (await first())?.mark === 'read')
})

test('an answer lost on its way back is found by its receipt, and is not sent twice', async () => {
  const { conversation } = await begun('Ada behind a bad line', 'Are you there?')
  await world.fault({ provider: 'meta', kind: 'accept-then-drop', times: 1 })
  const { body } = await kim.reply(conversation.id, 'We are.')
  await eventually(() => held(conversation).find(({ id }) => id === body.id)?.delivery?.state === 'delivered')
  const ledger = await world.ledger('meta')
  expect(ledger.filter(({ text }) => text === 'We are.')).toHaveLength(1)
})

test('a webhook of the app, for all its numbers, finds the inbox at the short address', async () => {
  const { phoneNumberId, appSecret, number } = world.accounts.meta.whatsapp
  const of = (phone_number_id: string, id: string, text: string) => ({
    field: 'messages',
    value: {
      metadata: { display_phone_number: number, phone_number_id },
      contacts: [{ profile: { name: 'Ada at the short address' }, wa_id: '12025550177' }],
      messages: [{ from: '12025550177', id, timestamp: '1749416383', type: 'text', text: { body: text } }],
    },
  })
  const changes = [of('999', 'wamid.THEIRS', 'to somebody else'), of(phoneNumberId, 'wamid.OURS', 'to us')]
  const webhook = signed(
    JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '1', changes }] }),
    appSecret,
  )
  const post = (headers: Record<string, string | undefined>) =>
    fetch(`${world.node.url}/api/v1/whatsapp/webhook/meta`, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: webhook.body,
    })
  expect((await post({ ...webhook.headers, 'x-hub-signature-256': 'sha256=0' })).status).toBe(403)
  expect((await post(webhook.headers)).status).toBe(200)
  const conversation = await eventually(() =>
    Object.values(kim.state.conversations).find(({ contact }) => contact.name === 'Ada at the short address'),
  )
  await kim.open(conversation.id)
  expect(held(conversation as ConversationRow).map(({ content }) => content)).toEqual([
    { type: 'text', text: 'to us' },
  ])
})

test('Meta’s challenge is answered at both addresses, by who knows the token', async () => {
  const { verifyToken } = world.accounts.meta.whatsapp
  for (const path of ['meta', `meta/${inbox.id}`]) {
    const ask = (token: string) =>
      fetch(
        `${world.node.url}/api/v1/whatsapp/webhook/${path}?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1158201444`,
      )
    const answer = await ask(verifyToken)
    expect([answer.status, await answer.text()]).toEqual([200, '1158201444'])
    expect((await ask('another')).status).toBe(403)
  }
})

/** The smallest PNG there is: one transparent pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
