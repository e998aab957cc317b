import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { CallFailed, Forged, type OutboundMessage, Unreadable } from '../../adapters/adapter.ts'
import type { ProviderEvent } from '../../adapters/events.ts'
import { fit } from '../../adapters/fit.ts'
import { whatsappMeta } from '../../adapters/whatsapp/meta.ts'
import type { Content } from '../../models/content.ts'
import type { Address, AttemptKey, MediaId, ProviderMessageId } from '../../models/ids.ts'
import type { BubbleView, FaultView, HandsetView, LedgerView } from '../../server/sandbox/protocol.ts'
import { adapterContract, callWith, type Payload, payload } from './contract.ts'
import { jsonMutation } from './json-mutations.ts'
import { META, SIGNATURE, signed, withUnknownFields } from './meta.ts'
import { createWorld, eventually, listen, shut, type World } from './world.ts'

const credentials = { ...META, businessAccountId: '419561257915477' }

const sheena = '+16505551234' as Address
const named = (id: string): ProviderMessageId => id as ProviderMessageId
const WRITTEN = new Date(1_749_416_383_000)
const VERSION = 2 * 1_749_416_383
const message = (content: Content, more: object = {}): ProviderEvent => ({
  kind: 'message',
  from: sheena,
  profile: { name: 'Sheena Nelson', username: 'sheena', phone: '+16505551234' },
  providerId: named('wamid.IN1'),
  content,
  writtenAt: WRITTEN,
  ...more,
})
const pending = (reference: string, more: object) => ({ state: 'pending' as const, reference, ...more })
const status = (word: 'sent' | 'delivered' | 'read' | 'failed', more: object = {}): ProviderEvent => ({
  kind: 'status',
  providerId: named('wamid.OUT1'),
  status: word,
  ...more,
})
const ours = { attemptKey: 'msg-1' as AttemptKey }
const answered = { replyTo: named('wamid.OUT1') }

const payloads: Payload[] = (
  [
    [
      'text',
      [
        message({
          type: 'text',
          text: 'Does it come in another colour? 👍 Café',
          marks: [{ kind: 'bold', start: 16, end: 23 }],
        }),
      ],
    ],
    [
      'image',
      [
        message({
          type: 'image',
          file: pending('1003383421387256', { mime: 'image/jpeg' }),
          caption: 'Taj Mahal',
        }),
      ],
    ],
    ['video', [message({ type: 'video', file: pending('1003383421387257', { mime: 'video/mp4' }) })]],
    [
      'document',
      [
        message({
          type: 'document',
          file: pending('1003383421387258', { name: 'a.pdf', mime: 'application/pdf' }),
          caption: 'The bill',
        }),
      ],
    ],
    ['audio', [message({ type: 'audio', file: pending('1003383421387259', { mime: 'audio/mpeg' }) })]],
    [
      'voice',
      [message({ type: 'voice', file: pending('1003383421387260', { mime: 'audio/ogg; codecs=opus' }) })],
    ],
    ['sticker', [message({ type: 'sticker', file: pending('1003383421387261', { mime: 'image/webp' }) })]],
    [
      'location',
      [
        message({
          type: 'location',
          latitude: 37.44221496582,
          longitude: -122.16165924072,
          name: 'Philz Coffee',
          address: '101 Forest Ave',
        }),
      ],
    ],
    [
      'contacts',
      [
        message({ type: 'contact', name: 'Ann Lee', phones: ['+254 711 000001'] }),
        message(
          { type: 'contact', name: 'Bo', phones: ['+254711000002'] },
          { providerId: named('wamid.IN1#1') },
        ),
      ],
    ],
    ['button', [message({ type: 'choice', id: 'Unsubscribe', title: 'Unsubscribe' }, answered)]],
    ['button-reply', [message({ type: 'choice', id: 'cancel-button', title: 'Cancel' }, answered)]],
    ['list-reply', [message({ type: 'choice', id: 'priority_express', title: 'Priority Mail Express' })]],
    ['flow-reply', [message({ type: 'unsupported', kind: 'nfm_reply' })]],
    ['reply', [message({ type: 'text', text: 'yes' }, answered)]],
    [
      'reaction',
      [
        {
          kind: 'reaction',
          from: sheena,
          providerId: named('wamid.OUT1'),
          emojis: ['👍'],
          version: VERSION,
        },
      ],
    ],
    [
      'reaction-taken-back',
      [
        {
          kind: 'reaction',
          from: sheena,
          providerId: named('wamid.OUT1'),
          emojis: [],
          version: VERSION + 1,
        },
      ],
    ],
    [
      'edit',
      [
        {
          kind: 'edit',
          from: sheena,
          providerId: named('wamid.OLD'),
          version: VERSION,
          content: { type: 'text', text: 'new text' },
        },
      ],
    ],
    ['revoke', [{ kind: 'deletion', from: sheena, providerId: named('wamid.OLD') }]],
    ['unsupported', [message({ type: 'unsupported', kind: 'unsupported' })]],
    ['order', [message({ type: 'unsupported', kind: 'order' })]],
    ['system', [{ kind: 'ignored', what: 'system_user_changed_number' }]],
    ['group', [{ kind: 'ignored', what: 'group_message' }]],
    [
      'hidden-number',
      [
        message(
          { type: 'text', text: 'hi' },
          {
            from: 'US.13491208655302741918',
            profile: { name: 'Lee', username: 'lee' },
            providerId: named('wamid.IN9'),
          },
        ),
      ],
    ],
    ['status-sent', [status('sent', ours)]],
    ['status-delivered', [status('delivered')]],
    ['status-read', [status('read', ours)]],
    ['status-played', [status('read')]],
    ['status-deleted', [{ kind: 'ignored', what: 'status_deleted' }]],
    [
      'status-failed',
      [
        status('failed', {
          code: '131047',
          reason:
            'More than 24 hours have passed since this person wrote. Only an approved template can be sent.',
        }),
      ],
    ],
    [
      'status-failed-unknown',
      [status('failed', { code: '199999', reason: 'WhatsApp did not deliver it (error 199999).' })],
    ],
    [
      'app-echo',
      [
        {
          kind: 'echo',
          to: sheena,
          providerId: named('wamid.ECHO1'),
          content: { type: 'text', text: 'Answered on the phone' },
          writtenAt: new Date(1_739_321_024_000),
        },
      ],
    ],
    ['template-status', [{ kind: 'ignored', what: 'message_template_status_update' }]],
  ] satisfies [string, ProviderEvent[]][]
).map(([name, events]) => ({ file: `meta/whatsapp-${name}.json`, events }))

const newHandset = (world: World, name = 'Bo'): Promise<HandsetView> =>
  world.api('POST', '/handsets', { name })

const callOf = (world: World) => {
  const { phoneNumberId, number: _, ...account } = world.accounts.meta.whatsapp
  return callWith(world, {
    credentials: account,
    sender: phoneNumberId,
    apiBase: `${world.origin}/sandbox/meta`,
  })
}
const textTo = (to: string, text = 'Hello'): OutboundMessage => ({
  to: to as Address,
  content: { type: 'text', text },
})

describe('WhatsApp Cloud API', () => {
  adapterContract({
    adapter: whatsappMeta,
    credentials,
    genuine: signed,
    proof: SIGNATURE,
    signsBody: true,
    meaning: (body) => body,
    payloads,
    mutation: jsonMutation,
    withUnknownField: withUnknownFields,
    textPayload: (text) =>
      JSON.stringify({
        object: 'whatsapp_business_account',
        entry: [
          {
            changes: [
              {
                field: 'messages',
                value: {
                  messages: [{ from: '15551234567', id: 'wamid.1', type: 'text', text: { body: text } }],
                },
              },
            ],
          },
        ],
      }),
    sandbox: async (world) => ({ call: callOf(world), message: textTo('+12025550123') }),
    secrets: ({ credentials: { accessToken, appSecret, verifyToken } }) => [
      accessToken,
      appSecret,
      verifyToken,
    ],
    sevenSeconds: 60_000,
  })
})

/** Confirmed with whatsapp-api-js 6.3.0. */
describe('X-Hub-Signature-256', () => {
  const body = String.raw`{"object":"whatsapp_business_account","entry":[{"id":"419561257915477","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena"},"wa_id":"254711000001"}],"messages":[{"from":"254711000001","id":"wamid.TEST1","timestamp":"1749416383","type":"text","text":{"body":"Caf\u00e9 \ud83d\udc4d"}}]},"field":"messages"}]}]}`
  const request = (text: string, signature?: string) => ({
    ...signed(text),
    headers: { [SIGNATURE]: signature },
  })
  const proof = 'sha256=4c7fd5e6279b443116fe1863693e37deb4c5ad6271194a2853523af2ccad37b4'

  it('covers the bytes as they came, escapes and all', () => {
    expect(body).toHaveLength(435)
    whatsappMeta.verify(request(body, proof), credentials)
    const rebuilt = JSON.stringify(JSON.parse(body))
    expect(() => whatsappMeta.verify(request(rebuilt, proof), credentials)).toThrow(Forged)
  })

  it('is neither the old one nor one of another form', () => {
    for (const wrong of [proof.toUpperCase(), proof.slice(7), `${proof} `, 'sha1=00', 'sha256='])
      expect(() => whatsappMeta.verify(request(body, wrong), credentials), wrong).toThrow(Forged)
  })

  it('of another secret is another', () => {
    const other = { ...credentials, appSecret: `${credentials.appSecret}0` }
    expect(() => whatsappMeta.verify(request(body, proof), other)).toThrow(Forged)
  })
})

describe('the challenge', () => {
  const asked = (query: string) => ({
    ...signed(''),
    method: 'GET',
    url: `https://inbox.example.com/hook?${query}`,
  })
  const right = 'hub.mode=subscribe&hub.verify_token=verify_me&hub.challenge=1158201444'

  it('is said again to who knows the token', () => {
    expect(whatsappMeta.challenge(asked(right), credentials)).toBe('1158201444')
  })

  it.each([
    '',
    right.replace('verify_me', 'verify_you'),
    right.replace('subscribe', 'unsubscribe'),
    right.replace('&hub.challenge=1158201444', ''),
    `${right}${'0'.repeat(5_000)}`,
  ])('is not for %.60s', (query) => {
    expect(() => whatsappMeta.challenge(asked(query), credentials)).toThrow(Forged)
  })
})

describe('a webhook of several numbers', () => {
  const request = signed(payload('meta/whatsapp-several.json'))

  it('names them all, and tells each its own', () => {
    expect(whatsappMeta.receiversOf(request)).toEqual(['111', '222'])
    const toFirst = whatsappMeta.parse(request, '111')
    expect(toFirst).toMatchObject([
      { content: { text: 'to the first' } },
      { kind: 'status', status: 'delivered' },
      { kind: 'ignored', what: 'account_update' },
    ])
    expect(whatsappMeta.parse(request, '222')).toMatchObject([
      { content: { text: 'to the second' } },
      { kind: 'ignored', what: 'account_update' },
    ])
    expect(whatsappMeta.parse(request)).toHaveLength(4)
  })

  it('names none where it is none', () => {
    for (const text of ['', 'null', '{}', '{"object":"page","entry":5}', '{"object":"x","entry":[null,{}]}'])
      expect(whatsappMeta.receiversOf(signed(text)), text).toEqual([])
  })
})

describe('WhatsApp, in its own ways', () => {
  it('reads the others where one of many is not as documented, and nothing where none is', () => {
    const request = (messages: unknown[]) =>
      signed(
        JSON.stringify({
          object: 'whatsapp_business_account',
          entry: [{ changes: [{ field: 'messages', value: { messages } }] }],
        }),
      )
    const good = { from: '15551234567', id: 'wamid.1', type: 'text', text: { body: 'hi' } }
    expect(whatsappMeta.parse(request([{ id: 5 }, good]))).toMatchObject([
      { kind: 'ignored', what: 'unreadable' },
      { kind: 'message' },
    ])
    expect(() => whatsappMeta.parse(request([{ id: 5 }]))).toThrow(Unreadable)
  })

  it('sends each kind of content as the phone should show it', async () => {
    await inWorld(async (world) => {
      const { bo, call } = await connected(world)
      const bytes = new Uint8Array([1, 2, 3])
      world.media.set('m1', { mime: 'image/png', bytes })
      const file = {
        state: 'stored',
        id: 'm1' as MediaId,
        name: 'Straße "1".png',
        mime: 'image/png',
        size: 3,
      } as const
      const contents: OutboundMessage['content'][] = [
        { type: 'text', text: 'Hello there', marks: [{ kind: 'bold', start: 0, end: 5 }] },
        { type: 'image', file, caption: 'A picture' },
        { type: 'document', file: { ...file, mime: 'application/pdf' } },
        { type: 'video', file: { ...file, mime: 'video/mp4' } },
        { type: 'audio', file: { ...file, mime: 'audio/mpeg' } },
        { type: 'voice', file: { ...file, mime: 'audio/ogg' } },
        { type: 'sticker', file: { ...file, mime: 'image/webp' } },
        { type: 'location', latitude: 1.5, longitude: -2.5, name: 'Office', address: 'Street 1' },
        { type: 'contact', name: 'Kim', phones: ['+15550001'] },
        { type: 'buttons', text: 'Shall we?', buttons: [{ id: 'y', title: 'Yes' }] },
        {
          type: 'list',
          text: 'Which one?',
          button: 'Show them to me, please',
          sections: [
            { title: 'Small', rows: [{ id: 'a', title: 'A', description: 'x'.repeat(90) }] },
            { rows: [{ id: 'b', title: 'B' }] },
          ],
        },
        { type: 'template', name: 'order_ready', language: 'en', parameters: ['Bo', '#5'], text: '' },
        {
          type: 'template',
          name: 'may_we_call',
          language: 'en',
          parameters: ['Bo', 'the lamp'],
          names: ['first_name', 'subject'],
          text: '',
        },
      ]
      for (const content of contents)
        expect(
          await whatsappMeta.send({ to: bo.phone as Address, content }, call),
          content.type,
        ).toMatchObject({
          outcome: 'accepted',
          providerId: expect.stringMatching(/^wamid\./),
        })
      await world.sandbox.idle()
      const { chats } = await world.api<HandsetView>('GET', `/handsets/${bo.id}`)
      const shown = chats.whatsapp.filter(({ mine }) => !mine).map(({ content }) => content)
      expect(shown).toHaveLength(contents.length)
      const of = (part: object) => expect(shown).toContainEqual(expect.objectContaining(part))
      of({ type: 'text', text: 'Hello there', marks: [{ kind: 'bold', start: 0, end: 5 }] })
      of({ kind: 'image', caption: 'A picture' })
      of({ kind: 'document', file: expect.objectContaining({ name: 'Straße "1".png', size: 3 }) })
      of({ kind: 'voice' })
      of({ type: 'location', name: 'Office' })
      of({ type: 'contact', phone: '+15550001' })
      of({ type: 'offer', as: 'buttons', choices: [{ id: 'y', title: 'Yes' }] })
      of({ type: 'offer', as: 'list', button: expect.stringMatching(/…$/) })
      of({ text: 'Hello Bo, your order #5 is ready to be picked up.' })
      of({ text: 'Hello Bo, we would like to come back to you about the lamp. May we?' })
    })
  })

  it('sends what its sheet lets pass, and something else that says the same for what it does not', async () => {
    const { capabilities } = whatsappMeta
    const choices = Array.from({ length: 13 }, (_, index) => ({ id: String(index), title: `Row ${index}` }))
    const offer = (many: number): Content => ({
      type: 'quick-replies',
      text: 'Which?',
      replies: choices.slice(0, many),
    })
    expect(fit(offer(3), capabilities)).toMatchObject({ as: 'fallback', content: { type: 'buttons' } })
    expect(fit(offer(10), capabilities)).toMatchObject({ as: 'fallback', content: { type: 'list' } })
    expect(fit(offer(13), capabilities)).toMatchObject({ as: 'fallback', content: { type: 'text' } })
    const voice = { state: 'stored', id: 'x' as MediaId, name: 'a', mime: 'audio/mp4', size: 1 } as const
    expect(fit({ type: 'voice', file: voice }, capabilities)).toMatchObject({ content: { type: 'audio' } })
    expect(fit({ type: 'audio', file: voice, caption: 'Listen' }, capabilities)).toMatchObject({
      as: 'parts',
      contents: [{ type: 'audio' }, { type: 'text', text: 'Listen' }],
    })
  })

  it('is heard: what the customer writes, picks, edits, thinks and takes back', async () => {
    await inWorld(async (world) => {
      const { bo, call, events } = await connected(world)
      const offered = await whatsappMeta.send(
        {
          to: bo.phone as Address,
          content: { type: 'buttons', text: 'Shall we?', buttons: [{ id: 'y', title: 'Yes' }] },
        },
        call,
      )
      if (offered.outcome !== 'accepted') throw new Error(offered.reason)
      await world.sandbox.idle()
      const written = await write(world, bo, { text: 'Straße 👍', replyTo: offered.providerId })
      await world.api('POST', `/handsets/${bo.id}/messages/${offered.providerId}/choice`, { choice: 'y' })
      await world.api('PATCH', `/handsets/${bo.id}/messages/${written.id}`, { text: 'Strasse' })
      await world.api('PUT', `/handsets/${bo.id}/messages/${offered.providerId}/reaction`, { emoji: '🎉' })
      await world.api('DELETE', `/handsets/${bo.id}/messages/${written.id}`)
      await world.sandbox.idle()
      const { providerId } = offered
      const heard = events().filter(({ kind }) => kind !== 'status')
      const from = bo.phone
      const profile = { name: 'Bo', phone: bo.phone }
      const part = (one: object) => expect(heard).toContainEqual(expect.objectContaining(one))
      part({ from, profile, replyTo: providerId, content: { type: 'text', text: 'Straße 👍' } })
      part({ from, replyTo: providerId, content: { type: 'choice', id: 'y', title: 'Yes' } })
      part({ kind: 'edit', providerId: written.id, content: { type: 'text', text: 'Strasse' } })
      part({ kind: 'reaction', providerId, emojis: ['🎉'] })
      part({ kind: 'deletion', from, providerId: written.id })
    })
  })

  it('hears sent, delivered and read of what it sent, each with the attempt', async () => {
    await inWorld(async (world) => {
      const { bo, call, events } = await connected(world)
      const outcome = await whatsappMeta.send(textTo(bo.phone), call)
      if (outcome.outcome !== 'accepted') throw new Error(outcome.reason)
      await world.sandbox.idle()
      await world.api('POST', `/handsets/${bo.id}/read`, { channel: 'whatsapp' })
      await world.sandbox.idle()
      const told = { kind: 'status', providerId: outcome.providerId, attemptKey: 'attempt-1' }
      expect(events().filter(({ kind }) => kind === 'status')).toEqual(
        ['sent', 'delivered', 'read'].map((word) => ({ ...told, status: word })),
      )
    })
  })

  it('marks as read, and shows that an answer is being written', async () => {
    await inWorld(async (world) => {
      const { bo, call } = await connected(world)
      const written = await write(world, bo, { text: 'Hello?' })
      const seen = async () => (await world.api<HandsetView>('GET', `/handsets/${bo.id}`)).chats.whatsapp
      await whatsappMeta.markRead(bo.phone as Address, named(written.id), call)
      expect((await seen()).find(({ id }) => id === written.id)).toMatchObject({ mark: 'read' })
      await whatsappMeta.showTyping(bo.phone as Address, call, named(written.id))
      await whatsappMeta.showTyping(bo.phone as Address, call)
      await expect(whatsappMeta.markRead(bo.phone as Address, named('wamid.gone'), call)).rejects.toThrow(
        CallFailed,
      )
    })
  })

  it('reacts, and takes it back', async () => {
    await inWorld(async (world) => {
      const { bo, call } = await connected(world)
      const written = await write(world, bo, { text: 'Thank you!' })
      const react = async (emoji: string) => {
        const content = { type: 'reaction', providerId: named(`${written.id}#1`), emoji } as const
        expect(await whatsappMeta.send({ to: bo.phone as Address, content }, call)).toMatchObject({
          outcome: 'accepted',
        })
        await world.sandbox.idle()
        const { chats } = await world.api<HandsetView>('GET', `/handsets/${bo.id}`)
        return chats.whatsapp.find(({ id }) => id === written.id)?.reactions
      }
      expect(await react('❤️')).toEqual({ theirs: '❤️' })
      expect(await react('')).toEqual({})
    })
  })

  it('fetches what the customer sent with its token, which goes to nobody else', async () => {
    await inWorld(async (world) => {
      const { bo, call, events } = await connected(world)
      const form = new FormData()
      form.set('channel', 'whatsapp')
      form.set('text', 'This one')
      form.set('media', new Blob([new Uint8Array([9, 8, 7])], { type: 'image/jpeg' }), 'p.jpg')
      await world.api('POST', `/handsets/${bo.id}/messages`, form)
      const image = await eventually(() =>
        events().find((event) => event.kind === 'message' && event.content.type === 'image'),
      )
      const file = image.kind === 'message' && 'file' in image.content ? image.content.file : undefined
      if (file?.state !== 'pending') throw new Error('no file')
      expect(await whatsappMeta.fetchMedia(file.reference, call)).toEqual({
        bytes: Buffer.from([9, 8, 7]),
        mime: 'image/jpeg',
      })
      for (const reference of ['1', '..', '../me', 'https://evil.example/', ''])
        await expect(whatsappMeta.fetchMedia(reference, call), reference).rejects.toThrow(CallFailed)
    })
    const visits: string[] = []
    const elsewhere = createServer((request, response) => {
      visits.push(request.url ?? '')
      response.end('stolen')
    })
    const away = await listen(elsewhere)
    const graph = createServer((_request, response) => response.end(JSON.stringify({ url: `${away}/x` })))
    const apiBase = await listen(graph)
    await inWorld(async (world) => {
      await expect(whatsappMeta.fetchMedia('123', { ...callOf(world), apiBase })).rejects.toThrow('not safe')
    })
    expect(visits).toEqual([])
    await Promise.all([shut(elsewhere), shut(graph)])
  })

  it('sends nothing where the file cannot be read or not be uploaded', async () => {
    await inWorld(async (world) => {
      const { bo, call } = await connected(world)
      const file = { state: 'stored', id: 'gone' as MediaId, name: 'a', mime: 'image/png', size: 1 } as const
      const picture = { to: bo.phone as Address, content: { type: 'image', file } as const }
      expect(await whatsappMeta.send(picture, call)).toMatchObject({
        outcome: 'unavailable',
        code: 'storage',
      })
      world.media.set('gone', { mime: 'image/png', bytes: new Uint8Array([1]) })
      const kinds: FaultView['kind'][] = ['garbage', 'reset', 'accept-then-drop']
      for (const kind of kinds) {
        await world.api('POST', '/faults', { provider: 'meta', kind, on: 'all', times: 1 })
        expect(await whatsappMeta.send(picture, call), kind).toMatchObject({ outcome: 'unavailable' })
      }
      const ledger = await world.api<LedgerView>('GET', '/ledger?provider=meta')
      expect(ledger.entries).toEqual([])
    })
  })

  it('lists the templates whose blanks are words, however many pages they fill', async () => {
    await inWorld(async (world) => {
      const { call } = await connected(world)
      const http = {
        request: (one: Parameters<typeof call.http.request>[0]) =>
          call.http.request({ ...one, url: one.url.replace('limit=100', 'limit=1') }),
      }
      expect(await whatsappMeta.templates({ ...call, http })).toEqual([
        {
          name: 'order_ready',
          language: 'en',
          text: 'Hello {{1}}, your order {{2}} is ready to be picked up.',
          category: 'utility',
          status: 'approved',
        },
        {
          name: 'may_we_call',
          language: 'en',
          text: 'Hello {{first_name}}, we would like to come back to you about {{subject}}. May we?',
          category: 'utility',
          status: 'approved',
        },
        {
          name: 'table_reserved',
          language: 'en',
          text: 'Your table is reserved for {{1}}.',
          category: 'utility',
          status: 'pending',
        },
      ])
    })
  })

  it.each([
    ['a number that nobody has', '+12025550123', '131026', 'This person cannot be reached on WhatsApp.'],
    ['somebody who never wrote', undefined, '131047', /Only an approved template/],
  ])('is told later that %s cannot be written to', async (_name, to, code, reason) => {
    await inWorld(async (world) => {
      const { call, events } = await connected(world)
      const quiet = await newHandset(world, 'Quiet')
      expect(await whatsappMeta.send(textTo(to ?? quiet.phone), call)).toMatchObject({ outcome: 'accepted' })
      await world.sandbox.idle()
      expect(events().at(-1)).toMatchObject({
        kind: 'status',
        status: 'failed',
        code,
        reason: expect.stringMatching(reason),
      })
    })
  })

  it.each([
    [{ code: 131047 }, 'rejected'],
    [{ code: 190 }, 'needs attention'],
    [{ code: 33 }, 'needs attention'],
    [{ code: 100, error_subcode: 33 }, 'needs attention'],
    [{ code: 131030, error_subcode: 2655007 }, 'needs attention'],
    [{ code: 230 }, 'needs attention'],
    [{ code: 100, message: 'Invalid appsecret_proof provided in the API argument' }, 'needs attention'],
    [{ code: 100 }, 'rejected'],
    [{ code: 999_999 }, 'rejected'],
    [{ code: 999_999, is_transient: true }, 'unavailable'],
    [{ code: 131016 }, 'unavailable'],
    [{ code: 130429 }, 'rate-limited'],
    [{ code: 131056 }, 'rate-limited', 6_000],
  ] as [object, string, number?][])('reads %j as %s', async (error, word, waitMs) => {
    const server = createServer((_request, response) =>
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error })),
    )
    const apiBase = await listen(server)
    await inWorld(async (world) => {
      const outcome = await whatsappMeta.send(textTo('+12025550123'), { ...callOf(world), apiBase })
      const attention = outcome.outcome === 'unavailable' && outcome.needsAttention
      expect(attention ? 'needs attention' : outcome.outcome).toBe(word)
      if (waitMs !== undefined) expect(outcome).toMatchObject({ retryAfterMs: waitMs })
    })
    await shut(server)
  })

  it('is not sure of a 504 nor of an unknown error, whoever says it', async () => {
    for (const [status, code] of [
      [504, 2],
      [500, 1],
      [500, 77],
    ]) {
      const server = createServer((_request, response) =>
        response.writeHead(status ?? 500).end(JSON.stringify({ error: { code } })),
      )
      const apiBase = await listen(server)
      await inWorld(async (world) => {
        const outcome = await whatsappMeta.send(textTo('+12025550123'), { ...callOf(world), apiBase })
        expect(outcome).toMatchObject({ outcome: 'uncertain' })
      })
      await shut(server)
    }
  })

  it('writes to who hides their number by their id, and to nobody whose address it does not know', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      expect(await whatsappMeta.send(textTo('US.13491208655302741918'), call)).toMatchObject({
        outcome: 'accepted',
      })
      for (const to of ['', 'abc', '+1', 'us.1', '0123456789'])
        expect(await whatsappMeta.send(textTo(to), call), to).toMatchObject({
          outcome: 'rejected',
          code: 'address',
        })
      for (const sender of ['', '+15550002222', '../me'])
        expect(await whatsappMeta.send(textTo('+12025550123'), { ...call, sender })).toMatchObject({
          outcome: 'unavailable',
          needsAttention: true,
        })
    })
  })

  it('tells whose number it is, and what is wrong with an account', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      expect(await whatsappMeta.probe(call)).toEqual({ name: 'Nexus Café, +1 555-000-2222' })
      const wrong = (more: object) =>
        whatsappMeta.probe({ ...call, credentials: { ...call.credentials, ...more } })
      await expect(wrong({ accessToken: 'EAAwrong' })).rejects.toThrow('Meta refused the access token.')
      await expect(wrong({ appSecret: 'another secret'.replace(' ', '-') })).rejects.toThrow(
        'The app secret is not',
      )
      await expect(wrong({ businessAccountId: '1' })).rejects.toThrow(CallFailed)
      await expect(whatsappMeta.probe({ ...call, sender: '1' })).rejects.toThrow(CallFailed)
    })
  })

  it('is refused an address that does not answer the challenge', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      await expect(whatsappMeta.registerWebhook(`${world.origin}/nowhere`, call)).rejects.toThrow(CallFailed)
    })
  })
})

/** A customer who has just written to a number whose webhooks come to `world.hooks`. */
async function connected(world: World) {
  const call = callOf(world)
  await whatsappMeta.registerWebhook(`${world.origin}/hooks/whatsapp`, call)
  const bo = await newHandset(world)
  await write(world, bo, { text: 'Hello' })
  await world.sandbox.idle()
  world.hooks.length = 0
  const events = (): ProviderEvent[] =>
    world.hooks.flatMap((hook) => {
      whatsappMeta.verify(hook, call.credentials)
      return whatsappMeta.parse(hook, call.sender)
    })
  return { bo, call, events }
}

const write = (world: World, { id }: HandsetView, more: object): Promise<BubbleView> =>
  world.api('POST', `/handsets/${id}/messages`, { channel: 'whatsapp', ...more })

async function inWorld(story: (world: World) => Promise<void>): Promise<void> {
  const world = await createWorld()
  try {
    await story(world)
  } finally {
    await world.close()
  }
}
