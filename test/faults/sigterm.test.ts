import { io } from 'socket.io-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { check, History } from '../support/checker.ts'
import { eventually } from '../support/eventually.ts'
import { Installation } from './installation.ts'
import { Traffic } from './traffic.ts'

let installation: Installation
beforeAll(async () => {
  installation = await Installation.start()
})
afterAll(() => installation.end())

test('SIGTERM under load: ends with 0 within 10 s, its sockets close, nothing is lost and nothing left uncertain', {
  timeout: 120_000,
}, async () => {
  const { node } = installation
  const history = new History()
  const traffic = await Traffic.begin(installation, history, 16)
  for (const provider of ['telegram', 'twilio'])
    await installation.fault({ provider, kind: 'latency', ms: 100 })
  const socket = io(node.url, {
    transports: ['websocket'],
    auth: { token: installation.token },
    reconnection: false,
  })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject))
  const closed = new Promise<string>((resolve) => socket.once('disconnect', resolve))
  traffic.start()
  await eventually(() => history.acknowledged.webhooks > 100 && history.acknowledged.replies > 50)

  const since = performance.now()
  const ending = await node.kill('SIGTERM')
  const took = performance.now() - since
  expect(ending, node.output).toEqual({ code: 0, signal: null })
  expect(took).toBeLessThan(10_000)
  expect(await closed).toMatch(/server disconnect|transport close/)
  await expect(fetch(`${node.url}/health`)).rejects.toThrow()

  await node.start()
  await traffic.stop()
  const timelines = await installation.settled(history.acknowledgedTexts(), 30_000)
  const verdict = check(history, { timelines, ledger: await installation.ledger() })
  const { webhooks, replies } = history.acknowledged
  console.log(
    `ended after ${Math.round(took)} ms; acknowledged ${webhooks} webhooks, ${replies} replies; uncertain ${verdict.counts.uncertain}`,
  )
  expect(verdict, node.output).toMatchObject({
    lost: [],
    doubled: [],
    disordered: [],
    revs: [],
    unaccounted: [],
    invented: [],
  })
  // An orderly end finishes what it sends, so nothing needs to be guessed.
  expect(verdict.counts.uncertain).toBe(0)
})
