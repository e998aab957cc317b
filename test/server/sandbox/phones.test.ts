import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sandboxAccounts } from '../../../server/sandbox/accounts.ts'
import type { HandsetView, SandboxEvent, WebhookView } from '../../../server/sandbox/protocol.ts'
import { createWorld, type World } from '../../adapters/world.ts'

describe('the phones', () => {
  let world: World
  beforeEach(async () => {
    world = await createWorld()
  })
  afterEach(() => world.close())
  const newHandset = (body: object = { name: 'Ada' }): Promise<HandsetView> =>
    world.api('POST', '/handsets', body)

  it('have numbers kept free for fiction, and come back as they were', async () => {
    const ada = await newHandset()
    expect(ada.phone).toMatch(/^\+1\d{3}55501\d{2}$/)
    const { phone, chatId } = ada
    expect(await newHandset({ name: 'Ada L.', phone, chatId })).toMatchObject({ id: ada.id, name: 'Ada L.' })
    const known = await newHandset({ name: 'Bo', phone: '+447700900123', chatId: 77 })
    expect(known).toMatchObject({ phone: '+447700900123', chatId: 77 })
  })

  it('tell the page what happens on them, and on no other', async () => {
    const [ada, bo] = [await newHandset(), await newHandset({ name: 'Bo' })]
    const response = await fetch(`${world.origin}/sandbox/api/handsets/${ada.id}/events`)
    expect(response.headers.get('cache-control')).toMatch(/no-transform/)
    for (const { id } of [bo, ada])
      await world.api('POST', `/handsets/${id}/messages`, {
        channel: 'telegram',
        text: 'Hello\n\ndata: evil',
      })
    const event = await firstEvent(response)
    expect(event).toMatchObject({
      type: 'bubble',
      handset: ada.id,
      bubble: { content: { text: 'Hello\n\ndata: evil' } },
    })
  })

  it('refuse what is no message, in a sentence', async () => {
    const { id } = await newHandset()
    const write = (body: unknown) => world.api('POST', `/handsets/${id}/messages`, body)
    await expect(write({ channel: 'telegram', text: ' ' })).rejects.toThrow(
      /There is nothing in this message/,
    )
    await expect(write({ channel: 'pigeon', text: 'x' })).rejects.toThrow(/400/)
    await expect(write({ channel: 'sms', location: { latitude: 91, longitude: 0 } })).rejects.toThrow(/400/)
    await expect(write({ channel: 'sms', text: 'a'.repeat(4097) })).rejects.toThrow(/At most 4,096/)
    await expect(world.api('POST', '/handsets', { name: '' })).rejects.toThrow(/needs a name/)
    await expect(world.api('GET', '/handsets/nobody')).rejects.toThrow(/404/)
    const big = new FormData()
    big.set('channel', 'telegram')
    big.set('media', new Blob([new Uint8Array(10 * 1_048_576 + 1)]), 'big.bin')
    await expect(write(big)).rejects.toThrow(/at most 10 MB/)
  })

  it('share a place and a contact', async () => {
    const { id } = await newHandset()
    const write = (body: unknown) => world.api('POST', `/handsets/${id}/messages`, body)
    expect(await write({ channel: 'telegram', location: { latitude: 1, longitude: 2 } })).toMatchObject({
      content: { type: 'location', latitude: 1 },
    })
    expect(await write({ channel: 'telegram', contact: 'own' })).toMatchObject({
      content: { type: 'contact' },
    })
  })

  it('hand out files so that no browser runs them', async () => {
    const { id } = await newHandset()
    const form = new FormData()
    form.set('channel', 'telegram')
    form.set('media', new Blob(['<script>alert(1)</script>'], { type: 'text/html' }), 'x.html')
    const bubble = await world.api<{ content: { file: { id: string } } }>(
      'POST',
      `/handsets/${id}/messages`,
      form,
    )
    const response = await fetch(`${world.origin}/sandbox/api/files/${bubble.content.file.id}`)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('speak to no other site', async () => {
    const response = await fetch(`${world.origin}/sandbox/api/faults`, {
      method: 'DELETE',
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    expect(response.status).toBe(403)
  })

  it('show what was posted to the product, newest first', async () => {
    await world.api('POST', '/faults', { provider: 'telegram', kind: 'duplicate', times: 1 })
    const { id } = await newHandset()
    const url = `${world.origin}/hooks/telegram?x=1`
    const { token } = world.accounts.telegram
    await fetch(`${world.origin}/sandbox/telegram/bot${token}/setWebhook?url=${encodeURIComponent(url)}`)
    await world.api('POST', `/handsets/${id}/messages`, { channel: 'telegram', text: 'Hello' })
    await world.sandbox.idle()
    const posted = await world.api<WebhookView[]>('GET', '/webhooks')
    expect(posted).toMatchObject([
      { what: 'message', path: '/hooks/telegram?x=1', answer: 200, attempt: 1 },
      { provider: 'telegram', answer: 200 },
    ])
    expect(JSON.stringify(posted)).not.toContain(world.accounts.telegram.webhookSecret)
  })
})

describe('the sandbox accounts', () => {
  it('are the same for the same secret, and others for another', () => {
    expect(sandboxAccounts('a')).toEqual(sandboxAccounts('a'))
    expect(sandboxAccounts('a').telegram.token).not.toBe(sandboxAccounts('b').telegram.token)
    expect(sandboxAccounts('a').telegram.token).toMatch(/^\d{9}:[\w-]{35}$/)
    expect(sandboxAccounts('a').twilio.accountSid).toMatch(/^AC[0-9a-f]{32}$/)
  })
})

async function firstEvent(response: Response): Promise<SandboxEvent> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: '', done: true }
    text += value ?? ''
    const [, data] = /^data: (.*)$/m.exec(text) ?? []
    if (data) {
      await reader?.cancel()
      return JSON.parse(data)
    }
    if (done) throw new Error('The stream ended.')
  }
}
