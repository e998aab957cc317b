import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AgentId, ConversationId, WorkspaceId } from '../../models/ids.ts'
import { newId } from '../../models/ids.ts'
import { type Clock, SystemClock } from '../../server/clock.ts'
import {
  LocalPresence,
  PRESENCE_EXPIRES_MS,
  type Presence,
  RedisPresence,
} from '../../server/realtime/presence.ts'
import { TYPING_EXPIRES_MS } from '../../server/realtime/protocol.ts'
import { keys } from '../../server/redis/keys.ts'
import { RedisServer } from '../support/redis.ts'

let now = 1_800_000_000_000
const clock: Clock = Object.assign(new SystemClock(), { now: () => new Date(now) })

let server: RedisServer
let redis: Redis
beforeAll(async () => {
  server = await RedisServer.start()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.kill()
})

let workspace: WorkspaceId
let conversation: ConversationId
const kim = newId<AgentId>()
const noor = newId<AgentId>()
beforeEach(() => {
  workspace = newId<WorkspaceId>()
  conversation = newId<ConversationId>()
})

describe.each<[string, () => Presence]>([
  ['of one node', () => new LocalPresence(clock)],
  ['of many nodes', () => new RedisPresence(redis, clock)],
])('the presence %s', (_, create) => {
  let presence: Presence
  beforeEach(() => {
    presence = create()
  })

  test('knows nobody before anybody came', async () => {
    expect(await presence.online(workspace)).toEqual([])
    expect(await presence.viewers(conversation)).toEqual([])
  })

  test('an agent is here once, until the last of their sockets left; in no other workspace', async () => {
    await presence.arrive(workspace, noor, 'a')
    await presence.arrive(workspace, kim, 'b')
    await presence.arrive(workspace, kim, 'c')
    expect(await presence.online(workspace)).toEqual([kim, noor].sort())
    expect(await presence.online(newId<WorkspaceId>())).toEqual([])
    await presence.leave(workspace, kim, 'b')
    expect(await presence.online(workspace)).toContain(kim)
    await presence.leave(workspace, kim, 'c')
    await presence.leave(workspace, kim, 'c')
    expect(await presence.online(workspace)).toEqual([noor])
  })

  test('a mark ends by itself, unless it is renewed', async () => {
    await presence.arrive(workspace, kim, 'a')
    await presence.arrive(workspace, noor, 'b')
    await presence.open(conversation, kim, 'a')
    now += PRESENCE_EXPIRES_MS - 1
    expect(await presence.online(workspace)).toHaveLength(2)
    expect(await presence.viewers(conversation)).toHaveLength(1)
    await presence.arrive(workspace, noor, 'b')
    now += 1
    expect(await presence.online(workspace)).toEqual([noor])
    expect(await presence.viewers(conversation)).toEqual([])
  })

  test('who looks at a conversation, and who writes in it; writing ends by itself or when said', async () => {
    await presence.open(conversation, kim, 'a')
    await presence.reply(conversation, kim, true)
    await presence.open(conversation, noor, 'b')
    const seen = async () =>
      Object.fromEntries((await presence.viewers(conversation)).map((each) => [each.agent, each.replying]))
    expect(await seen()).toEqual({ [kim]: true, [noor]: false })
    await presence.reply(conversation, kim, false)
    await presence.reply(conversation, noor, true)
    expect(await seen()).toEqual({ [kim]: false, [noor]: true })
    now += TYPING_EXPIRES_MS
    expect(await seen()).toEqual({ [kim]: false, [noor]: false })
    await presence.close(conversation, kim, 'a')
    expect(await seen()).toEqual({ [noor]: false })
  })
})

test('in Redis, a set that is always in use holds no mark that ended, and ends itself', async () => {
  const presence = new RedisPresence(redis, clock)
  for (let index = 0; index < 5; index++) await presence.arrive(workspace, kim, `of a dead node ${index}`)
  now += PRESENCE_EXPIRES_MS
  await presence.arrive(workspace, noor, 'a')
  expect(await redis.zcard(keys.online(workspace))).toBe(1)
  expect(await redis.pttl(keys.online(workspace))).toBeGreaterThan(0)
})
