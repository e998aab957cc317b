import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HandsetView, LedgerView } from '../../../server/sandbox/protocol.ts'
import { createWorld, eventually, type Hook, type World } from '../../adapters/world.ts'

describe('the Twilio simulator', () => {
  let world: World
  beforeEach(async () => {
    world = await createWorld()
  })
  afterEach(() => world.close())

  const call = async (method: string, path: string, form?: Record<string, string>, password?: string) => {
    const { accountSid, authToken } = world.accounts.twilio
    const response = await fetch(`${world.origin}/sandbox/twilio/2010-04-01/Accounts/${accountSid}${path}`, {
      method,
      headers: {
        authorization: `Basic ${btoa(`${accountSid}:${password ?? authToken}`)}`,
      },
      ...(form && { body: new URLSearchParams(form) }),
    })
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
  }
  const send = (more: Record<string, string> = {}) =>
    call('POST', '/Messages.json', {
      To: '+12025550123',
      From: world.accounts.twilio.number,
      Body: 'Hello',
      StatusCallback: `${world.origin}/hooks/status?attempt=k1`,
      ...more,
    })
  const newHandset = (): Promise<HandsetView> => world.api('POST', '/handsets', { name: 'Bo' })
  const fieldsOf = ({ body }: Hook): Record<string, string> =>
    Object.fromEntries(new URLSearchParams(new TextDecoder().decode(body)))
  const statuses = (): (string | undefined)[] => world.hooks.map((hook) => fieldsOf(hook).MessageStatus)
  const fault = (kind: string, more: object = {}) =>
    world.api('POST', '/faults', { provider: 'twilio', kind, ...more })

  /** Written anew from the documentation, not shared with the code under test. */
  function expectSigned(hook: Hook): void {
    const fields = fieldsOf(hook)
    const text = Object.keys(fields)
      .sort()
      .reduce((all, name) => all + name + fields[name], hook.url)
    const signature = createHmac('sha1', world.accounts.twilio.authToken).update(text).digest('base64')
    expect(hook.headers['x-twilio-signature']).toBe(signature)
  }

  it('takes a message and answers with the documented resource', async () => {
    const { status, body } = await send()
    expect(status).toBe(201)
    expect(body).toMatchObject({
      sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
      status: 'queued',
      to: '+12025550123',
      direction: 'outbound-api',
      num_segments: '1',
      price: null,
      error_code: null,
    })
    await world.sandbox.idle()
    expect(await call('GET', `/Messages/${body.sid}.json`)).toMatchObject({
      status: 200,
      body: { status: 'delivered' },
    })
    expect(await call('GET', '/Messages/SMnone.json')).toMatchObject({ status: 404, body: { code: 20404 } })
  })

  it('posts signed receipts, in order, to the address it was given', async () => {
    await send()
    await world.sandbox.idle()
    expect(statuses()).toEqual(['sent', 'delivered'])
    for (const hook of world.hooks) {
      expect(hook.url).toBe(`${world.origin}/hooks/status?attempt=k1`)
      expectSigned(hook)
    }
  })

  it('posts what the visitor writes, signed, to the number’s address', async () => {
    const { accountSid, number } = world.accounts.twilio
    const numbers = await call('GET', `/IncomingPhoneNumbers.json?PhoneNumber=${encodeURIComponent(number)}`)
    const [{ sid }] = numbers.body.incoming_phone_numbers
    const SmsUrl = `${world.origin}/hooks/inbound`
    await call('POST', `/IncomingPhoneNumbers/${sid}.json`, { SmsUrl, SmsMethod: 'POST' })
    const bo = await newHandset()
    await world.api('POST', `/handsets/${bo.id}/messages`, { channel: 'sms', text: 'Ça va? + "ok" 😀' })
    const hook = await eventually(() => world.hooks[0])
    expectSigned(hook)
    expect(fieldsOf(hook)).toMatchObject({
      AccountSid: accountSid,
      From: bo.phone,
      To: number,
      Body: 'Ça va? + "ok" 😀',
      SmsStatus: 'received',
      NumMedia: '0',
    })
  })

  it('loses what the product does not take, as Twilio does', async () => {
    const bo = await newHandset()
    const write = (): Promise<{ id: string }> =>
      world.api('POST', `/handsets/${bo.id}/messages`, { channel: 'sms', text: 'Hello' })
    await write()
    const numbers = await call('GET', '/IncomingPhoneNumbers.json')
    const path = `/IncomingPhoneNumbers/${numbers.body.incoming_phone_numbers[0].sid}.json`
    await call('POST', path, { SmsUrl: `${world.origin}/hooks/inbound` })
    world.answers.push(500)
    await write()
    await write()
    await world.sandbox.idle()
    const { chats } = await world.api<HandsetView>('GET', `/handsets/${bo.id}`)
    expect(chats.sms.map(({ mark }) => mark)).toEqual(['lost', 'lost', 'received'])
    expect(world.hooks).toHaveLength(2)
  })

  it('refuses in Twilio’s words', async () => {
    expect(await call('POST', '/Messages.json', {}, 'wrong')).toMatchObject({
      status: 401,
      body: { code: 20003, status: 401, more_info: 'https://www.twilio.com/docs/errors/20003' },
    })
    const refused = async (more: Record<string, string>) => (await send(more)).body.code
    expect(await refused({ To: '' })).toBe(21604)
    expect(await refused({ To: '555' })).toBe(21211)
    expect(await refused({ From: '+15559999999' })).toBe(21606)
    expect(await refused({ From: '' })).toBe(21603)
    expect(await refused({ Body: '' })).toBe(21602)
    expect(await refused({ Body: 'a'.repeat(1601) })).toBe(21617)
    expect(await refused({ MediaUrl: 'nonsense' })).toBe(21620)
    expect(await refused({ StatusCallback: 'nonsense' })).toBe(21609)
    expect((await call('GET', '/Nothing.json')).status).toBe(404)
    expect((await call('GET', '.json')).body).toMatchObject({ friendly_name: 'Nexus Café', status: 'active' })
  })

  it('is not led to fetch from anywhere but the product', async () => {
    const bo = await newHandset()
    await send({ To: bo.phone, MediaUrl: 'http://169.254.169.254/latest' })
    await world.sandbox.idle()
    expect(fieldsOf(await eventually(() => world.hooks.at(-1)))).toMatchObject({
      MessageStatus: 'undelivered',
      ErrorCode: '63019',
    })
  })

  it('tells of reading once the phone shows it, however early', async () => {
    const bo = await newHandset()
    await send({ To: bo.phone })
    await eventually(async () => (await world.api<HandsetView>('GET', `/handsets/${bo.id}`)).chats.sms[0])
    await world.api('POST', `/handsets/${bo.id}/read`, { channel: 'sms' })
    await world.sandbox.idle()
    await world.api('POST', `/handsets/${bo.id}/read`, { channel: 'sms' })
    await world.sandbox.idle()
    expect(statuses()).toEqual(['sent', 'delivered', 'read'])
    expect(fieldsOf(world.hooks[2] as Hook)).toMatchObject({ EventType: 'READ', ChannelPrefix: 'rcs' })
  })

  it.each([
    ['duplicate', ['sent', 'sent', 'delivered', 'delivered']],
    ['reorder', ['delivered', 'sent']],
    ['drop', []],
  ])('can %s receipts', async (kind, expected) => {
    await fault(kind)
    await send()
    await world.sandbox.idle()
    expect(statuses()).toEqual(expected)
  })

  it('can post receipts before it answers', async () => {
    await fault('before-answer')
    const { body } = await send()
    expect(statuses()).toEqual(['sent', 'delivered'])
    expect(body.status).toBe('queued')
  })

  it('asks to wait, with and without a hint', async () => {
    await fault('status', { status: 429, retryAfter: 3, times: 1 })
    await fault('status', { status: 429, times: 1 })
    const [hinted, bare] = [await send(), await send()]
    expect(hinted).toMatchObject({ status: 429, body: { code: 20429 } })
    expect(hinted.headers.get('retry-after')).toBe('3')
    expect(bare.status).toBe(429)
    expect(bare.headers.get('retry-after')).toBeNull()
    expect((await send()).status).toBe(201)
  })

  it('counts in its ledger what it took, answered or not', async () => {
    await send()
    await fault('accept-then-drop', { times: 1 })
    await expect(send()).rejects.toThrow()
    await fault('reset', { times: 1 })
    await expect(send()).rejects.toThrow()
    const ledger = await world.api<LedgerView>('GET', '/ledger?provider=twilio')
    expect(ledger.accepted).toMatchObject({ telegram: 0, twilio: 2 })
    expect(ledger.entries).toMatchObject([{ what: 'text', text: 'Hello' }, { to: '+12025550123' }])
    await world.api('DELETE', '/ledger')
    expect((await world.api<LedgerView>('GET', '/ledger')).entries).toEqual([])
  })
})
