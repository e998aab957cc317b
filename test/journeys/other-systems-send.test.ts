import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiKey } from '../../models/api-key.ts'
import type { MessageView, SentView } from '../../server/realtime/protocol.ts'
import type { AgentClient } from '../support/agent-client.ts'
import type { Customer } from '../support/customer.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, request } from '../support/http.ts'
import { phone, sid, TwilioPost } from '../support/load.ts'
import { World } from '../support/world.ts'

let world: World
let kim: AgentClient
let ada: Customer
let secret: string

beforeAll(async () => {
  world = await World.start()
  kim = await (await world.agent('kim')).connect()
  ada = await world.customer('Ada')
  ;({ secret } = await ApiKey.issue({
    workspace: world.workspace,
    name: 'The shop’s till',
    createdBy: world.staff.sam._id,
    at: new Date(),
  }))
})
afterAll(async () => {
  kim.hangUp()
  await world.end()
})

let names = 0
const send = (
  path: string,
  body: unknown,
  name = `request-${++names}`,
): Promise<Answer<SentView & { code?: string; detail?: string }>> =>
  request('POST', `${world.node.url}/api/v1${path}`, {
    token: secret,
    headers: { 'idempotency-key': name },
    body,
  })
const conversationWith = (address: string) =>
  eventually(async () => (await kim.conversations()).find(({ contact }) => contact.address === address))

describe('a shop sends a code by SMS', () => {
  test('it arrives, is followed until it is delivered, and gives no agent work', async () => {
    const { status, body } = await send('/sms/send', { to: ada.phone, text: 'Your code is 4711' })
    expect(status).toBe(201)
    await eventually(async () =>
      (await ada.sees('sms')).some(
        ({ content }) => 'text' in content && content.text === 'Your code is 4711',
      ),
    )
    await eventually(async () => {
      const answer = await request<SentView>('GET', `${world.node.url}/api/v1/sms/status/${body.id}`, {
        token: secret,
      })
      return answer.body.delivery?.state === 'delivered'
    })
    const conversation = await conversationWith(ada.phone)
    expect(conversation).toMatchObject({ status: 'resolved', waitingSince: null, id: body.conversation })
    const [line] = await kim.timeline(conversation.id)
    expect(line).toMatchObject({ author: { kind: 'api', name: 'The shop’s till' }, direction: 'outbound' })
  })

  test('her answer joins the same conversation and opens it', async () => {
    await ada.writes('sms', 'It does not work')
    const conversation = await eventually(async () =>
      (await kim.conversations()).find(
        ({ contact, status }) => contact.address === ada.phone && status === 'open',
      ),
    )
    expect(conversation.waitingSince).not.toBeNull()
  })

  test('asked twice, at once or later, one message goes out, and both are told of it', async () => {
    const body = { to: phone(50), text: 'Only once' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => send('/sms/send', body, 'the-same')))
    const later = await send('/sms/send', body, 'the-same')
    expect(new Set([...answers, later].map(({ body: { id } }) => id)).size).toBe(1)
    expect(later.status).toBe(200)
    const conversation = await conversationWith(phone(50))
    expect(await kim.timeline(conversation.id)).toHaveLength(1)
  })

  test('a name used for something else is refused, and nothing is sent', async () => {
    await send('/sms/send', { to: phone(51), text: 'One' }, 'taken')
    const other = await send('/sms/send', { to: phone(52), text: 'Two' }, 'taken')
    expect(other).toMatchObject({ status: 409, body: { code: 'conflict' } })
    expect((await kim.conversations()).some(({ contact }) => contact.address === phone(52))).toBe(false)
  })

  test('without a name, with a revoked key, an agent’s token or a wrong body it says why', async () => {
    const url = `${world.node.url}/api/v1/sms/send`
    const body = { to: phone(53), text: 'Hello' }
    const nameless = await request('POST', url, { token: secret, body })
    expect(nameless).toMatchObject({ status: 400, body: { errors: [{ field: 'Idempotency-Key' }] } })
    const headers = { 'idempotency-key': 'x' }
    expect((await request('POST', url, { token: kim.token, headers, body })).status).toBe(401)
    const { key, secret: revoked } = await ApiKey.issue({
      workspace: world.workspace,
      name: 'Old',
      createdBy: world.staff.sam._id,
      at: new Date(),
    })
    await ApiKey.revoke(world.workspace, key._id, new Date())
    expect((await request('POST', url, { token: revoked, headers, body })).status).toBe(401)
    expect((await send('/sms/send', { to: phone(53), text: ' ' })).status).toBe(400)
    expect((await send('/whatsapp/send', { to: phone(53), text: 'Hi' })).status).toBe(404)
  })
})

test('ten thousand are told of one by one, each once, though the caller asks again', async () => {
  const rows = Array.from({ length: 200 }, (_, index) => ({
    to: phone(1_000 + index),
    text: `Sale ${index}`,
  }))
  rows.push({ to: phone(1_000), text: 'Second to the same' }, { to: phone(2_000), text: ' ' })
  const bulk = async () => {
    const response = await fetch(`${world.node.url}/api/v1/sms/send/bulk`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json',
        'idempotency-key': 'the-campaign',
      },
      body: JSON.stringify({ messages: rows }),
    })
    expect(response.headers.get('content-type')).toMatch(/x-ndjson/)
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    return lines.sort((a, b) => a.row - b.row) as {
      row: number
      status?: string
      message?: string
      problem?: object
    }[]
  }
  const first = await bulk()
  expect(first).toHaveLength(202)
  expect(first.slice(0, 201).every(({ status }) => status === 'queued')).toBe(true)
  expect(first[201]).toMatchObject({ problem: { code: 'invalid_request' } })
  const again = await bulk()
  expect(again.slice(0, 201).every(({ status }) => status === 'repeated')).toBe(true)
  expect(again.map(({ message }) => message)).toEqual(first.map(({ message }) => message))
  const conversation = await conversationWith(phone(1_000))
  const words = (await kim.timeline(conversation.id)).map(({ content }) => 'text' in content && content.text)
  expect(words).toEqual(['Sale 0', 'Second to the same'])
})

describe('what a channel lacks is said in another way', () => {
  let bob: Customer
  const timeline = async (): Promise<MessageView[]> => {
    const conversation = await conversationWith(bob.phone)
    return kim.timeline(conversation.id)
  }
  beforeAll(async () => {
    bob = await world.customer('Bob')
  })

  test('a list goes out by SMS as numbered lines, and “2” comes back as the choice', async () => {
    const content = {
      type: 'list',
      text: 'When may we come?',
      button: 'Times',
      sections: [
        {
          rows: [
            { id: 'am', title: 'Morning' },
            { id: 'pm', title: 'Afternoon' },
          ],
        },
      ],
    }
    expect((await send('/messages/send', { channel: 'sms', to: bob.phone, content })).status).toBe(201)
    await eventually(async () =>
      (await bob.sees('sms')).some(
        ({ content }) =>
          'text' in content && content.text === 'When may we come?\n\n1. Morning\n2. Afternoon',
      ),
    )
    await bob.writes('sms', ' 2 ')
    await eventually(async () => (await timeline()).length === 2)
    expect((await timeline()).map(({ content }) => content)).toMatchObject([
      { type: 'list' },
      { type: 'choice', id: 'pm', title: 'Afternoon' },
    ])
  })

  test('a text beyond the provider’s limit goes out as two messages, in order', async () => {
    const text = `${'first '.repeat(200)}\n\n${'second '.repeat(150)}`.trim()
    await send('/messages/send', { channel: 'sms', to: bob.phone, content: { type: 'text', text } })
    const parts = await eventually(async () => {
      const long = (await bob.sees('sms')).filter(
        ({ content }) => 'text' in content && /^(first|second) /.test(content.text),
      )
      return long.length === 2 ? long : null
    })
    expect(parts.map(({ content }) => ('text' in content ? content.text.slice(0, 6) : ''))).toEqual([
      'first ',
      'second',
    ])
  })
})

test('STOP shuts the door for agents and systems alike, START opens it again', async () => {
  const post = new TwilioPost({
    nodeUrl: world.node.url,
    inbox: world.inboxes.sms,
    account: world.accounts.twilio,
  })
  const writes = (number: number, text: string) => post.message({ sid: sid(number), from: phone(70), text })
  await writes(700, 'Hello')
  const conversation = await conversationWith(phone(70))
  const answer = () => kim.reply(conversation.id, 'Are you there?')
  expect((await answer()).status).toBe(201)

  await writes(701, ' stop. ')
  await eventually(async () => (await conversationWith(phone(70))).contact.optedOut)
  expect(await answer()).toMatchObject({ status: 422, body: { code: 'opted_out' } })
  expect(await send('/sms/send', { to: phone(70), text: 'Sale' })).toMatchObject({
    status: 422,
    body: { code: 'opted_out' },
  })

  await writes(702, 'What is my balance?')
  await world.node.ingest.idle()
  expect((await answer()).status).toBe(422)

  await writes(703, 'START')
  await eventually(async () => !(await conversationWith(phone(70))).contact.optedOut)
  expect((await answer()).status).toBe(201)
})
