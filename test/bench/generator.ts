import { Agent } from 'undici'
import { Agents } from './agents.ts'
import { answerCommands } from './helper-process.ts'
import { histogram, type Latency, latencyOf, record, Watch } from './watch.ts'
import { nextWebhook } from './webhook.ts'

/** The load, and the agents' sockets that it is measured at. */

/** A message that takes longer than this to arrive counts as lost; a shorter delay shows in the latencies. */
const DRAIN_MS = 120_000
const AGAIN_AFTER_MS = 50
const REPLY_CONNECTIONS = 64

export interface InboundResult {
  sent: number
  acknowledged: number
  errors: number
  lost: number
  doubled: number
  /** From the first request to the last arrival. */
  seconds: number
  delivered: Latency
  answered: Latency
}

const servers = new Map<string, { webhookUrl: string; agents: Agents }>()
const serverOf = (name: string) => {
  const server = servers.get(name)
  if (!server) throw new Error(`not connected to ${name}`)
  return server
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function connect(given: {
  name: string
  url: string
  webhookUrl: string
  tokens: string[]
}): Promise<void> {
  const agents = new Agents()
  await agents.connect(given.url, given.tokens)
  servers.set(given.name, { webhookUrl: given.webhookUrl, agents })
}

/** One run: `drive` sends, and everything is followed to all the agents. */
async function inbound(
  name: string,
  run: string,
  drive: (send: (since: number, counts: boolean) => Promise<void>) => Promise<void>,
): Promise<InboundResult> {
  const { webhookUrl, agents } = serverOf(name)
  const watch = new Watch(agents.count)
  const answered = histogram()
  let sent = 0
  let acknowledged = 0
  let errors = 0
  agents.onMessage = (agent, text) => watch.arrive(agent, text)
  const began = performance.now()
  await drive(async (since, counts) => {
    const webhook = nextWebhook(webhookUrl, run)
    sent++
    watch.expect(webhook.text, since, counts)
    const status = await webhook.send().catch(() => 0)
    if (status === 200) {
      acknowledged++
      if (counts) record(answered, performance.now() - since)
    } else {
      errors++
      watch.forget(webhook.text)
    }
  })
  const deadline = performance.now() + DRAIN_MS
  while (watch.open > 0 && performance.now() < deadline) await pause(10)
  return {
    sent,
    acknowledged,
    errors,
    lost: watch.open,
    doubled: watch.doubled,
    seconds: (watch.lastArrival - began) / 1000,
    delivered: latencyOf(watch.delivered),
    answered: latencyOf(answered),
  }
}

/** A fixed schedule that waits for nobody; latency is counted from the moment a message was due. */
function openLoop(given: { name: string; run: string; rate: number; warmSeconds: number; seconds: number }) {
  const { rate, warmSeconds } = given
  const total = Math.round(rate * (warmSeconds + given.seconds))
  return inbound(given.name, given.run, async (send) => {
    const began = performance.now()
    const underway: Promise<void>[] = []
    while (underway.length < total) {
      const due = began + (underway.length * 1000) / rate
      const wait = due - performance.now()
      if (wait > 0) await pause(wait)
      else underway.push(send(due, underway.length >= rate * warmSeconds))
    }
    await Promise.all(underway)
  })
}

/** As fast as it goes, with so many under way at a time. */
function closedLoop(given: { name: string; run: string; connections: number; seconds: number }) {
  return inbound(given.name, given.run, async (send) => {
    const until = performance.now() + given.seconds * 1000
    await Promise.all(
      Array.from({ length: given.connections }, async () => {
        while (performance.now() < until) await send(performance.now(), true)
      }),
    )
  })
}

/** A provider that repeats what is not acknowledged, while the server comes and goes. Counts what was acknowledged. */
async function insist(given: { name: string; run: string; rate: number; seconds: number }) {
  const { webhookUrl } = serverOf(given.name)
  const underway: Promise<void>[] = []
  let acknowledged = 0
  const began = performance.now()
  while (performance.now() - began < given.seconds * 1000) {
    const { send } = nextWebhook(webhookUrl, given.run)
    underway.push(
      (async () => {
        while ((await send().catch(() => 0)) !== 200) await pause(AGAIN_AFTER_MS)
        acknowledged++
      })(),
    )
    await pause(1000 / given.rate)
  }
  await Promise.all(underway)
  return { acknowledged }
}

/** Replies over HTTP, each once, so many under way at a time, the agents in turn: each has a limit of their own. */
async function replies(given: {
  url: string
  tokens: string[]
  requests: { path: string; body: object }[]
}): Promise<{ errors: number; beganAt: number; seconds: number; answered: Latency }> {
  const line = new Agent({ connections: REPLY_CONNECTIONS })
  const answered = histogram()
  let errors = 0
  let next = 0
  const beganAt = Date.now()
  await Promise.all(
    Array.from({ length: REPLY_CONNECTIONS }, async () => {
      for (let index = next++; index < given.requests.length; index = next++) {
        const asked = given.requests[index]
        if (!asked) return
        const since = performance.now()
        const status = await line
          .request({
            origin: given.url,
            path: asked.path,
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              authorization: `Bearer ${given.tokens[index % given.tokens.length]}`,
            },
            body: JSON.stringify(asked.body),
          })
          .then(async ({ statusCode, body }) => {
            await body.dump()
            return statusCode
          })
          .catch(() => 0)
        if (status === 201) record(answered, performance.now() - since)
        else errors++
      }
    }),
  )
  const seconds = (Date.now() - beganAt) / 1000
  await line.close()
  return { errors, beganAt, seconds, answered: latencyOf(answered) }
}

answerCommands({ connect, openLoop, closedLoop, insist, replies })
