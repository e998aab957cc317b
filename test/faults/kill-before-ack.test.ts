import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MessageView } from '../../server/realtime/protocol.ts'
import { textOf } from '../support/checker.ts'
import { inboundSms, twilioWebhook } from '../support/customer.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { request } from '../support/http.ts'
import { Installation } from './installation.ts'

let installation: Installation
let line: FaultProxy

beforeAll(async () => {
  installation = await Installation.start(async (port) => {
    line = await FaultProxy.start(port)
    return line.url
  })
})
afterAll(async () => {
  await installation.end()
  await line.close()
})

/** Sends, and kills the server once it wants to answer: what it did is stored, and the sender never learns it. */
async function killedBeforeItsAnswer(send: () => Promise<unknown>): Promise<void> {
  const answering = line.withholdAnswers()
  const unanswered = expect(send()).rejects.toThrow()
  await answering
  await installation.node.kill('SIGKILL')
  line.cut()
  await unanswered
  await installation.node.start()
}

const bo = '+12025550147'
const sms = (sid: string, text: string) => {
  const { accounts, webhookUrls } = installation
  const fields = inboundSms(accounts.twilio, { sid, from: bo, text })
  const { headers, body } = twilioWebhook(webhookUrls.sms, accounts.twilio.authToken, fields)
  return () => request('POST', webhookUrls.sms, { headers, raw: body })
}
const timelineOfBo = async (): Promise<MessageView[]> => {
  const conversation = await eventually(async () => (await installation.conversations()).get(bo))
  return installation.timeline(conversation)
}

test('killed after keeping a webhook and before saying so: the provider repeats it, and it is one message', async () => {
  const send = sms(`SM${'a1'.repeat(16)}`, 'Hello?')
  await killedBeforeItsAnswer(send)
  // What was kept is a message already, though nobody repeated it yet.
  await eventually(async () => (await timelineOfBo()).length === 1)
  expect((await send()).status).toBe(200)
  expect((await send()).status).toBe(200)
  const after = sms(`SM${'b2'.repeat(16)}`, 'Anybody there?')
  expect((await after()).status).toBe(200)
  const timeline = await eventually(async () => {
    const found = await timelineOfBo()
    return found.some((message) => textOf(message) === 'Anybody there?') && found
  })
  expect(timeline.map(textOf)).toEqual(['Hello?', 'Anybody there?'])
})

test('killed after writing a reply and before saying so: the browser repeats it, and the customer gets it at most once', {
  timeout: 90_000,
}, async () => {
  const conversation = (await installation.conversations()).get(bo)
  const body = { clientId: randomUUID(), content: { type: 'text', text: 'Here we are.' } }
  const send = () => installation.api<MessageView>('POST', `/conversations/${conversation}/messages`, body)
  await killedBeforeItsAnswer(send)
  const [again, oncemore] = [await send(), await send()]
  expect([again.status, oncemore.status]).toEqual([200, 200])
  expect(oncemore.body.id).toBe(again.body.id)
  const timelines = await installation.settled([], 80_000)
  const written = timelines.flat().filter((message) => textOf(message) === 'Here we are.')
  expect(written.map(({ id }) => id)).toEqual([again.body.id])
  const taken = (await installation.ledger()).filter(({ text }) => text === 'Here we are.')
  const state = written[0]?.delivery?.state
  if (state === 'uncertain') expect(taken.length).toBeLessThanOrEqual(1)
  else {
    expect(['sent', 'delivered']).toContain(state)
    expect(taken).toHaveLength(1)
  }
})
