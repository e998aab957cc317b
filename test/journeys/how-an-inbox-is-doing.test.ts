import { afterAll, beforeAll, expect, test } from 'vitest'
import { Route } from '../../models/route.ts'
import { Vault } from '../../models/vault.ts'
import type { RouteHealthView } from '../../server/realtime/protocol.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { eventually } from '../support/eventually.ts'
import { request } from '../support/http.ts'
import { World } from '../support/world.ts'

let world: World
let ari: AgentClient

beforeAll(async () => {
  world = await World.start()
  ari = await world.client(await world.hire('Ari', 'admin'))
})
afterAll(() => world.end())

async function health(inbox: string): Promise<RouteHealthView> {
  await world.node.parts.routeHealth.flush()
  const { body } = await ari.get<{ routes: RouteHealthView[] }>(`/inboxes/${inbox}/health`)
  const [route] = body.routes
  if (!route) throw new Error('an inbox has a route')
  return route
}
const fault = (body: object) => request('POST', `${world.sandboxUrl}/api/faults`, { body })
const healed = () => request('DELETE', `${world.sandboxUrl}/api/faults`)

test('before anything happened it says so, and that the account is good and the webhook set', async () => {
  expect(await health(world.inboxes.telegram)).toMatchObject({
    account: { ok: true },
    webhook: { state: 'set' },
    lastReceiptAt: null,
    lastSentAt: null,
    sentToday: 0,
    errorsToday: [],
  })
})

test('what came in and went out is told, and what the provider refused, by its code', async () => {
  const ada = await world.customer('Ada')
  await ada.writes('sms', 'Hello')
  const conversation = await eventually(async () => (await ari.conversations())[0])
  await ari.reply(conversation.id, 'Good day')
  await eventually(async () => (await health(world.inboxes.sms)).sentToday === 1)
  await fault({ provider: 'twilio', kind: 'status', status: 400, times: 1 })
  await ari.reply(conversation.id, 'This one fails')
  await eventually(async () => (await health(world.inboxes.sms)).errorsToday.length === 1)
  const told = await health(world.inboxes.sms)
  expect(told.lastReceiptAt).not.toBeNull()
  expect(told.lastSentAt).not.toBeNull()
  expect(told.errorsToday).toMatchObject([{ count: 1, reason: expect.stringMatching(/\.$/) }])
  await healed()
})

test('an account that stopped working is named, with what the provider says of it', async () => {
  const { directory } = world.node.parts
  const open = await directory.inbox(world.inboxes.sms)
  const [route] = open?.routes ?? []
  if (!route) throw new Error('an inbox has a route')
  const revoked = { ...(route.credentials as object), authToken: 'revoked' }
  const to = { apiBase: route.apiBase, sender: route.route.sender, credentials: revoked }
  await Route.lead(world.workspace, route.route._id, to, new Vault(world.config.secretKeys))
  directory.forget(world.inboxes.sms)
  expect((await health(world.inboxes.sms)).account).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/auth token/),
  })
})
