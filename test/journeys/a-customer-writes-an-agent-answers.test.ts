import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversationRow, MessageView } from '../../server/realtime/protocol.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { eventually } from '../support/eventually.ts'
import { request } from '../support/http.ts'
import { World } from '../support/world.ts'

let world: World
let kim: AgentClient

beforeAll(async () => {
  world = await World.start()
  kim = await (await world.agent('kim')).connect()
})
afterAll(async () => {
  kim.hangUp()
  await world.end()
})

const conversationOf = (name: string): Promise<ConversationRow> =>
  eventually(
    () =>
      Object.values(kim.state.conversations).find(({ contact }) => contact.name === name) as
        | ConversationRow
        | undefined,
  )

test('what Ada writes on Telegram appears at Kim’s without asking, and her answer reaches Ada’s phone', async () => {
  const ada = await world.customer('Ada')
  await ada.writes('telegram', 'Is the shop open on Sunday? 🙂')
  const conversation = await conversationOf('Ada')
  expect(conversation).toMatchObject({
    channel: 'telegram',
    status: 'open',
    inbound: 1,
    lastMessage: { preview: 'Is the shop open on Sunday? 🙂' },
  })
  expect(conversation.waitingSince).not.toBeNull()

  await kim.open(conversation.id)
  const { status, body } = await kim.reply(conversation.id, 'Yes, from ten to four.')
  expect(status).toBe(201)
  await eventually(async () =>
    (await ada.sees('telegram')).some(
      ({ mine, content }) => !mine && content.type === 'text' && content.text === 'Yes, from ten to four.',
    ),
  )
  const sent = await eventually(
    () =>
      heldBy(kim, conversation, body.id)?.delivery?.state === 'sent' && heldBy(kim, conversation, body.id),
  )
  expect(sent.delivery?.attempts).toMatchObject([{ outcome: 'accepted', provider: 'telegram' }])
  expect(sent.delivery?.reason).toMatch(/only route/)
  expect(kim.state.conversations[conversation.id]?.waitingSince).toBeNull()
})

test('an answer by SMS climbs from queued over sent and delivered to read', async () => {
  const bo = await world.customer('Bo')
  await bo.writes('sms', 'Where is my parcel?')
  const conversation = await conversationOf(bo.phone)
  await kim.open(conversation.id)
  const { body } = await kim.reply(conversation.id, 'On its way, it arrives today.')
  expect(body.delivery?.state).toBe('queued')
  await eventually(() => heldBy(kim, conversation, body.id)?.delivery?.state === 'delivered')
  await bo.reads('sms')
  const read = await eventually(
    () =>
      heldBy(kim, conversation, body.id)?.delivery?.state === 'read' && heldBy(kim, conversation, body.id),
  )
  expect(read.delivery?.sentAt && read.delivery.deliveredAt && read.delivery.readAt).toBeTruthy()
})

test('a picture travels both ways and its bytes arrive unchanged', async () => {
  const ada = await world.customer('Ada with a camera')
  await ada.sendsPicture('telegram', PNG)
  const conversation = await conversationOf('Ada with a camera')
  await kim.open(conversation.id)
  const message = await eventually(() => {
    const [first] = kim.state.timelines[conversation.id]?.messages ?? []
    return first && 'file' in first.content && first.content.file.state === 'stored' && first
  })
  const { id } = (message.content as { file: { id: string } }).file
  const bytes = await fetch(`${kim.url}/api/v1/media/${id}`, {
    headers: { authorization: `Bearer ${kim.token}` },
  })
  expect(bytes.headers.get('x-content-type-options')).toBe('nosniff')
  expect(Buffer.from(await bytes.arrayBuffer()).equals(PNG)).toBe(true)

  const form = new FormData()
  form.set('file', new Blob([PNG], { type: 'image/png' }), '../../etc/passwd')
  const { body: uploaded } = await request<{ id: string }>('POST', `${kim.url}/api/v1/media`, {
    token: kim.token,
    raw: form,
  })
  expect(uploaded).toMatchObject({ name: 'passwd', mime: 'image/png', size: PNG.length })
  await kim.post(`/conversations/${conversation.id}/messages`, {
    clientId: 'picture',
    content: { type: 'image', file: { id: uploaded.id }, caption: 'Like this?' },
  })
  const seen = await eventually(async () => (await ada.sees('telegram')).find(({ mine }) => !mine))
  expect(seen.content).toMatchObject({ type: 'file', caption: 'Like this?' })
})

test('a reply is quoted, an edit keeps what was said, a reaction shows, and being blocked is said', async () => {
  const ada = await world.customer('Ada who changes her mind')
  const first = await ada.writes('telegram', 'Two of them, pleese')
  const conversation = await conversationOf('Ada who changes her mind')
  await kim.open(conversation.id)
  const [question] = await eventually(
    () =>
      kim.state.timelines[conversation.id]?.messages.length === 1 &&
      kim.state.timelines[conversation.id]?.messages,
  )
  await ada.edits(first.id, 'Two of them, please')
  await eventually(() => heldBy(kim, conversation, question?.id)?.edits.length === 1)
  expect(heldBy(kim, conversation, question?.id)).toMatchObject({
    content: { text: 'Two of them, please' },
    edits: [{ content: { text: 'Two of them, pleese' } }],
  })

  const { body: answer } = await kim.reply(conversation.id, 'Done!', { replyTo: question?.id })
  const onPhone = await eventually(async () => (await ada.sees('telegram')).find(({ mine }) => !mine))
  expect(onPhone.replyTo).toBe(first.id)
  await ada.reacts(onPhone.id, '👍')
  await eventually(() =>
    heldBy(kim, conversation, answer.id)?.reactions.some(
      ({ by, emoji }) => by === 'contact' && emoji === '👍',
    ),
  )

  await ada.blocks()
  await eventually(() => kim.state.conversations[conversation.id]?.contact.reachable === false)
  const refused = await kim.reply(conversation.id, 'Anything else?')
  expect(refused).toMatchObject({ status: 422, body: { code: 'cannot_carry' } })
})

test('a provider that refuses for good is named with its reason, and a retry really sends again', async () => {
  const bo = await world.customer('Bo')
  await bo.writes('sms', 'Hello?')
  const conversation = await conversationOf(bo.phone)
  await kim.open(conversation.id)
  await world.fault({ provider: 'twilio', kind: 'status', status: 400, times: 1 })
  const { body } = await kim.reply(conversation.id, 'Here we are.')
  const failed = await eventually(
    () =>
      heldBy(kim, conversation, body.id)?.delivery?.state === 'failed' && heldBy(kim, conversation, body.id),
  )
  expect(failed.delivery?.problem?.reason).toMatch(/\w+/)
  expect((await world.ledger('twilio')).filter(({ text }) => text === 'Here we are.')).toHaveLength(0)

  const retried = await kim.post(`/conversations/${conversation.id}/messages/${body.id}/attempts`, {})
  expect(retried.status).toBe(201)
  await eventually(() => heldBy(kim, conversation, body.id)?.delivery?.state === 'delivered')
  expect(heldBy(kim, conversation, body.id)?.delivery?.attempts.map(({ outcome }) => outcome)).toEqual([
    'rejected',
    'accepted',
  ])
  expect((await world.ledger('twilio')).filter(({ text }) => text === 'Here we are.')).toHaveLength(1)
  expect((await kim.post(`/conversations/${conversation.id}/messages/${body.id}/attempts`, {})).status).toBe(
    409,
  )
})

const heldBy = (
  client: AgentClient,
  conversation: ConversationRow,
  id: string | undefined,
): MessageView | undefined =>
  client.state.timelines[conversation.id]?.messages.find((message) => message.id === id)

/** The smallest PNG there is: one transparent pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
