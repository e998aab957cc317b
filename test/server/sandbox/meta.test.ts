import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WhatsAppAPI } from 'whatsapp-api-js'
import {
  ActionButtons,
  ActionList,
  Body,
  BodyComponent,
  BodyParameter,
  Button,
  Image,
  Interactive,
  ListSection,
  Location,
  Reaction,
  Row,
  Template,
  Text,
} from 'whatsapp-api-js/messages'
import type { Clock } from '../../../server/sandbox/clock.ts'
import type { HandsetView, LedgerView } from '../../../server/sandbox/protocol.ts'
import { createWorld, eventually, type Hook, type World } from '../../adapters/world.ts'

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const graph = async (
  method: string,
  path: string,
  body?: object,
  token = world.accounts.meta.whatsapp.accessToken,
) => {
  const answer = await fetch(`${world.origin}/sandbox/meta/v26.0${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text()) }
}
const newHandset = (name = 'Bo'): Promise<HandsetView> => world.api('POST', '/handsets', { name })
const chats = async ({ id }: HandsetView) => (await world.api<HandsetView>('GET', `/handsets/${id}`)).chats
const write = (handset: HandsetView, channel: string, text: string) =>
  world.api('POST', `/handsets/${handset.id}/messages`, { channel, text })
const fault = (kind: string, more: object = {}) =>
  world.api('POST', '/faults', { provider: 'meta', kind, ...more })
const textOf = ({ body }: Hook): string => new TextDecoder().decode(body)

/** Written anew from the documentation, not shared with the code under test. */
function expectSigned(hook: Hook): void {
  const { appSecret } = world.accounts.meta.whatsapp
  const proof = createHmac('sha256', appSecret).update(hook.body).digest('hex')
  expect(hook.headers['x-hub-signature-256']).toBe(`sha256=${proof}`)
}

async function subscribeNumber(): Promise<void> {
  const { businessAccountId, phoneNumberId } = world.accounts.meta.whatsapp
  await graph('POST', `/${businessAccountId}/subscribed_apps`)
  const override_callback_uri = `${world.origin}/hooks/whatsapp`
  const webhook_configuration = { override_callback_uri, verify_token: 'verify_me' }
  expect((await graph('POST', `/${phoneNumberId}`, { webhook_configuration })).body).toEqual({
    success: true,
  })
}

/** The library that others speak to WhatsApp with, led here instead of to Meta. */
const sdk = (): WhatsAppAPI => {
  const { accessToken, appSecret, verifyToken } = world.accounts.meta.whatsapp
  return new WhatsAppAPI({
    token: accessToken,
    appSecret,
    webhookVerifyToken: verifyToken,
    v: 'v26.0',
    ponyfill: {
      fetch: ((url: URL | string, init?: RequestInit) =>
        fetch(
          String(url).replace('https://graph.facebook.com', `${world.origin}/sandbox/meta`),
          init,
        )) as typeof fetch,
    },
  })
}

describe('the WhatsApp simulator, judged by whatsapp-api-js', () => {
  it('takes what the library sends, and shows it', async () => {
    await subscribeNumber()
    const bo = await newHandset()
    await write(bo, 'whatsapp', 'Hello')
    await world.sandbox.idle()
    const { phoneNumberId } = world.accounts.meta.whatsapp
    const [inbound] = (await chats(bo)).whatsapp
    const library = sdk()
    const form = new FormData()
    form.set('messaging_product', 'whatsapp')
    form.set('type', 'image/png')
    form.set('file', new Blob([new Uint8Array([1, 2, 3])], { type: 'image/png' }), 'a.png')
    const uploaded = await library.uploadMedia(phoneNumberId, form, false)
    const { id: media } = uploaded as { id: string }
    const messages = [
      new Text('Hello there'),
      new Image(media, true, 'A picture'),
      new Location(-2.5, 1.5, 'Office'),
      new Interactive(
        new ActionButtons(new Button('y', 'Yes'), new Button('n', 'No')),
        new Body('Shall we?'),
      ),
      new Interactive(
        new ActionList('Choose', new ListSection('Fruit', new Row('a', 'Apple', 'Red'))),
        new Body('Which?'),
      ),
      new Template('order_ready', 'en', new BodyComponent(new BodyParameter('Bo'), new BodyParameter('#5'))),
      new Reaction(inbound?.id ?? '', '👍'),
    ]
    for (const message of messages) {
      const answer = await library.sendMessage(phoneNumberId, bo.phone.slice(1), message, undefined, 'msg-1')
      expect(answer, JSON.stringify(answer)).toMatchObject({
        messaging_product: 'whatsapp',
        messages: [{ id: expect.stringMatching(/^wamid\./) }],
      })
    }
    expect(await library.markAsRead(phoneNumberId, inbound?.id ?? '', 'text')).toEqual({ success: true })
    await world.sandbox.idle()
    const { whatsapp } = await chats(bo)
    expect(whatsapp[0]).toMatchObject({ mark: 'read', reactions: { theirs: '👍' } })
    expect(whatsapp.filter(({ mine }) => !mine)).toHaveLength(messages.length - 1)
    const found = await library.retrieveMedia(media, phoneNumberId)
    if (!('url' in found)) throw new Error('no file')
    const bytes = await (await library.fetchMedia(found.url)).arrayBuffer()
    expect([...new Uint8Array(bytes)]).toEqual([1, 2, 3])
  })

  it('posts what the library takes for genuine and understands', async () => {
    await subscribeNumber()
    const library = sdk()
    const heard: object[] = []
    library.on.message = ({ from, message, name }) => void heard.push({ from, name, message })
    library.on.status = ({ status, id, biz_opaque_callback_data }) =>
      void heard.push({ status, id, biz_opaque_callback_data })
    const bo = await newHandset('Bo Straße')
    await write(bo, 'whatsapp', 'Ça va? / 👍')
    await world.sandbox.idle()
    const { phoneNumberId } = world.accounts.meta.whatsapp
    const sent = await library.sendMessage(phoneNumberId, bo.phone, new Text('Oui'), undefined, 'msg-1')
    const [{ id }] = (sent as { messages: [{ id: string }] }).messages
    await world.sandbox.idle()
    for (const hook of world.hooks) {
      expectSigned(hook)
      const text = textOf(hook)
      await library.post(JSON.parse(text), text, hook.headers['x-hub-signature-256'] ?? '')
      await expect(
        library.post(JSON.parse(text), `${text} `, hook.headers['x-hub-signature-256'] ?? ''),
      ).rejects.toThrow()
    }
    expect(heard).toMatchObject([
      {
        from: bo.phone.slice(1),
        name: 'Bo Straße',
        message: { type: 'text', text: { body: 'Ça va? / 👍' } },
      },
      { status: 'sent', id, biz_opaque_callback_data: 'msg-1' },
      { status: 'delivered', id },
    ])
  })
})

describe('the simulator of the Graph API', () => {
  it('asks an address before it posts there, and posts escaped as Meta does', async () => {
    const { phoneNumberId } = world.accounts.meta.whatsapp
    const webhook_configuration = { override_callback_uri: `${world.origin}/nowhere`, verify_token: 'x' }
    expect(await graph('POST', `/${phoneNumberId}`, { webhook_configuration })).toMatchObject({
      status: 400,
      body: { error: { code: 2200 } },
    })
    await subscribeNumber()
    const bo = await newHandset()
    await write(bo, 'whatsapp', 'Café / 👍')
    await world.sandbox.idle()
    const [hook] = world.hooks
    expect(hook && textOf(hook)).toContain(String.raw`Caf\u00e9 \/ \ud83d\udc4d`)
  })

  it('refuses in Meta’s words', async () => {
    const { phoneNumberId, accessToken } = world.accounts.meta.whatsapp
    const send = (more: object) =>
      graph('POST', `/${phoneNumberId}/messages`, {
        messaging_product: 'whatsapp',
        to: '12025550123',
        ...more,
      })
    const code = async (more: object) => (await send(more)).body.error?.code
    expect(await graph('GET', `/${phoneNumberId}`, undefined, 'wrong')).toMatchObject({
      status: 401,
      body: { error: { code: 190, type: 'OAuthException', fbtrace_id: expect.any(String) } },
    })
    expect(await code({ type: 'text', text: { body: '' } })).toBe(100)
    expect(await code({ type: 'text', text: { body: 'a'.repeat(4097) } })).toBe(100)
    expect(await code({ type: 'dance' })).toBe(100)
    expect(await code({ to: 'abc', type: 'text', text: { body: 'a' } })).toBe(100)
    const template = (name: string, parameters: object[] = []) => ({
      type: 'template',
      template: { name, language: { code: 'en' }, components: [{ type: 'body', parameters }] },
    })
    expect(await code(template('nothing'))).toBe(132001)
    expect(await code(template('table_reserved')), 'not approved').toBe(132001)
    expect(await code(template('order_ready'))).toBe(132000)
    const text = (parameter: string) => ({ type: 'text', text: parameter })
    expect(await code(template('may_we_call', [text('Bo'), text('x')])), 'names are missing').toBe(132012)
    expect((await graph('GET', '/1')).body.error).toMatchObject({ code: 100 })
    const proof = '?appsecret_proof=wrong'
    expect((await graph('GET', `/${phoneNumberId}${proof}`)).body.error.message).toMatch(/appsecret_proof/)
    expect(accessToken).toMatch(/^EAA/)
  })

  it('asks to wait in minutes', async () => {
    const { phoneNumberId } = world.accounts.meta.whatsapp
    await fault('status', { status: 429, retryAfter: 90, times: 1 })
    const refused = await graph('POST', `/${phoneNumberId}/messages`, {})
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 4 } } })
    const usage = JSON.parse(refused.headers.get('x-business-use-case-usage') ?? '{}')
    expect(Object.values(usage)).toMatchObject([[{ estimated_time_to_regain_access: 2 }]])
  })

  it.each([
    ['duplicate', ['sent', 'sent', 'delivered', 'delivered']],
    ['reorder', ['delivered', 'sent']],
    ['drop', []],
    ['before-answer', ['sent', 'delivered']],
  ])('can %s receipts', async (kind, expected) => {
    await subscribeNumber()
    const bo = await newHandset()
    await write(bo, 'whatsapp', 'Hello')
    await world.sandbox.idle()
    world.hooks.length = 0
    await fault(kind)
    const { phoneNumberId } = world.accounts.meta.whatsapp
    const text = { type: 'text', text: { body: 'Hi' } }
    await graph('POST', `/${phoneNumberId}/messages`, {
      messaging_product: 'whatsapp',
      to: bo.phone,
      ...text,
    })
    const told = () =>
      world.hooks.map((hook) => JSON.parse(textOf(hook)).entry[0].changes[0].value.statuses[0].status)
    if (kind === 'before-answer') expect(told()).toEqual(expected)
    await world.sandbox.idle()
    expect(told()).toEqual(expected)
  })

  it('gives a file away for five minutes, to who shows the token', async () => {
    let now = Date.UTC(2026, 0, 1)
    const clock: Clock = {
      now: () => new Date(now),
      setTimeout: (callback) => {
        queueMicrotask(callback)
        return { cancel: () => {} }
      },
    }
    await world.close()
    world = await createWorld({ clock })
    const { phoneNumberId, accessToken } = world.accounts.meta.whatsapp
    const form = new FormData()
    form.set('messaging_product', 'whatsapp')
    form.set('file', new Blob(['x'], { type: 'image/png' }), 'a.png')
    const upload = await fetch(`${world.origin}/sandbox/meta/v26.0/${phoneNumberId}/media`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}` },
      body: form,
    })
    const { id } = (await upload.json()) as { id: string }
    const { url } = (await graph('GET', `/${id}`)).body
    const get = (authorization: string) => fetch(url, { headers: { authorization } })
    expect((await get(`Bearer ${accessToken}`)).status).toBe(200)
    expect((await get('Bearer wrong')).status).toBe(401)
    now += 300_001
    expect((await get(`Bearer ${accessToken}`)).status).toBe(404)
    expect((await graph('GET', `/${id}?phone_number_id=1`)).status).toBe(400)
  })

  it('is not led to fetch from anywhere but the product', async () => {
    const { pageId, accessToken } = world.accounts.meta.messenger
    const bo = await newHandset()
    await write(bo, 'messenger', 'Hello')
    const payload = { url: 'http://169.254.169.254/latest' }
    const refused = await graph(
      'POST',
      `/${pageId}/messages`,
      {
        recipient: { id: `24${String(bo.chatId).padStart(16, '0')}` },
        messaging_type: 'RESPONSE',
        message: { attachment: { type: 'image', payload } },
      },
      accessToken,
    )
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 100, error_subcode: 2018008 } } })
  })

  it('keeps Messenger’s windows: a day for answers, a week for people', async () => {
    let now = Date.UTC(2026, 0, 1)
    const clock: Clock = {
      now: () => new Date(now),
      setTimeout: (callback) => {
        queueMicrotask(callback)
        return { cancel: () => {} }
      },
    }
    await world.close()
    world = await createWorld({ clock })
    const { pageId, accessToken } = world.accounts.meta.messenger
    const bo = await newHandset()
    await write(bo, 'messenger', 'Hello')
    const send = async (purpose: object) => {
      const recipient = { id: `24${String(bo.chatId).padStart(16, '0')}` }
      const said = { recipient, ...purpose, message: { text: 'Hi' } }
      return (await graph('POST', `/${pageId}/messages`, said, accessToken)).body.error?.error_subcode
    }
    const answer = { messaging_type: 'RESPONSE' }
    const person = { messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' }
    expect(await send(answer)).toBeUndefined()
    now += 25 * 3_600_000
    expect(await send(answer)).toBe(2018278)
    expect(await send(person)).toBeUndefined()
    now += 6 * 24 * 3_600_000
    expect(await send(person)).toBe(2018278)
  })

  it('counts what both took in one ledger', async () => {
    const bo = await newHandset()
    await write(bo, 'messenger', 'Hello')
    const { pageId, accessToken } = world.accounts.meta.messenger
    const recipient = { id: `24${String(bo.chatId).padStart(16, '0')}` }
    await graph(
      'POST',
      `/${pageId}/messages`,
      { recipient, messaging_type: 'RESPONSE', message: { text: 'Hi' } },
      accessToken,
    )
    await eventually(async () => (await chats(bo)).messenger.length === 2)
    const ledger = await world.api<LedgerView>('GET', '/ledger?provider=meta')
    expect(ledger).toMatchObject({ accepted: { meta: 1 }, entries: [{ what: 'text', text: 'Hi' }] })
  })
})
