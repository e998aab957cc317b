import { Input, Telegram, type TelegramError } from 'telegraf'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Clock } from '../../../server/sandbox/clock.ts'
import type { BubbleView, HandsetView } from '../../../server/sandbox/protocol.ts'
import { createWorld, eventually, type World } from '../../adapters/world.ts'

/** The simulator, tried with the official-grade client as it comes, its own transport included. */
describe('the Telegram simulator, to telegraf', () => {
  let world: World
  let telegram: Telegram
  let ada: HandsetView
  const newHandset = (name = 'Ada'): Promise<HandsetView> => world.api('POST', '/handsets', { name })

  beforeAll(async () => {
    world = await createWorld()
    telegram = clientOf(world.accounts.telegram.token)
    ada = await newHandset()
    await world.api('PUT', `/handsets/${ada.id}/start`)
  })
  afterAll(() => world.close())

  const clientOf = (token: string): Telegram =>
    new Telegram(token, { apiRoot: `${world.origin}/sandbox/telegram/`, webhookReply: false })

  it('says who the bot is', async () => {
    expect(await telegram.getMe()).toMatchObject({ is_bot: true, username: 'nexus_sandbox_bot' })
  })

  it('refuses a wrong token, an ill-formed one and a method that there is not', async () => {
    await expect(clientOf('123:wrong').getMe()).rejects.toMatchObject({
      code: 401,
      description: 'Unauthorized',
    })
    await expect(clientOf('wrong').getMe()).rejects.toMatchObject({ code: 404 })
    await expect(telegram.callApi('getStickerSet', { name: 'x' })).rejects.toMatchObject({ code: 404 })
  })

  it('takes a text and answers with the message', async () => {
    const sent = await telegram.sendMessage(ada.chatId, 'Hello')
    expect(sent).toMatchObject({
      message_id: expect.any(Number),
      chat: { id: ada.chatId, type: 'private', first_name: 'Ada' },
      from: { is_bot: true },
      text: 'Hello',
    })
    const next = await telegram.sendMessage(ada.chatId, 'Yes', {
      reply_parameters: { message_id: sent.message_id },
    })
    expect(next).toMatchObject({
      message_id: sent.message_id + 1,
      reply_to_message: { message_id: sent.message_id, text: 'Hello' },
    })
  })

  it('takes uploads, and gives them back by getFile', async () => {
    const { photo } = await telegram.sendPhoto(
      ada.chatId,
      Input.fromBuffer(Buffer.from('a picture'), 'a.jpg'),
      {
        caption: 'See',
      },
    )
    expect(photo.length).toBeGreaterThan(1)
    const link = await telegram.getFileLink(photo.at(-1)?.file_id ?? '')
    expect(await (await fetch(link)).text()).toBe('a picture')
    const { document } = await telegram.sendDocument(ada.chatId, Input.fromBuffer(Buffer.from('x'), 'ü.pdf'))
    expect(document).toMatchObject({ file_name: 'ü.pdf', file_size: 1 })
    const again = await telegram.sendPhoto(ada.chatId, photo.at(-1)?.file_id ?? '')
    expect(again.photo.at(-1)?.file_id).toBe(photo.at(-1)?.file_id)
  })

  it('takes places and contacts', async () => {
    expect(await telegram.sendLocation(ada.chatId, 1, 2)).toMatchObject({
      location: { latitude: 1, longitude: 2 },
    })
    expect(await telegram.sendVenue(ada.chatId, 1, 2, 'Office', 'Street 1')).toMatchObject({
      venue: { title: 'Office' },
    })
    expect(await telegram.sendContact(ada.chatId, '+1555', 'Kim')).toMatchObject({
      contact: { first_name: 'Kim' },
    })
  })

  it('edits, deletes, reacts', async () => {
    const { message_id } = await telegram.sendMessage(ada.chatId, 'one')
    expect(await telegram.editMessageText(ada.chatId, message_id, undefined, 'two')).toMatchObject({
      text: 'two',
    })
    await expect(telegram.editMessageText(ada.chatId, message_id, undefined, 'two')).rejects.toThrow(
      /message is not modified/,
    )
    expect(await telegram.setMessageReaction(ada.chatId, message_id, [{ type: 'emoji', emoji: '👍' }])).toBe(
      true,
    )
    expect(await telegram.deleteMessage(ada.chatId, message_id)).toBe(true)
    await expect(telegram.deleteMessage(ada.chatId, message_id)).rejects.toThrow(
      /message to delete not found/,
    )
  })

  it.each([
    [
      'a chat that there is not',
      (one: World) => clientFor(one).sendMessage(42, 'x'),
      400,
      'Bad Request: chat not found',
    ],
    ['an empty text', (one: World) => clientFor(one).sendMessage(0, ''), 400, 'Bad Request: chat not found'],
  ])('refuses %s in the documented words', async (_name, call, code, description) => {
    await expect(call(world)).rejects.toMatchObject({ code, description })
  })
  const clientFor = (one: World): Telegram =>
    new Telegram(one.accounts.telegram.token, { apiRoot: `${one.origin}/sandbox/telegram/` })

  it('refuses too long a text, an empty one, and a person who shut or never opened the door', async () => {
    const refused = (chat: number, text: string): Promise<TelegramError> =>
      telegram.sendMessage(chat, text).then(
        () => Promise.reject(new Error('taken')),
        (error: TelegramError) => error,
      )
    expect(await refused(ada.chatId, 'a'.repeat(4097))).toMatchObject({
      code: 400,
      description: 'Bad Request: message is too long',
    })
    expect(await refused(ada.chatId, '')).toMatchObject({ description: 'Bad Request: message text is empty' })
    const bo = await newHandset('Bo')
    expect(await refused(bo.chatId, 'x')).toMatchObject({
      code: 403,
      description: expect.stringMatching(/initiate/),
    })
    await world.api('PUT', `/handsets/${bo.id}/start`)
    await world.api('PUT', `/handsets/${bo.id}/block`)
    expect(await refused(bo.chatId, 'x')).toMatchObject({
      code: 403,
      description: 'Forbidden: bot was blocked by the user',
    })
  })

  it('asks to wait as documented', async () => {
    await world.api('POST', '/faults', {
      provider: 'telegram',
      kind: 'status',
      status: 429,
      retryAfter: 7,
      times: 1,
    })
    await expect(telegram.sendMessage(ada.chatId, 'x')).rejects.toMatchObject({
      code: 429,
      description: 'Too Many Requests: retry after 7',
      parameters: { retry_after: 7 },
    })
    expect(await telegram.sendMessage(ada.chatId, 'x')).toMatchObject({ text: 'x' })
  })

  it('strikes only as often as it was asked to, and not what sends nothing', async () => {
    await world.api('POST', '/faults', { provider: 'telegram', kind: 'status', status: 500, times: 2 })
    await telegram.sendChatAction(ada.chatId, 'typing')
    for (let count = 0; count < 2; count++)
      await expect(telegram.sendMessage(ada.chatId, 'x')).rejects.toThrow()
    await telegram.sendMessage(ada.chatId, 'x')
    expect(await world.api('GET', '/faults')).toEqual([])
  })

  it('keeps what comes until it is asked for, then forgets it', async () => {
    const own = await createWorld()
    try {
      const client = clientFor(own)
      const eve = await own.api<HandsetView>('POST', '/handsets', { name: 'Eve' })
      const write = (text: string) =>
        own.api('POST', `/handsets/${eve.id}/messages`, { channel: 'telegram', text })
      await write('one')
      await write('two')
      const updates = await client.getUpdates(0, 100, 0, undefined)
      expect(updates).toMatchObject([{ message: { text: 'one' } }, { message: { text: 'two' } }])
      const next = (updates.at(-1)?.update_id ?? 0) + 1
      const waiting = client.getUpdates(20, 100, next, undefined)
      await write('three')
      expect(await waiting).toMatchObject([{ message: { text: 'three' } }])
      await client.setWebhook(`${own.origin}/hooks/telegram`)
      await expect(client.getUpdates(0, 1, 0, undefined)).rejects.toMatchObject({ code: 409 })
      await eventually(() => own.hooks.length === 1)
      expect(await client.getWebhookInfo()).toMatchObject({ url: `${own.origin}/hooks/telegram` })
    } finally {
      await own.close()
    }
  })

  it('posts updates one at a time in a chat, with the secret, again and again until they are taken', async () => {
    const own = await createWorld()
    try {
      await clientFor(own).setWebhook(`${own.origin}/hooks/telegram`, { secret_token: 's-1' })
      const eve = await own.api<HandsetView>('POST', '/handsets', { name: 'Eve' })
      own.answers.push(500)
      for (const text of ['one', 'two'])
        await own.api('POST', `/handsets/${eve.id}/messages`, { channel: 'telegram', text })
      await own.sandbox.idle()
      const texts = own.hooks.map(({ headers, body }) => {
        expect(headers['x-telegram-bot-api-secret-token']).toBe('s-1')
        return JSON.parse(new TextDecoder().decode(body)).message.text
      })
      expect(texts).toEqual(['one', 'one', 'two'])
      const { chats } = await own.api<HandsetView>('GET', `/handsets/${eve.id}`)
      expect(chats.telegram.map(({ mark }: BubbleView) => mark)).toEqual(['received', 'received'])
    } finally {
      await own.close()
    }
  })

  it('waits longer from try to try, as documented', async () => {
    const waits: number[] = []
    const clock: Clock = {
      now: () => new Date(Date.UTC(2026, 10, 22)),
      setTimeout(callback, ms) {
        waits.push(ms)
        const timer = setImmediate(callback)
        return { cancel: () => clearImmediate(timer) }
      },
    }
    const own = await createWorld({ clock })
    try {
      await clientFor(own).setWebhook(`${own.origin}/hooks/telegram`)
      const eve = await own.api<HandsetView>('POST', '/handsets', { name: 'Eve' })
      own.answers.push(...Array.from({ length: 9 }, () => 503))
      await own.api('POST', `/handsets/${eve.id}/messages`, { channel: 'telegram', text: 'x' })
      await own.sandbox.idle()
      expect(own.hooks).toHaveLength(10)
      expect(waits.slice(0, 5)).toEqual([2_000, 4_000, 8_000, 16_000, 32_000])
      for (const wait of waits.slice(5)) expect(wait >= 60_000 && wait <= 120_000).toBe(true)
    } finally {
      await own.close()
    }
  })

  it('tells of reactions only to those who asked', async () => {
    const own = await createWorld()
    try {
      const eve = await own.api<HandsetView>('POST', '/handsets', { name: 'Eve' })
      const react = async (emoji: string): Promise<void> => {
        const { chats } = await own.api<HandsetView>('GET', `/handsets/${eve.id}`)
        await own.api('PUT', `/handsets/${eve.id}/messages/${chats.telegram[0]?.id}/reaction`, { emoji })
        await own.sandbox.idle()
      }
      await clientFor(own).setWebhook(`${own.origin}/hooks/telegram`)
      await own.api('POST', `/handsets/${eve.id}/messages`, { channel: 'telegram', text: 'x' })
      await react('👍')
      expect(own.hooks).toHaveLength(1)
      await clientFor(own).setWebhook(`${own.origin}/hooks/telegram`, {
        allowed_updates: ['message', 'message_reaction'],
      })
      await react('🔥')
      expect(own.hooks).toHaveLength(2)
    } finally {
      await own.close()
    }
  })
})
