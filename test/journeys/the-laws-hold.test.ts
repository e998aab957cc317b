import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversationId } from '../../models/ids.ts'
import { Receipt } from '../../models/receipt.ts'
import type { MessageView, Problem } from '../../server/realtime/protocol.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { inboundSms, twilioWebhook } from '../support/customer.ts'
import { eventually } from '../support/eventually.ts'
import { request } from '../support/http.ts'
import { phone, sid, TwilioPost } from '../support/load.ts'
import { RedisServer } from '../support/redis.ts'
import { World } from '../support/world.ts'

let redis: RedisServer
let world: World
let posts: [TwilioPost, TwilioPost]
let kim: AgentClient
let noor: AgentClient

beforeAll(async () => {
  redis = await RedisServer.start()
  world = await World.start({
    nodes: 2,
    redisUrl: redis.url,
    receipts: { sentAfterMs: 60_000, deliveredAfterMs: 60_000 },
  })
  const [first, second] = world.nodes.map(
    (node) => new TwilioPost({ nodeUrl: node.url, inbox: world.inboxes.sms, account: world.accounts.twilio }),
  )
  if (!first || !second) throw new Error('two nodes')
  posts = [first, second]
  kim = await (await world.agent('kim', world.nodes[0])).connect()
  noor = await (await world.agent('noor', world.nodes[1])).connect()
})
afterAll(async () => {
  kim.hangUp()
  noor.hangUp()
  await world.end()
  await redis.kill()
})

const settled = () => Promise.all(world.nodes.map((node) => node.ingest.idle()))
const conversationWith = (number: number): Promise<ConversationId> =>
  eventually(
    async () => (await kim.conversations()).find(({ contact }) => contact.address === phone(number))?.id,
  )
const stateOf = async (conversation: ConversationId, id: string): Promise<MessageView> => {
  const found = (await kim.timeline(conversation)).find((message) => message.id === id)
  if (!found) throw new Error('the message is gone')
  return found
}

test('the same webhook fifty times at once, on two nodes, is one message, and every one is answered 200', async () => {
  const given = { sid: sid(1), from: phone(1), text: 'Only once, please' }
  const statuses = await Promise.all(
    Array.from({ length: 50 }, (_, index) => posts[index % 2 === 0 ? 0 : 1].message(given)),
  )
  expect(new Set(statuses)).toEqual(new Set([200]))
  const conversation = await conversationWith(1)
  await settled()
  expect(await kim.timeline(conversation)).toMatchObject([{ content: { text: 'Only once, please' } }])
  expect((await kim.conversations()).find(({ id }) => id === conversation)).toMatchObject({ inbound: 1 })
})

test('a message replayed a week later, with another body, is still the same message', async () => {
  const fields = inboundSms(world.accounts.twilio, { sid: sid(2), from: phone(2), text: 'Again?' })
  expect(await posts[0].post(fields)).toBe(200)
  const conversation = await conversationWith(2)
  expect(await posts[1].post({ ...fields, NewParameter: 'Twilio adds these without notice' })).toBe(200)
  await settled()
  expect(await kim.timeline(conversation)).toHaveLength(1)
  expect((await kim.conversations()).find(({ id }) => id === conversation)).toMatchObject({
    inbound: 1,
    rev: 1,
  })
})

test('receipts in the wrong order and twice: a status climbs and never falls, and failed never follows delivered', async () => {
  await posts[0].message({ sid: sid(3), from: phone(3), text: 'Hello' })
  const conversation = await conversationWith(3)
  const { body } = await kim.reply(conversation, 'Hi!')
  const sent = await eventually(async () => {
    const message = await stateOf(conversation, body.id)
    return message.delivery?.state === 'sent' && message
  })
  const attempt = sent.delivery?.attempts[0]?.key
  const [line] = (await world.ledger('twilio')).filter(({ text }) => text === 'Hi!')
  const receipt = (status: string, errorCode?: string) =>
    posts[1].status({
      sid: line?.id ?? '',
      to: phone(3),
      status,
      ...(attempt ? { attempt } : {}),
      ...(errorCode ? { errorCode } : {}),
    })
  for (const status of ['read', 'delivered', 'sent', 'read', 'queued', 'delivered'])
    expect(await receipt(status)).toBe(200)
  expect(await receipt('failed', '30008')).toBe(200)
  await settled()
  const after = await stateOf(conversation, body.id)
  expect(after.delivery).toMatchObject({ state: 'read' })
  expect(after.delivery?.problem).toBeUndefined()
})

test('a receipt before the send returns, and one that names only the provider’s id, find their message', async () => {
  await posts[0].message({ sid: sid(4), from: phone(4), text: 'Hello' })
  const conversation = await conversationWith(4)
  await world.fault({ provider: 'twilio', kind: 'latency', ms: 400, times: 1 })
  const { body } = await kim.reply(conversation, 'A moment…')
  const sending = await eventually(async () => {
    const message = await stateOf(conversation, body.id)
    return message.delivery?.state === 'sending' && message
  })
  // The attempt's key was stored before the call, so that this is not a stranger's receipt.
  const key = sending.delivery?.attempts[0]?.key ?? ''
  expect(await posts[1].status({ sid: sid(99), to: phone(4), status: 'delivered', attempt: key })).toBe(200)
  await eventually(async () => (await stateOf(conversation, body.id)).delivery?.state === 'delivered')
  await eventually(
    async () => (await stateOf(conversation, body.id)).delivery?.attempts[0]?.outcome === 'accepted',
  )
  expect((await stateOf(conversation, body.id)).delivery?.state).toBe('delivered')

  // A receipt for a message that we do not know yet is parked, and joined when we do.
  await world.fault({ provider: 'twilio', kind: 'latency', ms: 300, times: 1 })
  const { body: second } = await kim.reply(conversation, 'And another')
  const line = await eventually(async () =>
    (await world.ledger('twilio')).find(({ text }) => text === 'And another'),
  )
  expect(await posts[0].status({ sid: line.id, to: phone(4), status: 'delivered' })).toBe(200)
  await eventually(async () => (await stateOf(conversation, second.id)).delivery?.state === 'delivered')
  expect(await Receipt.countDocuments({ workspace: world.workspace, state: 'orphaned' })).toBe(0)
})

test('an edit that comes before its message waits for it', async () => {
  const { telegram } = world.accounts
  const post = async (update: Record<string, unknown>) =>
    (
      await request('POST', `${world.node.url}/api/v1/telegram/webhook/${world.inboxes.telegram}`, {
        headers: { 'x-telegram-bot-api-secret-token': telegram.webhookSecret },
        body: update,
      })
    ).status
  const chat = { id: 77, type: 'private', first_name: 'Ada' }
  const from = { id: 77, is_bot: false, first_name: 'Ada' }
  const written = { message_id: 5, date: 1_780_000_000, chat, from }
  expect(
    await post({ update_id: 12, edited_message: { ...written, edit_date: 1_780_000_060, text: 'right' } }),
  ).toBe(200)
  expect(await post({ update_id: 11, message: { ...written, text: 'wrnog' } })).toBe(200)
  const conversation = await eventually(
    async () => (await kim.conversations()).find(({ contact }) => contact.address === '77')?.id,
  )
  const message = await eventually(async () => {
    const [first] = await kim.timeline(conversation)
    return first?.edits.length === 1 && first
  })
  expect(message).toMatchObject({ content: { text: 'right' }, edits: [{ content: { text: 'wrnog' } }] })
})

test('two agents answer at once: one is sent, the other is shown what it had not seen, and may send knowingly', async () => {
  await posts[0].message({ sid: sid(5), from: phone(5), text: 'Can I pay by card?' })
  const conversation = await conversationWith(5)
  const seenRev = (await kim.timeline(conversation)).at(-1)?.rev ?? 0
  for (let round = 0; round < 20; round++) {
    const seen = (await kim.timeline(conversation)).at(-1)?.rev ?? seenRev
    const answers = await Promise.all([
      kim.reply(conversation, `Yes, of course (${round})`, { seenRev: seen, clientId: `kim-${round}` }),
      noor.reply(conversation, `No, sorry (${round})`, { seenRev: seen, clientId: `noor-${round}` }),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
    const refused = answers.find(({ status }) => status === 409)?.body as unknown as Problem
    expect(refused.code).toBe('stale_reply')
    expect(refused.unseen).toMatchObject([{ id: answers.find(({ status }) => status === 201)?.body.id }])
  }
  const loser = await noor.reply(conversation, 'But only above ten euros.', { clientId: 'knowingly' })
  expect(loser.status).toBe(201)
  expect((await kim.timeline(conversation)).filter(({ direction }) => direction === 'outbound')).toHaveLength(
    21,
  )
})

test('who answers what is another’s, or what is assigned meanwhile, is told so', async () => {
  await posts[0].message({ sid: sid(6), from: phone(6), text: 'Hello' })
  const conversation = await conversationWith(6)
  expect((await kim.put(`/conversations/${conversation}/assignment`, { agent: noor.me.id })).status).toBe(200)
  expect(await kim.reply(conversation, 'Hi', { expectedAssignee: null })).toMatchObject({
    status: 409,
    body: { code: 'stale_reply' },
  })
  expect((await kim.reply(conversation, 'Hi', { expectedAssignee: noor.me.id })).status).toBe(201)
})

test('the same reply twenty times at once is one message, sent once, and every answer is the same', async () => {
  await posts[0].message({ sid: sid(7), from: phone(7), text: 'Hello' })
  const conversation = await conversationWith(7)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? kim : AgentOn(index)).reply(conversation, 'Exactly once', { clientId: 'one' }),
    ),
  )
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(answers.every(({ status }) => status === 200 || status === 201)).toBe(true)
  await eventually(async () => (await world.ledger('twilio')).some(({ text }) => text === 'Exactly once'))
  await Promise.all(world.nodes.map((node) => node.worker.idle()))
  expect((await world.ledger('twilio')).filter(({ text }) => text === 'Exactly once')).toHaveLength(1)
})

test('thirty answers in one conversation leave in their order, one at a time, from whichever node', async () => {
  await posts[0].message({ sid: sid(8), from: phone(8), text: 'Tell me a story' })
  const conversation = await conversationWith(8)
  for (let line = 0; line < 30; line++)
    expect((await (line % 2 === 0 ? kim : noor).reply(conversation, `Line ${line}`)).status).toBe(201)
  const told = await eventually(async () => {
    const lines = (await world.ledger('twilio')).filter(
      ({ to, text }) => to === phone(8) && text?.startsWith('Line'),
    )
    return lines.length >= 30 && lines.map(({ text }) => text)
  })
  expect(told).toEqual(Array.from({ length: 30 }, (_, line) => `Line ${line}`))
})

test('a connection that breaks after the request left is uncertain: not repeated, said so, and a receipt settles it', async () => {
  await posts[0].message({ sid: sid(9), from: phone(9), text: 'Hello' })
  const conversation = await conversationWith(9)
  await world.fault({ provider: 'twilio', kind: 'accept-then-drop', times: 1 })
  const { body } = await kim.reply(conversation, 'Perhaps')
  const uncertain = await eventually(async () => {
    const message = await stateOf(conversation, body.id)
    return message.delivery?.state === 'uncertain' && message
  })
  expect(uncertain.delivery?.problem?.reason).toMatch(/\w/)
  expect((await world.ledger('twilio')).filter(({ text }) => text === 'Perhaps')).toHaveLength(1)
  const key = uncertain.delivery?.attempts[0]?.key ?? ''
  expect(await posts[0].status({ sid: sid(98), to: phone(9), status: 'delivered', attempt: key })).toBe(200)
  await eventually(async () => (await stateOf(conversation, body.id)).delivery?.state === 'delivered')
  expect((await world.ledger('twilio')).filter(({ text }) => text === 'Perhaps')).toHaveLength(1)
})

test('an outage and a rate limit are waited out, and the message is sent once', async () => {
  await posts[0].message({ sid: sid(10), from: phone(10), text: 'Hello' })
  const conversation = await conversationWith(10)
  await world.fault({ provider: 'twilio', kind: 'status', status: 503, times: 1 })
  await world.fault({ provider: 'twilio', kind: 'status', status: 429, retryAfter: 1, times: 1 })
  const { body } = await kim.reply(conversation, 'Patience')
  const waiting = await eventually(async () => {
    const message = await stateOf(conversation, body.id)
    return (
      message.delivery?.attempts[1]?.outcome === 'rate-limited' &&
      message.delivery.state === 'queued' &&
      message
    )
  })
  expect(waiting.delivery?.retryAt).toBeDefined()
  await eventually(async () => (await stateOf(conversation, body.id)).delivery?.state === 'sent', 20_000)
  expect((await stateOf(conversation, body.id)).delivery?.attempts.map(({ outcome }) => outcome)).toEqual([
    'unavailable',
    'rate-limited',
    'accepted',
  ])
  expect((await world.ledger('twilio')).filter(({ text }) => text === 'Patience')).toHaveLength(1)
})

test('a retry is not ended by what comes late of the attempt before it, unless that proves the message arrived', async () => {
  await posts[0].message({ sid: sid(12), from: phone(12), text: 'Hello' })
  const conversation = await conversationWith(12)
  const { body } = await kim.reply(conversation, 'Twice tried')
  await eventually(async () => (await stateOf(conversation, body.id)).delivery?.state === 'sent')
  const first = (await stateOf(conversation, body.id)).delivery?.attempts[0]?.key ?? ''
  const late = (status: string) => posts[1].status({ sid: sid(97), to: phone(12), status, attempt: first })
  expect(await late('undelivered')).toBe(200)
  await eventually(async () => (await stateOf(conversation, body.id)).delivery?.state === 'failed')

  await world.fault({ provider: 'twilio', kind: 'status', status: 429, retryAfter: 2, times: 1 })
  expect((await kim.post(`/conversations/${conversation}/messages/${body.id}/attempts`, {})).status).toBe(201)
  await eventually(
    async () => (await stateOf(conversation, body.id)).delivery?.attempts[1]?.outcome === 'rate-limited',
  )
  for (const status of ['sent', 'failed']) expect(await late(status)).toBe(200)
  await settled()
  expect((await stateOf(conversation, body.id)).delivery?.state).toBe('queued')
  await eventually(
    async () => (await stateOf(conversation, body.id)).delivery?.attempts[2]?.outcome === 'accepted',
    20_000,
  )
  expect(await late('delivered')).toBe(200)
  await eventually(async () => (await stateOf(conversation, body.id)).delivery?.state === 'delivered')
})

test('a reaction leaves a snooze, a waiting contact and the list as they are', async () => {
  const ada = await world.customer('Ada who waits')
  await ada.writes('telegram', 'Tomorrow will do')
  const row = () =>
    eventually(async () =>
      (await kim.conversations()).find(({ contact }) => contact.name === 'Ada who waits'),
    )
  const before = await row()
  expect(
    (await kim.put(`/conversations/${before.id}/snooze`, { until: '2099-01-01T00:00:00Z' })).status,
  ).toBe(200)
  const message = (await kim.timeline(before.id))[0]?.id
  const sent = await kim.post(`/conversations/${before.id}/messages`, {
    clientId: 'thumb',
    content: { type: 'reaction', message, emoji: '👍' },
  })
  expect(sent.status).toBe(201)
  await eventually(async () => (await kim.timeline(before.id))[0]?.reactions.length === 1)
  const { status, snoozedUntil, waitingSince, lastMessage } = await row()
  expect({ status, snoozedUntil, waitingSince, lastMessage }).toEqual({
    status: 'snoozed',
    snoozedUntil: '2099-01-01T00:00:00.000Z',
    waitingSince: before.waitingSince,
    lastMessage: before.lastMessage,
  })
})

test('a reply is answered as the first time, also when what made it possible is gone', async () => {
  const ada = await world.customer('Ada who leaves')
  await ada.writes('telegram', 'Bye')
  const { id } = await eventually(async () =>
    (await kim.conversations()).find(({ contact }) => contact.name === 'Ada who leaves'),
  )
  const first = await kim.reply(id, 'Goodbye', { clientId: 'goodbye' })
  expect(first.status).toBe(201)
  await ada.blocks()
  await eventually(
    async () => (await kim.conversations()).find((row) => row.id === id)?.contact.reachable === false,
  )
  expect(await kim.reply(id, 'Goodbye', { clientId: 'goodbye' })).toMatchObject({
    status: 200,
    body: { id: first.body.id },
  })
  expect((await kim.reply(id, 'Are you there?')).status).toBe(422)
})

test('forged, unreadable, unknown and oversized webhooks get their own answers, and only the unreadable is kept', async () => {
  const path = `/api/v1/sms/webhook/twilio/${world.inboxes.sms}`
  const url = world.node.url + path
  const fields = inboundSms(world.accounts.twilio, {
    sid: sid(11),
    from: phone(11),
    text: 'I am not who I say',
  })
  const { headers, body } = twilioWebhook(url, 'not the token', fields)
  const kept = () => Receipt.countDocuments({ workspace: world.workspace })
  const before = await kept()
  expect(await request('POST', url, { headers, raw: body })).toMatchObject({
    status: 403,
    body: { code: 'forged' },
  })
  expect(
    (await request('POST', url, { headers: { 'content-type': headers['content-type'] ?? '' }, raw: body }))
      .status,
  ).toBe(403)
  expect(
    (
      await request('POST', `${world.node.url}/api/v1/sms/webhook/twilio/${world.workspace}`, {
        headers,
        raw: body,
      })
    ).status,
  ).toBe(404)
  expect((await request('POST', url, { headers, raw: 'x'.repeat(4_000_000) })).status).toBe(413)
  expect(await kept()).toBe(before)

  const telegram = `${world.node.url}/api/v1/telegram/webhook/${world.inboxes.telegram}`
  const secret = {
    'x-telegram-bot-api-secret-token': world.accounts.telegram.webhookSecret,
    'content-type': 'application/json',
  }
  for (const raw of [
    '{"update_id":',
    '[]',
    `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    '{"__proto__":{"polluted":true}}',
  ])
    expect((await request('POST', telegram, { headers: secret, raw })).status, raw.slice(0, 20)).toBe(400)
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  expect(await Receipt.countDocuments({ workspace: world.workspace, state: 'unreadable' })).toBe(4)
})

const AgentOn = (index: number): AgentClient => {
  // The same agent from two browsers, one at each node.
  const [first, second] = world.nodes
  const node = index % 4 === 1 ? first : second
  return Object.assign(Object.create(Object.getPrototypeOf(kim)), kim, { url: node?.url }) as AgentClient
}
