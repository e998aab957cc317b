import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../server/database.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { eventually } from '../support/eventually.ts'
import { request } from '../support/http.ts'
import { phone, sid, TwilioPost } from '../support/load.ts'
import { StoreLine } from '../support/store-line.ts'
import { ownDatabase, World } from '../support/world.ts'

let line: StoreLine
let world: World
let post: TwilioPost
let kim: AgentClient

beforeAll(async () => {
  line = await StoreLine.to(ownDatabase())
  await openDatabase(line.uri)
  world = await World.start()
  post = new TwilioPost({ nodeUrl: world.node.url, inbox: world.inboxes.sms, account: world.accounts.twilio })
  kim = await (await world.agent('kim')).connect()
})
afterAll(async () => {
  kim.hangUp()
  await world.end()
  await line.close()
})

const conversationWith = (number: number) =>
  eventually(
    async () => (await kim.conversations()).find(({ contact }) => contact.address === phone(number)),
    20_000,
  )

test('the store goes away and comes back: webhooks are told to come again, nothing acknowledged is lost, sends wait', async () => {
  expect(await post.message({ sid: sid(1), from: phone(1), text: 'Before' })).toBe(200)
  const conversation = await conversationWith(1)
  line.cut()
  const refused = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      post.message({ sid: sid(10 + index), from: phone(1), text: `During ${index}` }),
    ),
  )
  expect(new Set(refused), 'never a 200 for what is not kept').toEqual(new Set([503]))
  expect((await request('GET', `${world.node.url}/health`)).status).toBe(200)
  expect(await request('GET', `${world.node.url}/ready`)).toMatchObject({
    status: 503,
    body: { store: 'down' },
  })
  expect((await kim.reply(conversation.id, 'Into the void')).status).toBe(503)
  line.mend()
  // The provider sends again, and so does the agent's browser, in order.
  for (let index = 0; index < 10; index++)
    await eventually(
      async () =>
        (await post.message({ sid: sid(10 + index), from: phone(1), text: `During ${index}` })) === 200,
      20_000,
    )
  await eventually(async () => (await request('GET', `${world.node.url}/ready`)).status === 200)
  expect((await kim.reply(conversation.id, 'We are back', { clientId: 'back' })).status).toBe(201)
  await eventually(
    async () => (await world.ledger('twilio')).filter(({ text }) => text === 'We are back').length === 1,
    20_000,
  )
  await world.node.ingest.idle()
  const texts = (await kim.timeline(conversation.id)).map(({ content }) =>
    content.type === 'text' ? content.text : '',
  )
  expect(texts.filter((text) => text.startsWith('During'))).toEqual(
    Array.from({ length: 10 }, (_, index) => `During ${index}`),
  )
}, 120_000)

test('a receipt kept just before the store went is ingested by the sweep, in its order', async () => {
  expect(await post.message({ sid: sid(30), from: phone(3), text: 'One' })).toBe(200)
  line.cut()
  await eventually(async () => (await request('GET', `${world.node.url}/ready`)).status === 503)
  line.mend()
  await eventually(
    async () => (await post.message({ sid: sid(31), from: phone(3), text: 'Two' })) === 200,
    20_000,
  )
  const conversation = await conversationWith(3)
  await eventually(async () => {
    await world.node.sweep.recover()
    return (await kim.timeline(conversation.id)).length === 2
  }, 20_000)
  expect((await kim.timeline(conversation.id)).map(({ content }) => content)).toMatchObject([
    { text: 'One' },
    { text: 'Two' },
  ])
}, 60_000)

test('a slow store: the queue is bounded, what is beyond is asked to come again, and memory stays flat', async () => {
  line.slow(100)
  const before = process.memoryUsage().heapUsed
  const statuses = await Promise.all(
    Array.from({ length: 3_000 }, (_, index) =>
      post
        .message({ sid: sid(1_000 + index), from: phone(500 + (index % 100)), text: 'Hurry' })
        .catch(() => 0),
    ),
  )
  line.slow(0)
  const accepted = statuses.filter((status) => status === 200).length
  const again = statuses.filter((status) => status === 503 || status === 0).length
  expect(accepted + again).toBe(statuses.length)
  expect(accepted).toBeGreaterThan(0)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(300 * 1024 * 1024)
  await world.node.ingest.idle()
  const rows = await eventually(async () => {
    await world.node.sweep.recover()
    const found = (await kim.conversations()).filter(({ lastMessage }) => lastMessage?.preview === 'Hurry')
    const inbound = found.reduce((sum, row) => sum + row.inbound, 0)
    return inbound === accepted && found
  }, 60_000)
  expect(rows.length).toBeGreaterThan(0)
}, 180_000)
