import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { phone, sid, TwilioPost } from '../support/load.ts'
import { RedisServer } from '../support/redis.ts'
import { World } from '../support/world.ts'

let redis: RedisServer
let world: World
beforeAll(async () => {
  redis = await RedisServer.start()
  world = await World.start({ nodes: 2, redisUrl: redis.url })
})
afterAll(async () => {
  await world.end()
  await redis.kill()
})

test('a node that stops ends its own sockets only, and its agents go on at the other', async () => {
  const [first, second] = world.nodes
  if (!first || !second) throw new Error('this test needs two nodes')
  const kim = await (await world.agent('kim', first)).connect()
  const noor = await (await world.agent('noor', second)).connect()
  const post = new TwilioPost({
    nodeUrl: second.url,
    inbox: world.inboxes.sms,
    account: world.accounts.twilio,
  })
  const dropped: string[] = []
  noor.line?.on('disconnect', (reason) => dropped.push(reason))
  const gone = new Promise((resolve) => kim.line?.once('disconnect', resolve))
  await first.stop()
  await gone
  expect(await post.message({ sid: sid(1), from: phone(1), text: 'Anybody there?' })).toBe(200)
  await eventually(() => noor.added.length === 1)
  expect(dropped).toEqual([])
  kim.hangUp()
  const again = await (await world.agent('kim', second)).connect()
  expect(Object.keys(again.state.conversations)).toHaveLength(1)
  again.hangUp()
  noor.hangUp()
})
