import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type AgentDoc } from '../../models/agent.ts'
import type { ConversationId } from '../../models/ids.ts'
import { type Clock, SystemClock } from '../../server/clock.ts'
import { REVIEW_MS } from '../../server/realtime/gateway.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { eventually } from '../support/eventually.ts'
import { phone, sid, TwilioPost } from '../support/load.ts'
import { World } from '../support/world.ts'

/** A clock whose reviews come when the test says so, and not before. */
const system = new SystemClock()
let reviews: (() => void)[] = []
const clock: Clock = {
  now: () => system.now(),
  monotonic: () => system.monotonic(),
  sleep: (ms, signal) => system.sleep(ms, signal),
  after(ms, callback) {
    if (ms !== REVIEW_MS) return system.after(ms, callback)
    reviews.push(callback)
    return {
      cancel: () => {
        reviews = reviews.filter((each) => each !== callback)
      },
    }
  },
}
const review = () => {
  for (const each of reviews.splice(0)) each()
}

let world: World
let sam: AgentClient
const clients: AgentClient[] = []
const connect = async (agent: AgentDoc): Promise<AgentClient> => {
  const client = await (await world.client(agent)).connect()
  clients.push(client)
  return client
}
const token = async (agent: AgentDoc) => (await world.node.parts.signIn.start(agent)).accessToken
const connected = (client: AgentClient) => client.line?.connected
const gone = (client: AgentClient) => eventually(() => !connected(client))
const catchUp = (client: AgentClient) =>
  client.ask((line, ack) => line.emit('catch-up', { cursor: null }, ack)).catch(() => undefined)

beforeAll(async () => {
  world = await World.start({ clock })
  sam = await connect(world.staff.sam)
})
afterAll(async () => {
  for (const client of clients) client.hangUp()
  await world.end()
  expect(reviews, 'nothing goes on where nobody is left').toEqual([])
})

// What is changed here is changed in the database alone: the broadcast that says so was lost.
describe('an open socket ends, though no broadcast says so,', () => {
  const withdrawals: Record<string, (client: AgentClient, agent: AgentDoc) => Promise<unknown>> = {
    'when the rights of its agent change': (_, agent) =>
      Agent.regrant(world.workspace, agent._id, { inboxes: [] }),
    'when its agent is disabled': (_, agent) => Agent.disable(world.workspace, agent._id, clock.now()),
    'when its session is ended': async ({ token }) => {
      const known = await world.node.parts.signIn.identify(token)
      if (known) await world.node.parts.signIn.end(world.workspace, known.claims.session)
    },
  }

  test.each(Object.entries(withdrawals))('%s, and it asks for nothing', async (_, withdraw) => {
    const agent = await world.hire('Somebody')
    const client = await connect(agent)
    review()
    await eventually(() => reviews.length === 1)
    expect(connected(client)).toBe(true)
    await withdraw(client, agent)
    review()
    await gone(client)
    expect(connected(sam), 'and nobody else’s').toBe(true)
  })

  test.each(Object.entries(withdrawals).slice(0, 2))('%s, and it asks', async (_, withdraw) => {
    const agent = await world.hire('Somebody')
    const client = await connect(agent)
    await withdraw(client, agent)
    void catchUp(client)
    await gone(client)
  })

  test('when the rights of its agent changed, and it shows a newer token', async () => {
    const agent = await world.hire('Somebody')
    const client = await connect(agent)
    const renew = async () => {
      const fresh = await token(agent)
      return client.ask((line, ack) => line.emit('authenticate', { token: fresh }, ack))
    }
    expect(await renew()).toMatchObject({ expiresIn: expect.any(Number) })
    await Agent.regrant(world.workspace, agent._id, { role: 'supervisor' })
    void renew().catch(() => undefined)
    await gone(client)
  })

  test('when the rights of its agent changed while it was on its way in', async () => {
    const agent = await world.hire('Somebody')
    const { signIn } = world.node.parts
    const identify = signIn.identify
    signIn.identify = async (given) => {
      const known = await identify.call(signIn, given)
      await Agent.regrant(world.workspace, agent._id, { inboxes: [] })
      return known
    }
    const line = io(world.node.url, {
      transports: ['websocket'],
      auth: { token: await token(agent) },
      reconnection: false,
      forceNew: true,
    })
    const ended = new Promise((resolve) => line.once('disconnect', resolve))
    await new Promise<void>((resolve) => line.once('connect', resolve))
    signIn.identify = identify
    expect(await ended).toBe('io server disconnect')
  })
})

test('to close a conversation that one did not open does nothing, whoever it belongs to', async () => {
  const post = new TwilioPost({
    nodeUrl: world.node.url,
    inbox: world.inboxes.sms,
    account: world.accounts.twilio,
  })
  await post.message({ sid: sid(1), from: phone(1), text: 'Hello' })
  const row = await eventually(async () => (await sam.conversations())[0])
  const conversation = row.id as ConversationId
  const stranger = await connect(await world.hire('Stranger', 'agent', [world.inboxes.telegram]))
  await sam.ask((line, ack) => line.emit('conversation.open', { conversation }, ack))
  const heard = () => sam.viewers.length
  await eventually(() => heard() === 1)
  await stranger.ask((line, ack) => line.emit('conversation.close', { conversation }, ack))
  await sam.ask((line, ack) => line.emit('typing', { conversation, replying: true }, ack))
  await eventually(() => heard() > 1)
  expect(heard()).toBe(2)
  await sam.ask((line, ack) => line.emit('conversation.close', { conversation }, ack))
})

test('when many come and go at once, a workspace is told a few times, and at last what is true', async () => {
  let told = 0
  sam.line?.on('presence', () => told++)
  const staff = await Promise.all(Array.from({ length: 12 }, (_, index) => world.hire(`Many ${index}`)))
  const many = await Promise.all(staff.map(connect))
  await eventually(() => staff.every(({ name }) => sam.presence.includes(name)))
  for (const client of many) client.hangUp()
  await eventually(() => !sam.presence.some((name) => name.startsWith('Many')))
  expect(told).toBeLessThan(12)
})
