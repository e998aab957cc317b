import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Forged, type OutboundMessage, type WebhookRequest } from '../../adapters/adapter.ts'
import type { ProviderEvent } from '../../adapters/events.ts'
import { twilioSms } from '../../adapters/sms/twilio.ts'
import { signatureOf } from '../../adapters/twilio/signature.ts'
import { whatsappTwilio } from '../../adapters/whatsapp/twilio.ts'
import type { Content } from '../../models/content.ts'
import type { Address, MediaId, ProviderMessageId } from '../../models/ids.ts'
import type { BubbleView, HandsetView, LedgerView } from '../../server/sandbox/protocol.ts'
import { adapterContract, callWith, type Payload, payload } from './contract.ts'
import { createWorld, eventually, listen, shut, type World } from './world.ts'

const credentials = {
  accountSid: 'AC00000000000000000000000000000000',
  authToken: '12345test_auth_token_67890abcdef',
}
const INBOUND = 'https://inbox.example.com/webhooks/twilio/ch_1/inbound'
const FORM = 'application/x-www-form-urlencoded'

const signed = (body: string, url = INBOUND): WebhookRequest => ({
  method: 'POST',
  url,
  headers: {
    'content-type': FORM,
    'x-twilio-signature': signatureOf(url, new URLSearchParams(body), credentials.authToken),
  },
  body: new TextEncoder().encode(body),
})

const SM = 'SM11111111111111111111111111111111'
const MM = 'MM11111111111111111111111111111111'
const OUR = 'SM22222222222222222222222222222222' as ProviderMessageId
const message = (content: Content, more: object = {}): ProviderEvent => ({
  kind: 'message',
  from: '+254711000001' as Address,
  profile: { phone: '+254711000001' },
  providerId: SM as ProviderMessageId,
  content,
  ...more,
})
const file = (id: string, mime: string) => ({
  state: 'pending' as const,
  reference: `https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/${MM}/Media/${id}`,
  mime,
})
const hello = { type: 'text', text: 'Hello' } as const

const payloads: Payload[] = (
  [
    ['text', [message(hello)]],
    [
      'opt-out',
      [
        message({ type: 'text', text: 'STOP' }),
        { kind: 'reachability', from: '+254711000001' as Address, reachable: false },
      ],
    ],
    [
      'picture',
      [message({ type: 'image', file: file('ME1', 'image/jpeg'), caption: 'Look here' }, { providerId: MM })],
    ],
    [
      'two-files',
      [
        message({ type: 'image', file: file('ME1', 'image/jpeg'), caption: 'Two' }, { providerId: MM }),
        message({ type: 'document', file: file('ME2', 'text/vcard') }, { providerId: `${MM}:1` }),
      ],
    ],
    [
      'location',
      [
        message({
          type: 'location',
          latitude: -1.2921,
          longitude: 36.8219,
          name: 'Office',
          address: 'Street 1',
        }),
      ],
    ],
    ['short-code', [message(hello, { from: '24365', profile: {} })]],
    ['reply', [message(hello, { replyTo: OUR })]],
    ['whatsapp', [{ kind: 'ignored', what: 'whatsapp_message' }]],
    ['status-queued', [{ kind: 'ignored', what: 'status_queued' }]],
    ['status-sent', [{ kind: 'status', providerId: OUR, status: 'sent' }]],
    ['status-delivered', [{ kind: 'status', providerId: OUR, status: 'delivered' }]],
    [
      'status-undelivered',
      [
        {
          kind: 'status',
          providerId: OUR,
          status: 'failed',
          code: '30005',
          reason: 'The carrier does not know this number.',
        },
      ],
    ],
    [
      'status-failed',
      [
        {
          kind: 'status',
          providerId: OUR,
          status: 'failed',
          code: 'failed',
          reason: 'The carrier did not deliver it.',
        },
      ],
    ],
    [
      'status-canceled',
      [{ kind: 'status', providerId: OUR, status: 'failed', code: 'canceled', reason: 'It was cancelled.' }],
    ],
    ['status-read', [{ kind: 'status', providerId: OUR, status: 'read' }]],
    ['status-new', [{ kind: 'ignored', what: 'status_teleported' }]],
  ] satisfies [string, ProviderEvent[]][]
).map(([name, events]) => ({ file: `twilio/${name}.txt`, events }))

const HOSTILE = [
  '',
  ' ',
  '-1',
  '1e9',
  'NaN',
  '__proto__',
  '[object Object]',
  'x'.repeat(10_000),
  '\u0000',
  '💥',
  '%zz',
]

/** The form with one pair removed, doubled, renamed or given another value. */
const formMutation = (body: string): fc.Arbitrary<string> => {
  const pairs = body.split('&')
  const change = fc.oneof(
    fc.constant(() => [] as string[]),
    fc.constant((pair: string) => [pair, pair]),
    fc
      .constantFrom('__proto__', 'constructor', '')
      .map((name) => (pair: string) => [`${name}=${pair.split('=')[1]}`]),
    fc.constant((pair: string) => [pair.replace('=', '')]),
    fc
      .constantFrom(...HOSTILE)
      .map((value) => (pair: string) => [
        `${pair.split('=')[0]}=${value === '%zz' ? value : encodeURIComponent(value)}`,
      ]),
  )
  return fc
    .tuple(fc.nat(pairs.length - 1), change)
    .map(([at, apply]) => pairs.flatMap((pair, index) => (index === at ? apply(pair) : [pair])).join('&'))
}

const callOf = (world: World) =>
  callWith(world, {
    credentials: {
      accountSid: world.accounts.twilio.accountSid,
      authToken: world.accounts.twilio.authToken,
    },
    sender: world.accounts.twilio.number,
    apiBase: `${world.origin}/sandbox/twilio`,
  })
const textTo = (to: string, text = 'Hello'): OutboundMessage => ({
  to: to as Address,
  content: { type: 'text', text },
})
const newHandset = (world: World): Promise<HandsetView> => world.api('POST', '/handsets', { name: 'Bo' })

describe('Twilio SMS', () => {
  adapterContract({
    adapter: twilioSms,
    credentials,
    genuine: (body) => signed(body),
    proof: 'x-twilio-signature',
    signsBody: true,
    meaning: (body) => [...new URLSearchParams(body)],
    payloads,
    mutation: formMutation,
    withUnknownField: (body) => `${body}&FromTheFuture=1&Another%5B%5D=2`,
    textPayload: (text) => `MessageSid=${SM}&From=%2B15551234567&Body=${encodeURIComponent(text)}`,
    sandbox: async (world) => ({ call: callOf(world), message: textTo('+12025550123') }),
    secrets: ({ credentials: { authToken, accountSid } }) => [
      authToken,
      Buffer.from(`${accountSid}:${authToken}`).toString('base64'),
    ],
  })
})

describe('WhatsApp through Twilio', () => {
  const onWhatsApp = (content: Content, more: object = {}) =>
    message(content, { profile: { name: 'Ann', phone: '+254711000001' }, ...more })
  const heard: Payload[] = (
    [
      ['whatsapp', [onWhatsApp(hello)]],
      ['whatsapp-button', [onWhatsApp({ type: 'choice', id: 'yes', title: 'Yes' })]],
      ['whatsapp-list', [onWhatsApp({ type: 'choice', id: 'row2', title: 'Tuesday' })]],
      ['text', [{ kind: 'ignored', what: 'sms_message' }]],
      ['status-read', [{ kind: 'status', providerId: OUR, status: 'read' }]],
    ] satisfies [string, ProviderEvent[]][]
  ).map(([name, events]) => ({ file: `twilio/${name}.txt`, events }))

  adapterContract({
    adapter: whatsappTwilio,
    credentials,
    genuine: (body) => signed(body),
    proof: 'x-twilio-signature',
    signsBody: true,
    meaning: (body) => [...new URLSearchParams(body)],
    payloads: heard,
    mutation: formMutation,
    withUnknownField: (body) => `${body}&FromTheFuture=1`,
    textPayload: (text) => `MessageSid=${SM}&From=whatsapp%3A%2B15551234567&Body=${encodeURIComponent(text)}`,
    sandbox: async (world) => ({ call: callOf(world), message: textTo('+12025550123') }),
    secrets: ({ credentials: { authToken, accountSid } }) => [
      authToken,
      Buffer.from(`${accountSid}:${authToken}`).toString('base64'),
    ],
  })

  describe('sends', () => {
    let world: World
    beforeAll(async () => {
      world = await createWorld()
    })
    afterAll(() => world.close())
    const said = async (content: OutboundMessage['content']) => {
      const outcome = await whatsappTwilio.send({ to: '+12025550123' as Address, content }, callOf(world))
      if (outcome.outcome !== 'accepted') return outcome
      const ledger = await world.api<LedgerView>('GET', '/ledger')
      return ledger.entries.find(({ id }) => id === outcome.providerId)
    }

    it('buttons and lists as contents made for them', async () => {
      const buttons = [
        { id: 'y', title: 'Yes' },
        { id: 'n', title: 'No' },
      ]
      expect(await said({ type: 'buttons', text: 'Shall we?', buttons })).toMatchObject({
        to: 'whatsapp:+12025550123',
        text: 'Shall we?',
      })
      const sections = [{ rows: [{ id: 'c', title: 'Carrot', description: 'with nuts' }] }]
      expect(await said({ type: 'list', text: 'Which cake?', button: 'Cakes', sections })).toMatchObject({
        text: 'Which cake?',
      })
    })

    it('templates by their name, with their blanks filled; and tells which there are', async () => {
      const templates = await whatsappTwilio.templates(callOf(world))
      expect(templates.map(({ status }) => status)).toEqual(['approved', 'rejected'])
      const [ready] = templates
      const template = { type: 'template', name: ready?.name ?? '', language: 'en', text: '' } as const
      expect(await said({ ...template, parameters: ['Ann', 'two'] })).toMatchObject({
        text: 'Hello Ann, your table for two is ready.',
      })
      expect(await said({ ...template, name: 'HX0000', parameters: [] })).toMatchObject({
        outcome: 'unavailable',
        needsAttention: true,
      })
    })

    it('a place, and typing tied to what they wrote', async () => {
      expect(await said({ type: 'location', latitude: -1.29, longitude: 36.82, name: 'Shop' })).toMatchObject(
        {
          text: 'Shop',
        },
      )
      await whatsappTwilio.showTyping('+12025550123' as Address, callOf(world), SM as ProviderMessageId)
      const ledger = await world.api<LedgerView>('GET', '/ledger')
      expect(ledger.entries).toContainEqual(expect.objectContaining({ what: 'typing', id: SM }))
    })
  })
})

describe('whose webhook it is', () => {
  it.each([
    ['text', ['+15550001111']],
    ['whatsapp', ['+15550001111']],
    ['status-sent', ['+15550001111']],
  ])('%s', (name, numbers) => {
    expect(twilioSms.receiversOf(signed(payload(`twilio/${name}.txt`)))).toEqual(numbers)
  })
  it('nobody’s, where the body says nothing', () => {
    expect(twilioSms.receiversOf(signed('%zz'))).toEqual([])
  })
})

/** @see https://www.twilio.com/docs/usage/security; confirmed with the official SDK 6.2.0 */
describe('X-Twilio-Signature', () => {
  const body =
    'AccountSid=AC00000000000000000000000000000000&ApiVersion=2010-04-01&Body=Hello+%2B+%22caf%C3%A9%22&From=%2B254711000001&MessageSid=SM11111111111111111111111111111111&NumMedia=0&NumSegments=1&SmsMessageSid=SM11111111111111111111111111111111&SmsSid=SM11111111111111111111111111111111&SmsStatus=received&To=%2B15550001111'
  const json = '{"MessageSid":"SM11111111111111111111111111111111","Body":"hi"}'
  const jsonUrl = `${INBOUND}?bodySHA256=0c4c0b5fc9672d54a9f8cc02a7d5013430961b1354f8d15b7a6c75e45de8217c`
  const request = (signature: string, more: Partial<WebhookRequest> = {}): WebhookRequest => {
    const { headers, ...rest } = more
    return {
      method: 'POST',
      url: INBOUND,
      body: new TextEncoder().encode(body),
      ...rest,
      headers: { 'content-type': FORM, 'x-twilio-signature': signature, ...headers },
    }
  }
  const verify = (one: WebhookRequest): void => twilioSms.verify(one, credentials)

  it('of a form, with and without the default port', () => {
    verify(request('ivt0RRNE+vQkrPo3YfTK3lD+Lgk='))
    verify(request('MB7+3/Qx2NEXIWKlz3cY7AfEyrc='))
    verify(request('MB7+3/Qx2NEXIWKlz3cY7AfEyrc=', { url: INBOUND.replace('.com/', '.com:443/') }))
    verify(request('ivt0RRNE+vQkrPo3YfTK3lD+Lgk=', { url: INBOUND.replace('.com/', '.com:443/') }))
  })

  it('of a form of another port, path or scheme is another', () => {
    for (const url of [
      INBOUND.replace('.com/', '.com:8443/'),
      `${INBOUND}/`,
      `${INBOUND}?a=1`,
      INBOUND.replace('https', 'http'),
    ])
      expect(() => verify(request('ivt0RRNE+vQkrPo3YfTK3lD+Lgk=', { url }))).toThrow(Forged)
  })

  it('does not cover the fragment', () => {
    verify(request('ivt0RRNE+vQkrPo3YfTK3lD+Lgk=', { url: `${INBOUND}#rc=3&rp=5xx` }))
  })

  const jsonRequest = (bytes: string): WebhookRequest =>
    request('kaOxfRomND1so6MbKBhSVRJ+LTQ=', {
      url: jsonUrl,
      headers: { 'content-type': 'application/json' },
      body: new TextEncoder().encode(bytes),
    })

  it('of JSON, by its hash in the address', () => {
    verify(jsonRequest(json))
    expect(() => verify(jsonRequest(`${json} `))).toThrow(Forged)
    const other = createHash('sha256').update('other').digest('hex')
    expect(() => verify({ ...jsonRequest('other'), url: `${INBOUND}?bodySHA256=${other}` })).toThrow(Forged)
  })

  it('of a body that is no form and has no hash does not exist', () => {
    const bare = signed('')
    const headers = { ...bare.headers, 'content-type': 'application/json' }
    expect(() => verify({ ...bare, headers, body: new TextEncoder().encode(json) })).toThrow(Forged)
  })

  it('covers empty parameters, and repeated ones once for each value', () => {
    const sign = (form: string): string =>
      signatureOf(INBOUND, new URLSearchParams(form), credentials.authToken)
    expect(sign('A=&B=1')).not.toBe(sign('B=1'))
    expect(sign('A=2&A=1&A=2')).toBe(sign('A=1&A=2'))
    verify(signed('ToState=&Body='))
  })

  it('of a GET covers the query alone', () => {
    const url = `${INBOUND}?MessageSid=${SM}&From=%2B15551234567&Body=hi`
    const get: WebhookRequest = {
      method: 'GET',
      url,
      headers: { 'x-twilio-signature': signatureOf(url, new URLSearchParams(), credentials.authToken) },
      body: new Uint8Array(),
    }
    verify(get)
    expect(twilioSms.parse(get)).toMatchObject([{ kind: 'message', content: { text: 'hi' } }])
    expect(() => verify({ ...get, url: url.replace('hi', 'ho') })).toThrow(Forged)
  })
})

describe('Twilio SMS, in its own ways', () => {
  it('finds the attempt in the address of the receipt', () => {
    const url = 'https://inbox.example.com/webhooks/twilio/1/status?attempt=0198-abc'
    expect(twilioSms.parse(signed(payload('twilio/status-delivered.txt'), url))).toEqual([
      { kind: 'status', providerId: OUR, attemptKey: '0198-abc', status: 'delivered' },
    ])
  })

  it('reads no more files than a message can carry', () => {
    const urls = Array.from(
      { length: 50 },
      (_, index) => `MediaUrl${index}=https%3A%2F%2Fapi.twilio.com%2F${index}`,
    )
    const events = twilioSms.parse(
      signed(`MessageSid=${SM}&From=%2B15551234567&NumMedia=1000000000&${urls.join('&')}`),
    )
    expect(events).toHaveLength(10)
  })

  it('sends, and hears sent, delivered and read of it', async () => {
    await inWorld(async (world) => {
      const bo = await newHandset(world)
      const call = callOf(world)
      const outcome = await twilioSms.send(textTo(bo.phone, 'Your table is ready ☕'), call)
      if (outcome.outcome !== 'accepted') throw new Error(outcome.reason)
      await world.sandbox.idle()
      await world.api('POST', `/handsets/${bo.id}/read`, { channel: 'sms' })
      await world.sandbox.idle()
      const events = world.hooks.flatMap((hook) => {
        twilioSms.verify(hook, call.credentials)
        return twilioSms.parse(hook)
      })
      const status = { kind: 'status', providerId: outcome.providerId, attemptKey: 'attempt-1' }
      expect(events).toEqual(['sent', 'delivered', 'read'].map((word) => ({ ...status, status: word })))
      const { chats } = await world.api<HandsetView>('GET', `/handsets/${bo.id}`)
      expect(chats.sms).toMatchObject([{ mine: false, content: { text: 'Your table is ready ☕' } }])
    })
  })

  it('has Twilio fetch the file that goes with a message', async () => {
    await inWorld(async (world) => {
      const bo = await newHandset(world)
      await twilioSms.registerWebhook(`${world.origin}/hooks/inbound`, callOf(world))
      world.media.set('m1', { mime: 'image/png', bytes: new Uint8Array([1, 2, 3]) })
      const stored = {
        state: 'stored',
        id: 'm1' as MediaId,
        name: 'a.png',
        mime: 'image/png',
        size: 3,
      } as const
      const send = (id: string) =>
        twilioSms.send(
          {
            to: bo.phone as Address,
            content: { type: 'image', file: { ...stored, id: id as MediaId }, caption: 'Menu' },
          },
          callOf(world),
        )
      expect(await send('m1')).toMatchObject({
        outcome: 'accepted',
        providerId: expect.stringMatching(/^MM/),
      })
      expect(await send('gone')).toMatchObject({ outcome: 'accepted' })
      await world.sandbox.idle()
      const { chats } = await world.api<HandsetView>('GET', `/handsets/${bo.id}`)
      expect(chats.sms).toMatchObject([{ content: { kind: 'image', caption: 'Menu', file: { size: 3 } } }])
      const failed = world.hooks
        .flatMap((hook) => twilioSms.parse(hook))
        .filter((event) => event.kind === 'status')
      expect(failed).toContainEqual(
        expect.objectContaining({
          status: 'failed',
          code: '63019',
          reason: 'Twilio could not fetch the file.',
        }),
      )
    })
  })

  it('is told by webhook what the customer writes, and fetches their picture', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      await twilioSms.registerWebhook(`${world.origin}/hooks/inbound`, call)
      const bo = await newHandset(world)
      const form = new FormData()
      form.set('channel', 'sms')
      form.set('text', 'This one & that 😀')
      form.set('media', new Blob([new Uint8Array([9, 8, 7])], { type: 'image/jpeg' }), 'p.jpg')
      const { id } = await world.api<BubbleView>('POST', `/handsets/${bo.id}/messages`, form)
      const hook = await eventually(() => world.hooks[0])
      twilioSms.verify(hook, call.credentials)
      const [event] = twilioSms.parse(hook)
      expect(event).toMatchObject({
        kind: 'message',
        from: bo.phone,
        providerId: id,
        content: { type: 'image', caption: 'This one & that 😀' },
      })
      if (event?.kind !== 'message' || !('file' in event.content) || event.content.file.state !== 'pending')
        throw new Error('no file')
      expect(await twilioSms.fetchMedia(event.content.file.reference, call)).toEqual({
        bytes: Buffer.from([9, 8, 7]),
        mime: 'image/jpeg',
      })
    })
  })

  it('gives its password to Twilio alone: not to another address, not along with a redirect', async () => {
    const asked: (string | undefined)[] = []
    const server = createServer((request, response) => {
      asked.push(request.headers.authorization)
      if (request.url === '/first') response.writeHead(307, { location: '/second' }).end()
      else if (request.url === '/away') response.writeHead(307, { location: 'http://127.0.0.2:1/x' }).end()
      else if (request.url === '/loop') response.writeHead(307, { location: '/loop' }).end()
      else response.writeHead(200, { 'content-type': 'image/png' }).end('bytes')
    })
    const apiBase = await listen(server)
    await inWorld(async (world) => {
      const call = { ...callOf(world), apiBase }
      expect(await twilioSms.fetchMedia(`${apiBase}/first`, call)).toMatchObject({ mime: 'image/png' })
      expect(asked).toEqual([expect.stringMatching(/^Basic /), undefined])
      for (const path of [
        `${apiBase}/away`,
        `${apiBase}/loop`,
        'http://127.0.0.1:1/x',
        'https://api.twilio.com.evil.example/x',
        'file:///etc/passwd',
        'nonsense',
      ])
        await expect(twilioSms.fetchMedia(path, call), path).rejects.toThrow(/./)
    })
    await shut(server)
  })

  it.each([
    ['+15005550001', 'rejected', 'This is not a valid phone number.'],
    ['+15005550004', 'rejected', 'This person has replied STOP and receives no more messages.'],
    ['+15005550009', 'rejected', 'This number is not a mobile phone.'],
    ['12345', 'rejected', 'This is not a valid phone number.'],
  ])('says in a sentence why %s cannot be written to', async (to, word, reason) => {
    await inWorld(async (world) => {
      expect(await twilioSms.send(textTo(to), callOf(world))).toMatchObject({ outcome: word, reason })
    })
  })

  it.each(['+15005550002', '+15005550003'])('lets another provider try %s', async (to) => {
    await inWorld(async (world) => {
      expect(await twilioSms.send(textTo(to), callOf(world))).toMatchObject({
        outcome: 'unavailable',
        needsAttention: true,
      })
    })
  })

  it('keeps to STOP until START', async () => {
    await inWorld(async (world) => {
      const bo = await newHandset(world)
      const write = (text: string) =>
        world.api('POST', `/handsets/${bo.id}/messages`, { channel: 'sms', text })
      await write(' stop ')
      expect(await twilioSms.send(textTo(bo.phone), callOf(world))).toMatchObject({ code: '21610' })
      await write('START')
      expect(await twilioSms.send(textTo(bo.phone), callOf(world))).toMatchObject({ outcome: 'accepted' })
    })
  })

  it('sends through a Messaging Service, and needs a number to set a webhook', async () => {
    await inWorld(async (world) => {
      const service = { ...callOf(world), sender: 'MG00000000000000000000000000000000' }
      expect(await twilioSms.send(textTo('+12025550123'), service)).toMatchObject({ outcome: 'accepted' })
      for (const sender of [service.sender, '+15559999999'])
        await expect(
          twilioSms.registerWebhook('https://x.example/', { ...service, sender }),
        ).rejects.toMatchObject({ outcome: { needsAttention: true } })
    })
  })

  it('tells whose account it is, and that the token is wrong', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      expect(await twilioSms.probe(call)).toEqual({ name: 'Nexus Café' })
      const wrong = { ...call, credentials: { ...call.credentials, authToken: 'wrong' } }
      await expect(twilioSms.probe(wrong)).rejects.toThrow(
        'Twilio refused the account SID or the auth token.',
      )
    })
  })
})

async function inWorld(story: (world: World) => Promise<void>): Promise<void> {
  const world = await createWorld()
  try {
    await story(world)
  } finally {
    await world.close()
  }
}
