import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { CallFailed, Forged, type OutboundMessage } from '../../adapters/adapter.ts'
import type { ProviderEvent } from '../../adapters/events.ts'
import { fit } from '../../adapters/fit.ts'
import { messengerMeta } from '../../adapters/messenger/meta.ts'
import type { Content, ListContent } from '../../models/content.ts'
import type { Address, AttemptKey, MediaId, ProviderMessageId } from '../../models/ids.ts'
import type { BubbleView, HandsetView, LedgerView } from '../../server/sandbox/protocol.ts'
import { adapterContract, callWith, type Payload } from './contract.ts'
import { jsonMutation } from './json-mutations.ts'
import { META, SIGNATURE, signed, withUnknownFields } from './meta.ts'
import { createWorld, eventually, listen, shut, type World } from './world.ts'

const credentials = { ...META, appId: '1517776481860111' }

const ann = '24000005678901234' as Address
const named = (id: string): ProviderMessageId => id as ProviderMessageId
const WRITTEN = new Date(1_459_991_487_970)
const message = (id: string, content: Content, more: object = {}): ProviderEvent => ({
  kind: 'message',
  from: ann,
  profile: {},
  providerId: named(id),
  content,
  writtenAt: WRITTEN,
  ...more,
})
const pending = (reference: string, more: object = {}) => ({ state: 'pending' as const, reference, ...more })
const CDN = 'https://scontent.xx.fbcdn.net/v/t1.15752-9/1_2_n.jpg?_nc_cat=1&oh=x'
const hello = (text: string): Content => ({ type: 'text', text })
const reaction = (emojis: string[]): ProviderEvent => ({
  kind: 'reaction',
  from: ann,
  providerId: named('m_OUT1'),
  emojis,
  version: 1_459_991_487_970,
})
const echo = (id: string, text: string): ProviderEvent => ({
  kind: 'echo',
  to: ann,
  providerId: named(id),
  content: hello(text),
  writtenAt: WRITTEN,
})
const watermark = { kind: 'watermark', from: ann, upTo: new Date(1_458_668_856_253) } as const

const payloads: Payload[] = (
  [
    ['text', [message('m_IN1', hello('Hello World 😀'))]],
    ['image', [message('m_2', { type: 'image', file: pending(CDN) })]],
    [
      'two-files',
      [
        message('m_3', { type: 'image', file: pending(CDN), caption: 'Both' }),
        message('m_3#1', {
          type: 'document',
          file: pending('https://cdn.fbsbx.com/v/t59.2708-21/my%20bill.pdf?_nc_cat=2', {
            name: 'my bill.pdf',
          }),
        }),
      ],
    ],
    ['sticker', [message('m_4', { type: 'sticker', file: pending(CDN) })]],
    ['audio', [message('m_5', { type: 'audio', file: pending('https://cdn.fbsbx.com/a.mp4') })]],
    [
      'location',
      [message('m_6', { type: 'location', latitude: 1.2, longitude: -1.3, name: "Ann's Location" })],
    ],
    ['shared-link', [message('m_7', hello('Look https://shop.example/a'))]],
    ['reel', [message('m_8', hello('A reel\nhttps://www.facebook.com/reel/1'))]],
    ['quick-reply', [message('m_9', { type: 'choice', id: 'yes', title: 'Yes' })]],
    ['reply', [message('m_10', hello('about that'), { replyTo: named('m_OUT1') })]],
    ['postback', [message('m_11', { type: 'choice', id: 'START', title: 'Start Chatting' })]],
    [
      'old-postback',
      [message(`postback:${ann}:1459991487970`, { type: 'choice', id: 'START', title: 'Start' })],
    ],
    ['reaction', [reaction(['❤️'])]],
    ['reaction-without-emoji', [reaction(['😮'])]],
    ['unreaction', [reaction([])]],
    [
      'edit',
      [{ kind: 'edit', from: ann, providerId: named('m_IN1'), version: 1, content: hello('Hello all') }],
    ],
    ['deletion', [{ kind: 'deletion', from: ann, providerId: named('m_IN1') }]],
    [
      'own-echo',
      [
        {
          kind: 'status',
          to: ann,
          providerId: named('m_OUT1'),
          attemptKey: 'msg-1' as AttemptKey,
          status: 'sent',
        },
      ],
    ],
    ['echo', [echo('m_OUT2', 'Answered in Business Suite')]],
    ['other-apps-echo', [echo('m_OUT3', 'Your order')]],
    ['delivery', [{ ...watermark, status: 'delivered', named: [named('m_OUT1')] }]],
    ['delivery-without-mids', [{ ...watermark, status: 'delivered' }]],
    ['read', [{ ...watermark, status: 'read' }]],
    ['optin', [{ kind: 'ignored', what: 'optin' }]],
    ['referral', [{ kind: 'ignored', what: 'referral' }]],
    ['standby', [{ kind: 'ignored', what: 'standby' }]],
    ['feed', [{ kind: 'ignored', what: 'changes' }]],
  ] satisfies [string, ProviderEvent[]][]
).map(([name, events]) => ({ file: `meta/messenger-${name}.json`, events }))

const psidOf = ({ chatId }: HandsetView): Address => `24${String(chatId).padStart(16, '0')}` as Address

const callOf = (world: World) => {
  const { pageId, ...account } = world.accounts.meta.messenger
  return callWith(world, {
    credentials: account,
    sender: pageId,
    apiBase: `${world.origin}/sandbox/meta`,
  })
}
const newHandset = (world: World, name = 'Bo'): Promise<HandsetView> =>
  world.api('POST', '/handsets', { name })
const write = (world: World, { id }: HandsetView, more: object): Promise<BubbleView> =>
  world.api('POST', `/handsets/${id}/messages`, { channel: 'messenger', ...more })
const seen = async (world: World, { id }: HandsetView): Promise<BubbleView[]> =>
  (await world.api<HandsetView>('GET', `/handsets/${id}`)).chats.messenger

describe('Messenger', () => {
  adapterContract({
    adapter: messengerMeta,
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
        object: 'page',
        entry: [{ id: '1', messaging: [{ sender: { id: '5' }, message: { mid: 'm_1', text } }] }],
      }),
    async sandbox(world) {
      const bo = await newHandset(world)
      await write(world, bo, { text: 'Hello' })
      return { call: callOf(world), message: { to: psidOf(bo), content: { type: 'text', text: 'Hello' } } }
    },
    secrets: ({ credentials: { accessToken, appSecret, verifyToken } }) => [
      accessToken,
      appSecret,
      verifyToken,
    ],
    sevenSeconds: 60_000,
  })
})

describe('Messenger, in its own ways', () => {
  it('verifies the documented vector', () => {
    const body =
      '{"object":"page","entry":[{"id":"1234567890","time":1749416383123,"messaging":[{"sender":{"id":"5678"},"recipient":{"id":"1234567890"},"timestamp":1749416383000,"message":{"mid":"m_TEST1","text":"Hello"}}]}]}'
    const proof = 'sha256=997224fa81fad5075af0d9179739efebf61fc0b5c1a521908da9bfd178b9c754'
    expect(body).toHaveLength(208)
    messengerMeta.verify({ ...signed(body), headers: { [SIGNATURE]: proof } }, credentials)
    const other = { ...signed(`${body} `), headers: { [SIGNATURE]: proof } }
    expect(() => messengerMeta.verify(other, credentials)).toThrow(Forged)
  })

  it('tells each page its own', () => {
    const entry = (id: string, text: string) => ({
      id,
      messaging: [{ sender: { id: '5' }, recipient: { id }, message: { mid: `m_${id}`, text } }],
    })
    const request = signed(JSON.stringify({ object: 'page', entry: [entry('1', 'one'), entry('2', 'two')] }))
    expect(messengerMeta.receiversOf(request)).toEqual(['1', '2'])
    expect(messengerMeta.parse(request, '2')).toMatchObject([{ content: { text: 'two' } }])
    expect(messengerMeta.parse(request, '3')).toEqual([])
  })

  const bodySent = async (message: Partial<OutboundMessage>): Promise<Record<string, unknown>> => {
    const bodies: string[] = []
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        bodies.push(text)
        response.end('{"recipient_id":"5","message_id":"m_1"}')
      })
    })
    const apiBase = await listen(server)
    await inWorld(async (world) => {
      const outcome = await messengerMeta.send(
        { to: '5' as Address, content: { type: 'text', text: 'Hi' }, ...message },
        { ...callOf(world), apiBase },
      )
      expect(outcome).toEqual({ outcome: 'accepted', providerId: 'm_1' })
    })
    await shut(server)
    return JSON.parse(bodies[0] ?? '')
  }

  it('says why it writes: an answer for a day, a person for the rest of the week', async () => {
    const HOUR_MS = 3_600_000
    const answer = { messaging_type: 'RESPONSE' }
    expect(await bodySent({})).toMatchObject(answer)
    expect(await bodySent({ sinceTheyWroteMs: 0 })).toMatchObject(answer)
    expect(await bodySent({ sinceTheyWroteMs: 24 * HOUR_MS - 1 })).toMatchObject(answer)
    const person = await bodySent({ sinceTheyWroteMs: 24 * HOUR_MS })
    expect(person).toMatchObject({ messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' })
  })

  it('answers the message itself, whichever of its parts is meant, and gives its attempt along', async () => {
    expect(await bodySent({ replyTo: named('m_3#1') })).toEqual({
      recipient: { id: '5' },
      messaging_type: 'RESPONSE',
      message: { text: 'Hi', metadata: 'attempt:attempt-1' },
      reply_to: { mid: 'm_3' },
    })
  })

  it('spells out the links that formatting would hide', async () => {
    const text = 'Read this and https://a.example'
    const marks = [
      { kind: 'link' as const, start: 0, end: 9, url: 'https://b.example' },
      { kind: 'link' as const, start: 14, end: 31, url: 'https://a.example' },
      { kind: 'bold' as const, start: 0, end: 4 },
    ]
    expect(await bodySent({ content: { type: 'text', text, marks } })).toMatchObject({
      message: { text: 'Read this (https://b.example) and https://a.example' },
    })
  })

  const row = (id: string, title: string, description?: string) => ({
    id,
    title,
    ...(description && { description }),
  })
  const list = (text: string, rows: ListContent['sections'][number]['rows']): ListContent => ({
    type: 'list',
    text,
    button: 'Choose',
    sections: [{ rows }],
  })

  it('makes of a short list quick replies, and tells in the text what they have no room for', async () => {
    const content = list('Which one?', [row('a', 'Apple', 'Red'), row('b', 'Banana')])
    expect(await bodySent({ content })).toMatchObject({
      message: {
        text: 'Which one?\n\nApple: Red',
        quick_replies: [
          { content_type: 'text', title: 'Apple', payload: 'a' },
          { content_type: 'text', title: 'Banana', payload: 'b' },
        ],
      },
    })
  })

  it('makes of long rows cards, the first of which says what it is about', async () => {
    const long = 'The apple of my eye, polished'
    expect(await bodySent({ content: list('Which one?', [row('a', long, 'Red')]) })).toMatchObject({
      message: {
        attachment: {
          payload: {
            template_type: 'generic',
            elements: [
              { title: 'Which one?', subtitle: expect.stringMatching(/.+/) },
              {
                title: long,
                subtitle: 'Red',
                buttons: [{ type: 'postback', title: 'Choose', payload: 'a' }],
              },
            ],
          },
        },
      },
    })
  })

  it('numbers what neither holds', async () => {
    const rows = Array.from({ length: 13 }, (_, index) =>
      row(`r${index}`, `A row of more than twenty, ${index}`),
    )
    const { message } = (await bodySent({ content: list('Which?', rows) })) as {
      message: { text: string; quick_replies: { title: string; payload: string }[] }
    }
    expect(message.text).toMatch(/^Which\?\n\n1\. A row.*\n2\. /)
    expect(message.quick_replies.at(-1)).toMatchObject({ title: '13', payload: 'r12' })
  })

  it('takes whatever list its sheet lets pass', async () => {
    const { capabilities } = messengerMeta
    await inWorld(async (world) => {
      const { bo, call } = await connected(world)
      for (const many of [1, 9, 10, 13])
        for (const title of [20, 21, 80])
          for (const text of [5, 80, 81, 160, 161, 640]) {
            const rows = Array.from({ length: many }, (_, index) =>
              row(String(index), `${index} `.padEnd(title, 'x'), 'd'.repeat(72)),
            )
            const content = list('word '.repeat(200).slice(0, text).trim(), rows)
            expect(fit(content, capabilities)).toMatchObject({ as: 'is' })
            expect(await messengerMeta.send({ to: psidOf(bo), content }, call)).toMatchObject({
              outcome: 'accepted',
            })
          }
    })
  })

  it('sends each kind of content as the phone should show it', async () => {
    await inWorld(async (world) => {
      const { bo, call } = await connected(world)
      world.media.set('m1', { mime: 'image/png', bytes: new Uint8Array([1, 2, 3]) })
      const file = {
        state: 'stored',
        id: 'm1' as MediaId,
        name: 'a.png',
        mime: 'image/png',
        size: 3,
      } as const
      const contents: OutboundMessage['content'][] = [
        { type: 'text', text: 'Hello 👋' },
        { type: 'image', file },
        { type: 'document', file: { ...file, mime: 'application/pdf' } },
        { type: 'buttons', text: 'Shall we?', buttons: [{ id: 'y', title: 'Yes' }] },
        { type: 'quick-replies', text: 'Which?', replies: [{ id: 'a', title: 'A' }] },
      ]
      for (const content of contents)
        expect(await messengerMeta.send({ to: psidOf(bo), content }, call), content.type).toMatchObject({
          outcome: 'accepted',
          providerId: expect.stringMatching(/^m_/),
        })
      const shown = (await seen(world, bo)).filter(({ mine }) => !mine)
      expect(shown.map(({ content }) => content)).toMatchObject([
        { type: 'text', text: 'Hello 👋' },
        { type: 'file', kind: 'image', file: { size: 3 } },
        { type: 'file', kind: 'document' },
        { type: 'offer', as: 'buttons' },
        { type: 'offer', as: 'replies' },
      ])
      const gone = { ...file, id: 'gone' as MediaId }
      expect(
        await messengerMeta.send({ to: psidOf(bo), content: { type: 'image', file: gone } }, call),
      ).toMatchObject({
        outcome: 'unavailable',
        reason: 'Messenger could not fetch the file.',
      })
    })
  })

  it('is heard: what the customer writes, picks, edits and thinks', async () => {
    await inWorld(async (world) => {
      const { bo, call, events } = await connected(world)
      const offer = async (content: OutboundMessage['content']) => {
        const outcome = await messengerMeta.send({ to: psidOf(bo), content }, call)
        if (outcome.outcome !== 'accepted') throw new Error(outcome.reason)
        return outcome.providerId
      }
      const buttons = await offer({
        type: 'buttons',
        text: 'Shall we?',
        buttons: [{ id: 'y', title: 'Yes' }],
      })
      const replies = await offer({
        type: 'quick-replies',
        text: 'Which?',
        replies: [{ id: 'a', title: 'A' }],
      })
      const written = await write(world, bo, { text: 'Straße 👍', replyTo: buttons })
      const at = `/handsets/${bo.id}/messages`
      await world.api('POST', `${at}/${buttons}/choice`, { choice: 'y' })
      await world.api('POST', `${at}/${replies}/choice`, { choice: 'a' })
      await world.api('PATCH', `${at}/${written.id}`, { text: 'Strasse' })
      await world.api('PUT', `${at}/${buttons}/reaction`, { emoji: '🎉' })
      await world.sandbox.idle()
      const part = (one: object) => expect(events()).toContainEqual(expect.objectContaining(one))
      const from = psidOf(bo)
      part({ from, replyTo: buttons, content: { type: 'text', text: 'Straße 👍' } })
      part({ from, content: { type: 'choice', id: 'y', title: 'Yes' } })
      part({ from, content: { type: 'choice', id: 'a', title: 'A' } })
      part({
        kind: 'edit',
        from,
        providerId: written.id,
        version: 1,
        content: { type: 'text', text: 'Strasse' },
      })
      part({ kind: 'reaction', from, providerId: buttons, emojis: ['🎉'] })
    })
  })

  it('hears of what it sent: its echo, its delivery, its reading', async () => {
    await inWorld(async (world) => {
      const { bo, call, events } = await connected(world)
      const outcome = await messengerMeta.send(
        { to: psidOf(bo), content: { type: 'text', text: 'Hi' } },
        call,
      )
      if (outcome.outcome !== 'accepted') throw new Error(outcome.reason)
      await world.sandbox.idle()
      await world.api('POST', `/handsets/${bo.id}/read`, { channel: 'messenger' })
      await world.sandbox.idle()
      const { providerId } = outcome
      expect(events()).toMatchObject([
        { kind: 'status', status: 'sent', providerId, attemptKey: 'attempt-1' },
        { kind: 'watermark', status: 'delivered', named: [providerId] },
        { kind: 'watermark', status: 'read' },
      ])
    })
  })

  it('learns from the echo what became of a message whose answer was lost', async () => {
    await inWorld(async (world) => {
      const { bo, call, events } = await connected(world)
      await world.api('POST', '/faults', { provider: 'meta', kind: 'accept-then-drop', times: 1 })
      const outcome = await messengerMeta.send(
        { to: psidOf(bo), content: { type: 'text', text: 'Hi' } },
        call,
      )
      expect(outcome).toMatchObject({ outcome: 'uncertain' })
      await world.sandbox.idle()
      expect(events()).toContainEqual(
        expect.objectContaining({ kind: 'status', status: 'sent', attemptKey: 'attempt-1' }),
      )
    })
  })

  it('reacts and takes it back, marks as read and shows typing', async () => {
    await inWorld(async (world) => {
      const { bo, call } = await connected(world)
      const written = await write(world, bo, { text: 'Thanks' })
      const react = (emoji: string) =>
        messengerMeta.send(
          { to: psidOf(bo), content: { type: 'reaction', providerId: named(written.id), emoji } },
          call,
        )
      const shown = async () => (await seen(world, bo)).find(({ id }) => id === written.id)
      expect(await react('😊')).toMatchObject({ outcome: 'accepted' })
      expect(await shown()).toMatchObject({ reactions: { theirs: '😊' } })
      expect(await react('')).toMatchObject({ outcome: 'accepted' })
      expect((await shown())?.reactions).toEqual({})
      await messengerMeta.markRead(psidOf(bo), named(written.id), call)
      expect(await shown()).toMatchObject({ mark: 'read' })
      await messengerMeta.showTyping(psidOf(bo), call)
    })
  })

  it('fetches a picture without its token, and from Meta alone', async () => {
    await inWorld(async (world) => {
      const { bo, call, events } = await connected(world)
      const form = new FormData()
      form.set('channel', 'messenger')
      form.set('media', new Blob([new Uint8Array([9, 8, 7])], { type: 'image/jpeg' }), 'p.jpg')
      await world.api('POST', `/handsets/${bo.id}/messages`, form)
      const image = await eventually(() => events().find(({ kind }) => kind === 'message'))
      const file = image.kind === 'message' && 'file' in image.content ? image.content.file : undefined
      if (file?.state !== 'pending') throw new Error('no file')
      const asked: (string | undefined)[] = []
      const http = {
        request: (one: Parameters<typeof call.http.request>[0]) => {
          asked.push(one.headers?.authorization)
          return call.http.request(one)
        },
      }
      expect(await messengerMeta.fetchMedia(file.reference, { ...call, http })).toEqual({
        bytes: Buffer.from([9, 8, 7]),
        mime: 'image/jpeg',
      })
      expect(asked).toEqual([undefined])
      for (const reference of [
        `${call.apiBase}/cdn/gone/p.jpg`,
        'http://169.254.169.254/latest',
        'https://fbcdn.net.evil.example/x',
        'https://evilfbcdn.net/x',
        'http://scontent.xx.fbcdn.net/x',
        'file:///etc/passwd',
        'nonsense',
      ])
        await expect(messengerMeta.fetchMedia(reference, call), reference).rejects.toThrow(CallFailed)
    })
  })

  it('says in a sentence why a person cannot be written to', async () => {
    await inWorld(async (world) => {
      const { bo, call } = await connected(world)
      const send = (to: string) =>
        messengerMeta.send({ to: to as Address, content: { type: 'text', text: 'Hi' } }, call)
      const quiet = await newHandset(world, 'Quiet')
      expect(await send(psidOf(quiet))).toMatchObject({ outcome: 'rejected', code: '10/2018278' })
      expect(await send('999')).toMatchObject({ reason: 'Messenger does not know this person.' })
      expect(await send('not a number')).toMatchObject({ outcome: 'rejected', code: 'address' })
      await world.api('PUT', `/handsets/${bo.id}/block?channel=messenger`)
      expect(await send(psidOf(bo))).toMatchObject({ reason: expect.stringMatching(/does not receive/) })
      const ledger = await world.api<LedgerView>('GET', '/ledger?provider=meta')
      expect(ledger.entries).toEqual([])
    })
  })

  it('tells who somebody is, and not where they are nobody', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      const ada = await newHandset(world, 'Ada King Lovelace')
      expect(await messengerMeta.profileOf(psidOf(ada), call)).toEqual({ name: 'Ada King Lovelace' })
      for (const who of ['999', '', '../me'])
        await expect(messengerMeta.profileOf(who as Address, call), who).rejects.toThrow(CallFailed)
    })
  })

  it('leads the app to the address of all pages, where it knows the app', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      const { appId: _, ...unknown } = call.credentials
      const own = `${world.origin}/hooks/one`
      await messengerMeta.registerWebhook(own, { ...call, credentials: unknown }, `${world.origin}/hooks/all`)
      const bo = await newHandset(world)
      expect(await write(world, bo, { text: 'To nobody' })).toMatchObject({ mark: 'sent' })
      await world.sandbox.idle()
      expect(world.hooks).toEqual([])
      await messengerMeta.registerWebhook(own, call, `${world.origin}/hooks/all`)
      await write(world, bo, { text: 'To all' })
      await world.sandbox.idle()
      expect(world.hooks.map(({ url }) => url)).toEqual([`${world.origin}/hooks/all`])
    })
  })

  it('tells which page it is, and that a token is another page’s', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      expect(await messengerMeta.probe(call)).toEqual({ name: 'Nexus Café' })
      await expect(messengerMeta.probe({ ...call, sender: '1' })).rejects.toThrow('not that of this page')
      const wrong = { ...call, credentials: { ...call.credentials, accessToken: 'EAAwrong' } }
      await expect(messengerMeta.probe(wrong)).rejects.toThrow('Meta refused the access token.')
    })
  })
})

/** A customer who has just written to a page whose webhooks come to `world.hooks`. */
async function connected(world: World) {
  const call = callOf(world)
  await messengerMeta.registerWebhook(`${world.origin}/hooks/messenger`, call)
  const bo = await newHandset(world)
  await write(world, bo, { text: 'Hello' })
  await world.sandbox.idle()
  world.hooks.length = 0
  const events = (): ProviderEvent[] =>
    world.hooks.flatMap((hook) => {
      messengerMeta.verify(hook, call.credentials)
      return messengerMeta.parse(hook, call.sender)
    })
  return { bo, call, events }
}

async function inWorld(story: (world: World) => Promise<void>): Promise<void> {
  const world = await createWorld()
  try {
    await story(world)
  } finally {
    await world.close()
  }
}
