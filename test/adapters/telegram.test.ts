import { describe, expect, it } from 'vitest'
import { CallFailed, type OutboundMessage, type WebhookRequest } from '../../adapters/adapter.ts'
import type { ProviderEvent } from '../../adapters/events.ts'
import { telegramBot } from '../../adapters/telegram/bot.ts'
import type { Content } from '../../models/content.ts'
import type { Address, MediaId, ProviderMessageId } from '../../models/ids.ts'
import type { AccountsView, BubbleView, HandsetView } from '../../server/sandbox/protocol.ts'
import { adapterContract, callWith, type Payload } from './contract.ts'
import { jsonMutation } from './json-mutations.ts'
import { createWorld, eventually, type World } from './world.ts'

const credentials = { token: '123456:ABC-TEST', webhookSecret: 's3cret_Token-1' }
const HEADER = 'x-telegram-bot-api-secret-token'

const genuine = (body: string): WebhookRequest => ({
  method: 'POST',
  url: 'https://inbox.example.com/webhooks/telegram/1',
  headers: { 'content-type': 'application/json', [HEADER]: 's3cret_Token-1' },
  body: new TextEncoder().encode(body),
})

const ann = '1111111' as Address
const named = (id: string): ProviderMessageId => id as ProviderMessageId
const profile = { name: 'Ann', username: 'ann', language: 'en' }
const message = (content: Content, more: object = {}): ProviderEvent => ({
  kind: 'message',
  from: ann,
  profile,
  providerId: named('1111111:1'),
  content,
  writtenAt: new Date(1_749_416_383_000),
  ...more,
})
const version = (seconds: number, update: number): number => seconds * 2 ** 22 + update
const pending = (reference: string, more: object = {}) => ({ state: 'pending' as const, reference, ...more })

const payloads: Payload[] = (
  [
    ['text', [message({ type: 'text', text: '/start ref42' })]],
    [
      'photo',
      [
        message({
          type: 'image',
          file: pending('AgAC…2', { mime: 'image/jpeg', size: 123_456 }),
          caption: 'hi',
        }),
      ],
    ],
    [
      'document',
      [
        message({
          type: 'document',
          file: pending('BQAC…', { name: 'a.pdf', mime: 'application/pdf', size: 1000 }),
        }),
      ],
    ],
    ['voice', [message({ type: 'voice', file: pending('AwAC…', { mime: 'audio/ogg', size: 5000 }) })]],
    [
      'video',
      [
        message({
          type: 'video',
          file: pending('BAAC…', { mime: 'video/mp4', size: 70_000 }),
          caption: 'look',
        }),
      ],
    ],
    [
      'audio',
      [
        message({
          type: 'audio',
          file: pending('CQAC…', { name: 't.mp3', mime: 'audio/mpeg', size: 4_000_000 }),
        }),
      ],
    ],
    [
      'animation',
      [message({ type: 'video', file: pending('CgAC…', { name: 'a.mp4', mime: 'video/mp4', size: 9000 }) })],
    ],
    [
      'video-note',
      [message({ type: 'video', file: pending('DQAC…', { mime: 'video/mp4', size: 300_000 }) })],
    ],
    ['sticker', [message({ type: 'sticker', file: pending('CAAC…', { mime: 'image/webp', size: 20_000 }) })]],
    ['location', [message({ type: 'location', latitude: -1.2921, longitude: 36.8219 })]],
    [
      'venue',
      [message({ type: 'location', latitude: -1.29, longitude: 36.82, name: 'Office', address: 'Street 1' })],
    ],
    [
      'contact',
      [
        message(
          { type: 'contact', name: 'Ann', phones: ['254711000001'] },
          { profile: { ...profile, phone: '+254711000001' } },
        ),
      ],
    ],
    ['reply', [message({ type: 'text', text: 'yes' }, { replyTo: named('1111111:42') })]],
    ['poll', [message({ type: 'unsupported', kind: 'poll' })]],
    [
      'edited',
      [
        {
          kind: 'edit',
          from: ann,
          providerId: named('1111111:1'),
          version: version(1_749_416_400, 10_001),
          content: { type: 'text', text: 'fixed' },
        },
      ],
    ],
    [
      'formatted',
      [
        message({
          type: 'text',
          text: '👍 bold link #tag',
          marks: [
            { kind: 'bold', start: 3, end: 7 },
            { kind: 'link', start: 8, end: 12, url: 'https://example.com/' },
          ],
        }),
      ],
    ],
    [
      'tap',
      [
        {
          kind: 'message',
          from: ann,
          profile: { name: 'Ann' },
          providerId: named('callback:77'),
          content: { type: 'choice', id: 'pm', title: 'Afternoon' },
          replyTo: named('1111111:42'),
        },
      ],
    ],
    ['put-into-group', [{ kind: 'invitation', where: '-100123' as Address }]],
    [
      'callback-query',
      [
        {
          kind: 'message',
          from: ann,
          profile: { name: 'Ann' },
          providerId: named('callback:4382bfdwdsb323b2d9'),
          content: { type: 'choice', id: 'yes', title: 'yes' },
          replyTo: named('1111111:42'),
        },
      ],
    ],
    [
      'reaction',
      [
        {
          kind: 'reaction',
          from: ann,
          providerId: named('1111111:42'),
          emojis: ['👍'],
          version: version(1_749_416_500, 10_003),
        },
      ],
    ],
    [
      'reaction-taken-back',
      [
        {
          kind: 'reaction',
          from: ann,
          providerId: named('1111111:42'),
          emojis: [],
          version: version(1_749_416_510, 10_005),
        },
      ],
    ],
    ['blocked', [{ kind: 'reachability', from: ann, reachable: false }]],
    ['unblocked', [{ kind: 'reachability', from: ann, reachable: true }]],
    ['group-message', [{ kind: 'ignored', what: 'supergroup_message' }]],
    ['channel-post', [{ kind: 'ignored', what: 'channel_post' }]],
  ] satisfies [string, ProviderEvent[]][]
).map(([name, events]) => ({ file: `telegram/${name}.json`, events }))

const newHandset = (world: World, name = 'Ada'): Promise<HandsetView> =>
  world.api('POST', '/handsets', { name })

const callOf = (world: World) =>
  callWith(world, {
    credentials: {
      token: world.accounts.telegram.token,
      webhookSecret: world.accounts.telegram.webhookSecret,
    },
    sender: '',
    apiBase: `${world.origin}/sandbox/telegram`,
  })

const textTo = (handset: HandsetView, text = 'Hello'): OutboundMessage => ({
  to: String(handset.chatId) as Address,
  content: { type: 'text', text },
})

describe('Telegram', () => {
  adapterContract({
    adapter: telegramBot,
    credentials,
    genuine,
    proof: HEADER,
    signsBody: 'the secret token is a shared secret in a header; nothing is signed',
    meaning: (body) => body,
    payloads,
    mutation: jsonMutation,
    withUnknownField: (body) => body.replace(/\}$/, ',"from_the_future":{"a":[1]}}'),
    textPayload: (text) =>
      JSON.stringify({
        update_id: 1,
        message: { message_id: 1, date: 1, chat: { id: 5, type: 'private' }, text },
      }),
    async sandbox(world) {
      const ada = await newHandset(world)
      await world.api('PUT', `/handsets/${ada.id}/start`)
      return { call: callOf(world), message: textTo(ada) }
    },
    secrets: ({ credentials: { token, webhookSecret } }) => [
      token,
      token.split(':')[1] ?? token,
      webhookSecret,
    ],
  })
})

describe('Telegram, in its own ways', () => {
  it('reads an update of a kind that it does not know as ignored, by its name', () => {
    expect(telegramBot.parse(genuine('{"update_id":1,"purchased_paid_media":{}}'))).toEqual([
      { kind: 'ignored', what: 'purchased_paid_media' },
    ])
  })

  it('tells two edits within a second apart', () => {
    const edit = (update: number): ProviderEvent[] =>
      telegramBot.parse(
        genuine(
          `{"update_id":${update},"edited_message":{"message_id":1,"date":5,"edit_date":6,"chat":{"id":5,"type":"private"},"text":"${update}"}}`,
        ),
      )
    const [[first], [second]] = [edit(7), edit(8)]
    expect(first?.kind === 'edit' && second?.kind === 'edit' && second.version > first.version).toBe(true)
  })

  it('sends each kind of content as the phone should show it', async () => {
    await inWorld(async (world) => {
      const ada = await newHandset(world)
      await world.api('PUT', `/handsets/${ada.id}/start`)
      const bytes = new Uint8Array([137, 80, 78, 71, 1, 2, 3])
      world.media.set('m1', { mime: 'image/png', bytes })
      const stored = {
        state: 'stored',
        id: 'm1' as MediaId,
        name: 'Straße "1".png',
        mime: 'image/png',
        size: 7,
      } as const
      const contents: OutboundMessage['content'][] = [
        { type: 'text', text: 'Hello 👋' },
        { type: 'image', file: stored, caption: 'A picture' },
        { type: 'image', file: { ...stored, mime: 'image/gif' } },
        { type: 'document', file: { ...stored, mime: 'application/pdf' } },
        { type: 'video', file: { ...stored, mime: 'video/mp4' } },
        { type: 'audio', file: { ...stored, mime: 'audio/mpeg' } },
        { type: 'voice', file: { ...stored, mime: 'audio/ogg' } },
        { type: 'location', latitude: 1.5, longitude: -2.5 },
        { type: 'location', latitude: 1.5, longitude: -2.5, name: 'Office' },
        { type: 'contact', name: 'Kim', phones: ['+15550001'] },
      ]
      for (const content of contents)
        expect(await telegramBot.send({ to: textTo(ada).to, content }, callOf(world))).toMatchObject({
          outcome: 'accepted',
          providerId: expect.stringMatching(new RegExp(`^${ada.chatId}:\\d+$`)),
        })
      const { chats } = await world.api<HandsetView>('GET', `/handsets/${ada.id}`)
      expect(chats.telegram.map(({ content }) => ('kind' in content ? content.kind : content.type))).toEqual([
        'text',
        'image',
        'image',
        'document',
        'video',
        'audio',
        'voice',
        'location',
        'location',
        'contact',
      ])
      const picture = chats.telegram[1]?.content
      expect(picture).toMatchObject({ caption: 'A picture', file: { name: 'Straße "1".png', size: 7 } })
    })
  })

  it('answers a message, changes its words, and reacts', async () => {
    await inWorld(async (world) => {
      const ada = await newHandset(world)
      const call = callOf(world)
      const written = await world.api<BubbleView>('POST', `/handsets/${ada.id}/messages`, {
        channel: 'telegram',
        text: 'Are you open?',
      })
      const name = `${ada.chatId}:${written.id}` as ProviderMessageId
      const sent = await telegramBot.send({ ...textTo(ada, 'Yes'), replyTo: name }, call)
      if (sent.outcome !== 'accepted') throw new Error(sent.reason)
      const edit = (text: string) =>
        telegramBot.send(
          { to: textTo(ada).to, content: { type: 'edit', providerId: sent.providerId, text } },
          call,
        )
      expect(await edit('Yes, until six')).toMatchObject({ outcome: 'accepted' })
      expect(await edit('Yes, until six'), 'not modified').toMatchObject({ outcome: 'accepted' })
      const react = (emoji: string) =>
        telegramBot.send({ to: textTo(ada).to, content: { type: 'reaction', providerId: name, emoji } }, call)
      expect(await react('👍')).toMatchObject({ outcome: 'accepted' })
      expect(await react('❤\u{FE0F}'), 'as keyboards write it').toMatchObject({ outcome: 'accepted' })
      expect(await react('🪑')).toMatchObject({
        outcome: 'rejected',
        reason: 'Telegram has no such reaction.',
      })
      const { chats } = await world.api<HandsetView>('GET', `/handsets/${ada.id}`)
      expect(chats.telegram).toMatchObject([
        { id: written.id, reactions: { theirs: '❤' } },
        { mine: false, replyTo: written.id, edited: true, content: { text: 'Yes, until six' } },
      ])
      expect(await react('')).toMatchObject({ outcome: 'accepted' })
    })
  })

  it('says in a sentence why a person cannot be written to', async () => {
    await inWorld(async (world) => {
      const ada = await newHandset(world)
      const send = (to: string, text = 'Hi') =>
        telegramBot.send({ to: to as Address, content: { type: 'text', text } }, callOf(world))
      expect(await send(String(ada.chatId))).toEqual({
        outcome: 'rejected',
        code: '403',
        reason: 'On Telegram the customer must write first.',
      })
      expect(await send('99')).toMatchObject({ outcome: 'rejected', code: '400' })
      expect(await send('not a chat')).toMatchObject({ outcome: 'rejected' })
      await world.api('PUT', `/handsets/${ada.id}/start`)
      expect(await send(String(ada.chatId), ' ')).toMatchObject({
        reason: 'Telegram takes no empty message.',
      })
      expect(await send(String(ada.chatId), 'a'.repeat(4097))).toMatchObject({
        reason: 'This is too long for Telegram.',
      })
      await world.api('PUT', `/handsets/${ada.id}/block`)
      expect(await send(String(ada.chatId))).toMatchObject({ reason: 'This person has blocked the bot.' })
    })
  })

  it('says that the token is wrong', async () => {
    await inWorld(async (world) => {
      const call = { ...callOf(world), credentials: { ...credentials, token: '1:wrong' } }
      expect(await telegramBot.send(textTo(await newHandset(world)), call)).toMatchObject({
        outcome: 'unavailable',
        needsAttention: true,
      })
      await expect(telegramBot.probe(call)).rejects.toThrow(CallFailed)
      expect(await telegramBot.probe(callOf(world))).toEqual({ name: '@nexus_sandbox_bot' })
    })
  })

  it('sends nothing where the file cannot be read', async () => {
    await inWorld(async (world) => {
      const file = { state: 'stored', id: 'gone' as MediaId, name: 'a', mime: 'image/png', size: 1 } as const
      const outcome = await telegramBot.send(
        { to: '5' as Address, content: { type: 'image', file } },
        callOf(world),
      )
      expect(outcome).toMatchObject({ outcome: 'unavailable', code: 'storage' })
    })
  })

  it('is told by webhook what the customer writes, edits, thinks and shuts', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      await telegramBot.registerWebhook(`${world.origin}/hooks/telegram`, call)
      const ada = await newHandset(world, 'Ada Lovelace')
      const { id } = await world.api<BubbleView>('POST', `/handsets/${ada.id}/messages`, {
        channel: 'telegram',
        text: 'Helo',
      })
      await world.api('PATCH', `/handsets/${ada.id}/messages/${id}`, { text: 'Hello' })
      await world.api('PUT', `/handsets/${ada.id}/messages/${id}/reaction`, { emoji: '🔥' })
      await world.api('PUT', `/handsets/${ada.id}/block`)
      await world.sandbox.idle()
      const events = world.hooks.flatMap((hook) => {
        telegramBot.verify(hook, call.credentials)
        return telegramBot.parse(hook)
      })
      const from = String(ada.chatId)
      const providerId = `${from}:${id}`
      expect(events).toHaveLength(4)
      expect(events).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            kind: 'message',
            from,
            providerId,
            profile: { name: 'Ada Lovelace', language: 'en' },
            content: { type: 'text', text: 'Helo' },
          }),
          expect.objectContaining({ kind: 'edit', providerId, content: { type: 'text', text: 'Hello' } }),
          expect.objectContaining({ kind: 'reaction', providerId, emojis: ['🔥'] }),
          { kind: 'reachability', from, reachable: false },
        ]),
      )
    })
  })

  it('fetches what the customer sent, and says when it is gone', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      await telegramBot.registerWebhook(`${world.origin}/hooks/telegram`, call)
      const ada = await newHandset(world)
      const form = new FormData()
      form.set('channel', 'telegram')
      form.set('media', new Blob(['%PDF-1.7 hello'], { type: 'application/pdf' }), 'menu.pdf')
      await world.api('POST', `/handsets/${ada.id}/messages`, form)
      const hook = await eventually(() => world.hooks[0])
      const [event] = telegramBot.parse(hook)
      if (event?.kind !== 'message' || !('file' in event.content) || event.content.file.state !== 'pending')
        throw new Error('no file')
      const { bytes } = await telegramBot.fetchMedia(event.content.file.reference, call)
      expect(new TextDecoder().decode(bytes)).toBe('%PDF-1.7 hello')
      await expect(telegramBot.fetchMedia('AgAC-unknown', call)).rejects.toMatchObject({
        outcome: { outcome: 'rejected' },
      })
    })
  })

  it('asks for what is new, and never twice, where nobody outside can reach us', async () => {
    await inWorld(async (world) => {
      const call = callOf(world)
      const ada = await newHandset(world)
      const write = (text: string) =>
        world.api('POST', `/handsets/${ada.id}/messages`, { channel: 'telegram', text })
      // A webhook of an earlier installation stands in the way.
      await telegramBot.registerWebhook('https://gone.example.com/hook', call)
      const quiet = new AbortController().signal
      const waiting = telegramBot.poll(undefined, call, quiet)
      await eventually(async () => {
        const { telegram } = await world.api<AccountsView>('GET', '/accounts')
        return !telegram.webhook
      })
      await write('one')
      const first = await waiting
      await write('two')
      const second = await telegramBot.poll(first.position, call, quiet)
      const texts = [...first.updates, ...second.updates].map((body) => {
        const [event] = telegramBot.parse({ ...genuine('{}'), body })
        return event?.kind === 'message' && event.content.type === 'text' ? event.content.text : event?.kind
      })
      expect(texts).toContain('two')
      expect(texts.filter((text) => text === 'two')).toHaveLength(1)
      const stop = new AbortController()
      const stopped = telegramBot.poll(second.position, call, stop.signal)
      stop.abort()
      await expect(stopped).rejects.toThrow(CallFailed)
    })
  })

  it('shows the customer that an answer is being written', async () => {
    await inWorld(async (world) => {
      const ada = await newHandset(world)
      await world.api('PUT', `/handsets/${ada.id}/start`)
      await telegramBot.showTyping(textTo(ada).to, callOf(world))
      await world.api('PUT', `/handsets/${ada.id}/block`)
      await expect(telegramBot.showTyping(textTo(ada).to, callOf(world))).rejects.toThrow(CallFailed)
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
