import { afterAll, beforeAll, expect, test } from 'vitest'
import { check, History } from '../support/checker.ts'
import { eventually } from '../support/eventually.ts'
import { seeded } from '../support/random.ts'
import { Installation } from './installation.ts'
import { Traffic } from './traffic.ts'

const SEED = Number(process.env.SEED ?? 20_261_122)
const CUSTOMERS = 30
const ANSWERS_EACH = 12
const KILLS = 2

let installation: Installation
beforeAll(async () => {
  installation = await Installation.start()
})
afterAll(() => installation.end())

test('killed in the middle of sending a burst: the rest goes out, nobody gets anything twice, the counts add up', {
  timeout: 240_000,
}, async () => {
  const { node } = installation
  const random = seeded(SEED)
  const history = new History()
  const traffic = await Traffic.begin(installation, history, CUSTOMERS)
  for (const provider of ['telegram', 'twilio'])
    await installation.fault({ provider, kind: 'latency', ms: 40 })
  const burst = Promise.all(
    traffic.lines.map(async (line) => {
      for (let answer = 0; answer < ANSWERS_EACH; answer++) await traffic.answer(line)
    }),
  )
  const total = CUSTOMERS * ANSWERS_EACH
  for (let kill = 1; kill <= KILLS; kill++) {
    const moment = Math.floor((total * (kill - 1 + random())) / (KILLS * 4))
    await eventually(async () => (await installation.ledger()).length > moment, 60_000)
    await node.kill('SIGKILL')
    await node.start()
  }
  await burst
  const timelines = await installation.settled(history.acknowledgedTexts(), 150_000)
  const verdict = check(history, { timelines, ledger: await installation.ledger() })
  const { uncertain, failed, atProvider } = verdict.counts
  console.log(
    `seed ${SEED}: ${KILLS} kills; ${total} replies, ${atProvider} at the providers, ${uncertain} uncertain, ${failed} failed`,
  )
  expect(verdict, node.output).toMatchObject({
    lost: [],
    doubled: [],
    disordered: [],
    revs: [],
    unaccounted: [],
    invented: [],
  })
  expect(failed).toBe(0)
  expect(history.acknowledged.replies).toBe(total)
  // Each is at the provider, or says that it may be.
  expect(atProvider).toBeGreaterThanOrEqual(total - uncertain)
  expect(uncertain).toBeLessThanOrEqual(KILLS * CUSTOMERS)
})
