import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Clock, SystemClock } from '../../server/clock.ts'
import { createLog } from '../../server/log.ts'
import { createNode } from '../../server/node.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { eventually } from '../support/eventually.ts'
import { phone, sid, TwilioPost } from '../support/load.ts'
import { seeded } from '../support/random.ts'
import { World } from '../support/world.ts'

let world: World
let kim: AgentClient
beforeAll(async () => {
  world = await World.start({ receipts: { sentAfterMs: 60_000, deliveredAfterMs: 60_000 } })
  kim = await (await world.agent('kim')).connect()
})
afterAll(async () => {
  kim.hangUp()
  await world.end()
})

/** A machine whose clock is wrong by so much, and that did not ask the database. */
const wrongBy = (ms: number): Clock => {
  const right = new SystemClock()
  return {
    now: () => new Date(right.now().getTime() + ms),
    monotonic: () => right.monotonic(),
    sleep: (wait, signal) => right.sleep(wait, signal),
    after: (wait, callback) => right.after(wait, callback),
  }
}

test('a node follows the database’s clock, and carries on when that jumps back', async () => {
  let database = Date.now() + 600_000
  const clock = new SystemClock()
  const following = await clock.follow(async () => new Date(database))
  following.cancel()
  expect(Math.abs(clock.now().getTime() - database)).toBeLessThan(1_000)
  const before = clock.now().getTime()
  database -= 1_200_000
  ;(await clock.follow(async () => new Date(database))).cancel()
  expect(clock.now().getTime()).toBeGreaterThanOrEqual(before)
})

test('two nodes whose clocks are ten minutes apart send nothing twice and keep the order; cursors do not lean on clocks', async () => {
  const nodes = []
  for (const ms of [-600_000, 600_000]) {
    const node = await createNode({
      config: world.config,
      clock: wrongBy(ms),
      random: seeded(ms),
      log: createLog('silent'),
    })
    await node.parts.worker.start(false)
    nodes.push(node)
  }
  const posts = nodes.map(
    (node) => new TwilioPost({ nodeUrl: node.url, inbox: world.inboxes.sms, account: world.accounts.twilio }),
  )
  for (let index = 0; index < 20; index++) {
    expect(await posts[index % 2]?.message({ sid: sid(index), from: phone(1), text: `Line ${index}` })).toBe(
      200,
    )
    await Promise.all(nodes.map((node) => node.ingest.idle()))
  }
  await eventually(async () => {
    await kim.catchUp()
    return Object.values(kim.state.conversations)[0]?.inbound === 20
  })
  const [conversation] = await kim.conversations()
  if (!conversation) throw new Error('no conversation')
  expect(
    (await kim.timeline(conversation.id)).map(({ content }) => content.type === 'text' && content.text),
  ).toEqual(Array.from({ length: 20 }, (_, index) => `Line ${index}`))
  const clients = await Promise.all(nodes.map((node) => world.client(world.staff.noor, node)))
  // Signed by a clock that is ten minutes behind, a token is still good for five; the one from the future is refused there.
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => kim.reply(conversation.id, `Answer ${index}`)),
  )
  expect(answers.every(({ status }) => status === 201)).toBe(true)
  for (const node of nodes) node.worker.wake(conversation.id)
  await eventually(
    async () => (await world.ledger('twilio')).filter(({ text }) => text?.startsWith('Answer')).length >= 10,
    20_000,
  )
  await Promise.all([world.node, ...nodes].map((node) => node.worker.idle()))
  const sent = (await world.ledger('twilio'))
    .filter(({ text }) => text?.startsWith('Answer'))
    .map(({ text }) => text)
  expect(new Set(sent).size).toBe(10)
  expect(sent).toHaveLength(10)
  expect(clients).toHaveLength(2)
  await Promise.all(nodes.map((node) => node.stop()))
})
