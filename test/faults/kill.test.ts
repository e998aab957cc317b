import { afterAll, beforeAll, expect, test } from 'vitest'
import { check, History } from '../support/checker.ts'
import { seeded } from '../support/random.ts'
import { Installation } from './installation.ts'
import { pause, Traffic } from './traffic.ts'

const KILLS = Number(process.env.KILLS ?? 50)
const SEED = Number(process.env.SEED ?? 20_261_122)
const CUSTOMERS = 16
/** Most lives last up to this after they serve; the others end while they are still starting. */
const LIFE_MS = 1_000
const STARTING_MS = 400
/** A lane of a dead node is held for 10 s, an attempt of its for 30 s; then everything says what became of it. */
const SETTLES_WITHIN_MS = 90_000

let installation: Installation
beforeAll(async () => {
  installation = await Installation.start()
})
afterAll(() => installation.end())

test(`kill -9 at ${KILLS} random moments under load: nothing acknowledged is lost, nothing doubled, order kept`, {
  timeout: 600_000,
}, async () => {
  const { node } = installation
  const random = seeded(SEED)
  const history = new History()
  const traffic = await Traffic.begin(installation, history, CUSTOMERS)
  traffic.start()

  const startMs: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    if (random() < 0.2)
      await pause(random() * STARTING_MS) // in the middle of the recovery from the last one
    else {
      const since = performance.now()
      await node.ready()
      if (kill > 0) startMs.push(performance.now() - since)
      await pause(random() * LIFE_MS)
    }
    await node.kill('SIGKILL')
    node.launch()
  }
  await node.ready()
  await traffic.stop()
  const lastKill = performance.now()
  const timelines = await installation.settled(history.acknowledgedTexts(), SETTLES_WITHIN_MS)
  const verdict = check(history, { timelines, ledger: await installation.ledger() })

  const { acknowledged } = history
  const { lost, doubled, disordered, counts } = verdict
  console.log(
    [
      `seed ${SEED}: ${KILLS} kills; acknowledged ${acknowledged.webhooks} webhooks, ${acknowledged.replies} replies`,
      `(${traffic.repeated} requests repeated); lost ${lost.length}, doubled ${doubled.length}, out of order ${disordered.length};`,
      `uncertain ${counts.uncertain}, failed ${counts.failed}, at the providers ${counts.atProvider};`,
      `serving again after ${Math.round(median(startMs))} ms (worst ${Math.round(Math.max(...startMs))});`,
      `settled ${((performance.now() - lastKill) / 1000).toFixed(1)} s after the load ended`,
    ].join(' '),
  )
  expect(verdict, node.output).toMatchObject({
    lost: [],
    doubled: [],
    disordered: [],
    revs: [],
    unaccounted: [],
    invented: [],
  })
  expect(acknowledged.webhooks).toBeGreaterThan(KILLS * 3)
  expect(acknowledged.replies).toBeGreaterThan(KILLS)
})

const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
