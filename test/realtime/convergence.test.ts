import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversationId } from '../../models/ids.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { eventually } from '../support/eventually.ts'
import { phone, sid, TwilioPost } from '../support/load.ts'
import { seeded } from '../support/random.ts'
import { RedisServer } from '../support/redis.ts'
import { World } from '../support/world.ts'

const AGENTS = 50
/** Of these, so many are there before the first customer writes; the others come to a full inbox. */
const EARLY = 10
const CONVERSATIONS = 1_000
/** Timelines each agent holds open while things happen. */
const OPENED = 3
const SEED = 20_261

let redis: RedisServer
let world: World
const clients: AgentClient[] = []
const random = seeded(SEED)
const pick = <T>(from: T[]): T => from[Math.floor(random() * from.length)] as T

beforeAll(async () => {
  redis = await RedisServer.start()
  world = await World.start({ nodes: 2, redisUrl: redis.url })
})
afterAll(async () => {
  for (const client of clients) client.hangUp()
  await world.end()
  await redis.kill()
})

/** What an agent holds, without what is theirs alone or a matter of paging. */
const held = (client: AgentClient) => ({
  conversations: Object.fromEntries(Object.values(client.state.conversations).map((each) => [each.id, each])),
  timelines: Object.fromEntries(
    Object.entries(client.state.timelines).map(([id, timeline]) => [id, timeline.messages]),
  ),
})

/**
 * What a client that connects now would hold. All of these agents see the whole workspace, so one asks for all of them; each
 * conversation's timeline is asked for once.
 */
async function fresh(): Promise<{
  rows: Map<string, object>
  timeline: (id: ConversationId) => Promise<object[]>
}> {
  const newcomer = await world.agent('kim')
  const rows = new Map(
    (await newcomer.conversations()).map(({ reading: _, ...row }) => [row.id as string, row]),
  )
  const timelines = new Map<string, Promise<object[]>>()
  const timeline = (id: ConversationId) => {
    const asked = timelines.get(id) ?? newcomer.timeline(id)
    timelines.set(id, asked)
    return asked
  }
  return { rows, timeline }
}

async function everyoneIsRight(): Promise<void> {
  await eventually(async () => {
    await Promise.all(clients.map((client) => client.catchUp()))
    const { rows, timeline } = await fresh()
    for (const client of clients) {
      const { conversations, timelines } = held(client)
      expect(conversations).toEqual(
        Object.fromEntries(Object.keys(conversations).map((id) => [id, rows.get(id)])),
      )
      for (const [id, messages] of Object.entries(timelines))
        expect(messages).toEqual(await timeline(id as ConversationId))
    }
    return true
  }, 60_000)
}

test(`two nodes, ${AGENTS} agents, ${CONVERSATIONS} conversations: what each holds equals a fresh snapshot`, async () => {
  const [first, second] = world.nodes
  if (!first || !second) throw new Error('this test needs two nodes')
  const arrive = async (count: number) => {
    for (let index = 0; index < count; index++) {
      const agent = await world.hire(`Agent ${clients.length}`)
      clients.push(await (await world.client(agent, index % 2 === 0 ? first : second)).connect())
    }
  }
  await arrive(EARLY)
  const posts = world.nodes.map(
    (node) => new TwilioPost({ nodeUrl: node.url, inbox: world.inboxes.sms, account: world.accounts.twilio }),
  )
  for (let start = 0; start < CONVERSATIONS; start += 50) {
    const batch = Array.from({ length: 50 }, (_, offset) => start + offset)
    const statuses = await Promise.all(
      batch.map((number) =>
        pick(posts).message({ sid: sid(number), from: phone(number), text: `Hello ${number}` }),
      ),
    )
    expect(statuses.every((status) => status === 200)).toBe(true)
  }
  const [reader] = clients
  if (!reader) throw new Error('nobody was hired')
  await eventually(async () => (await reader.conversations()).length === CONVERSATIONS, 30_000)
  const ids = (await reader.conversations()).map(({ id }) => id)

  await arrive(AGENTS - EARLY)
  for (const client of clients) for (let count = 0; count < OPENED; count++) await client.open(pick(ids))
  // A busy minute: customers write, agents answer, assign, resolve, label; all at once on both nodes.
  const busy = Array.from({ length: 300 }, async (_, step) => {
    const client = pick(clients)
    const opened = pick(Object.keys(client.state.timelines) as ConversationId[])
    const id = step % 3 === 0 ? pick(ids) : opened
    switch (step % 6) {
      case 0:
        return pick(posts).message({
          sid: sid(CONVERSATIONS + step),
          from: phone(Math.floor(random() * CONVERSATIONS)),
          text: `More ${step}`,
        })
      case 1:
        return client.reply(id, `Answer ${step}`)
      case 2:
        return client.put(`/conversations/${id}/assignment`, { agent: client.me.id })
      case 3:
        return client.put(`/conversations/${id}/labels`, { labels: [`label ${step % 5}`] })
      case 4:
        return client.put(`/conversations/${id}/resolution`)
      default:
        return client.reply(id, `Note ${step}`, { note: true })
    }
  })
  await Promise.all(busy)
  await Promise.all(world.nodes.map((node) => node.worker.idle()))
  await world.sandbox.idle()
  await Promise.all(world.nodes.map((node) => node.ingest.idle()))
  await everyoneIsRight()

  const onOneNode = clients.slice(0, EARLY).filter((_, index) => index % 2 === 0)
  const added = new Set(onOneNode.flatMap((client) => client.added))
  expect(added.size, 'broadcasts cross from the other node').toBeGreaterThan(CONVERSATIONS * 0.9)
  for (const client of clients)
    expect(new Set(client.added).size, 'nobody is told of a message twice').toBe(client.added.length)
}, 300_000)

test('Redis is killed and restarted under load: every open client is right again, without reconnecting', async () => {
  const connections = clients.map((client) => client.line?.id)
  const posts = world.nodes.map(
    (node) => new TwilioPost({ nodeUrl: node.url, inbox: world.inboxes.sms, account: world.accounts.twilio }),
  )
  let written = 0
  const write = async () => {
    const number = 50_000 + written++
    expect(
      await pick(posts).message({
        sid: sid(number),
        from: phone(number % 40),
        text: `While Redis fell ${number}`,
      }),
    ).toBe(200)
  }
  const many = async (count: number) => {
    for (let index = 0; index < count; index += 10) await Promise.all(Array.from({ length: 10 }, write))
  }
  await many(50)
  await redis.kill()
  await many(100) // inbound goes on: Redis is for being quick, not for being right
  await redis.start()
  await many(50)
  redis.pause()
  await many(50)
  redis.resume()
  await eventually(() => world.nodes.every((node) => node.parts.redis?.status === 'ready'))
  await Promise.all(world.nodes.map((node) => node.ingest.idle()))
  await everyoneIsRight()
  expect(clients.map((client) => client.line?.id)).toEqual(connections)

  // And live again: what is written now arrives on both nodes by itself.
  const before = clients.map((client) => client.added.length)
  await eventually(async () => {
    await write()
    return clients.every((client, index) => client.added.length > (before[index] ?? 0))
  }, 20_000)
}, 240_000)
