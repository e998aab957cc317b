import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ContactId, MergeId } from '../../models/ids.ts'
import type { ContactView, ConversationRow } from '../../server/realtime/protocol.ts'
import type { AgentClient } from '../support/agent-client.ts'
import type { Customer } from '../support/customer.ts'
import { eventually } from '../support/eventually.ts'
import { World } from '../support/world.ts'

let world: World
let kim: AgentClient
let ada: Customer

beforeAll(async () => {
  world = await World.start()
  kim = await (await world.agent('kim')).connect()
  ada = await world.customer('Ada')
  await ada.writes('telegram', 'Hello from Telegram')
  await ada.writes('sms', 'Hello by SMS')
  await eventually(async () => (await kim.conversations()).length === 2)
})
afterAll(async () => {
  kim.hangUp()
  await world.end()
})

const on = async (channel: string): Promise<ConversationRow> => {
  const found = (await kim.conversations()).find((each) => each.channel === channel)
  if (!found) throw new Error(`no conversation on ${channel}`)
  return found
}
const person = async (id: ContactId) => (await kim.get<ContactView>(`/contacts/${id}`)).body
let merge: MergeId
let from: ContactId
let into: ContactId

test('two contacts found to be one share their conversations, live, and what comes next joins them', async () => {
  from = (await on('telegram')).contact.id
  into = (await on('sms')).contact.id
  expect(from).not.toBe(into)
  const { status, body } = await kim.post<ContactView>(`/contacts/${into}/merges`, { from })
  expect(status).toBe(201)
  expect(body.identities.map(({ channel }) => channel).sort()).toEqual(['sms', 'telegram'])
  expect(body.conversations).toHaveLength(2)
  merge = (body.merges[0] ?? { id: '' as MergeId }).id
  const telegram = await on('telegram')
  await eventually(() => kim.state.conversations[telegram.id]?.contact.id === into)
  await ada.writes('telegram', 'Still me')
  await eventually(async () => (await on('telegram')).inbound === 2)
  expect((await on('telegram')).contact.id).toBe(into)
})

test('it is undone: each is who they were, and nothing said is lost', async () => {
  const { status } = await kim.delete(`/contacts/${into}/merges/${merge}`)
  expect(status).toBe(200)
  expect((await person(into)).identities.map(({ channel }) => channel)).toEqual(['sms'])
  expect((await person(from)).identities.map(({ channel }) => channel)).toEqual(['telegram'])
  await ada.writes('telegram', 'And again')
  await eventually(async () => (await on('telegram')).inbound === 3)
  expect((await on('telegram')).contact.id).toBe(from)
  expect(await kim.timeline((await on('telegram')).id)).toHaveLength(3)
  expect((await kim.delete(`/contacts/${into}/merges/${merge}`)).status).toBe(404)
})

test('nobody is merged with themselves, with nobody, or twice', async () => {
  expect((await kim.post(`/contacts/${into}/merges`, { from: into })).status).toBe(409)
  const nobody = '01a20526-0000-7000-8000-000000000000'
  expect((await kim.post(`/contacts/${into}/merges`, { from: nobody })).status).toBe(404)
  expect((await kim.post(`/contacts/${into}/merges`, { from })).status).toBe(201)
  expect((await kim.post(`/contacts/${into}/merges`, { from })).status).toBe(404)
})

test('who is confined to an inbox sees of a person what is there, and merges nobody', async () => {
  const hired = await world.hire('Confined', 'agent', [world.inboxes.sms])
  const confined = await world.client(hired)
  const seen = await confined.get<ContactView>(`/contacts/${into}`)
  expect(seen.body.identities.map(({ channel }) => channel)).toEqual(['sms'])
  expect(seen.body.conversations.map(({ channel }) => channel)).toEqual(['sms'])
  expect(seen.body.merges).toEqual([])
  expect((await confined.get('/contacts?q=a')).status).toBe(403)
  expect((await confined.post(`/contacts/${into}/merges`, { from })).status).toBe(403)
})

test('people are found by name and by address', async () => {
  const found = await kim.get<{ data: { id: string }[] }>(`/contacts?q=${encodeURIComponent(ada.phone)}`)
  expect(found.body.data.map(({ id }) => id)).toContain(into)
  expect((await kim.get<{ data: unknown[] }>('/contacts?q=.*')).body.data).toEqual([])
})
