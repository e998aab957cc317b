import type { MessageEntity, ReplyParameters, TelegramEmoji } from 'telegraf/types'
import { z } from 'zod'
import { choicesOf, type Mark, type MediaContent } from '../../models/content.ts'
import type { ProviderMessageId } from '../../models/ids.ts'
import type { OutboundMessage } from '../adapter.ts'
import { accepted, type Outcome, rejected, unavailable } from '../outcomes.ts'
import { BotApi, type TelegramCall, type Upload } from './api.ts'
import { entitiesOf } from './entities.ts'
import { isUnmodified, NotTelegram, outcomeOfError } from './errors.ts'
import { inlineKeyboard, menuText, replyKeyboard } from './keyboards.ts'
import { messageName } from './parse.ts'

/** One attempt. */
export async function send(message: OutboundMessage, call: TelegramCall): Promise<Outcome> {
  const chat = Number(message.to)
  if (!Number.isSafeInteger(chat)) return rejected('address', 'This is not the address of a Telegram chat.')
  try {
    return await new Sender(new BotApi(call), chat, call).send(message)
  } catch (error) {
    return outcomeOfError(error)
  }
}

class Sender {
  readonly #api: BotApi
  readonly #chat: number
  readonly #call: TelegramCall

  constructor(api: BotApi, chat: number, call: TelegramCall) {
    this.#api = api
    this.#chat = chat
    this.#call = call
  }

  async send({ content, replyTo }: OutboundMessage): Promise<Outcome> {
    const to = { chat_id: this.#chat, ...replyParameters(replyTo) }
    switch (content.type) {
      case 'text':
        return this.#sent(
          await this.#api.callApi('sendMessage', { ...to, text: content.text, ...withMarks(content.marks) }),
        )
      case 'buttons':
        return this.#offer(to, content.text, inlineKeyboard(content.buttons))
      case 'quick-replies':
        return this.#offer(to, content.text, replyKeyboard(content.replies))
      case 'list':
        return this.#offer(to, menuText(content), inlineKeyboard(choicesOf(content)))
      case 'deletion':
        return this.#delete(content.providerId)
      case 'location':
        return this.#sent(await this.#location(content, to))
      case 'contact':
        return this.#sent(
          await this.#api.callApi('sendContact', {
            ...to,
            phone_number: content.phones[0] ?? '',
            first_name: content.name,
          }),
        )
      case 'reaction':
        return this.#react(content.providerId, content.emoji)
      case 'edit':
        return this.#edit(content.providerId, content.text)
      case 'image':
      case 'audio':
      case 'voice':
      case 'video':
      case 'document':
      case 'sticker':
        return this.#media(content, to)
      default:
        return rejected('content', 'Telegram cannot carry this.')
    }
  }

  #location(content: Extract<OutboundMessage['content'], { type: 'location' }>, to: To) {
    const { latitude, longitude, name, address } = content
    return name
      ? this.#api.callApi('sendVenue', { ...to, latitude, longitude, title: name, address: address || name })
      : this.#api.callApi('sendLocation', { ...to, latitude, longitude })
  }

  async #media(content: MediaContent, to: To): Promise<Outcome> {
    const { file, caption } = content
    if (file.state !== 'stored') return rejected('file', 'This file is not there to be sent.')
    let bytes: Uint8Array
    try {
      bytes = await this.#call.media.bytes(file.id)
    } catch {
      return unavailable('storage', 'The file could not be read from our storage.')
    }
    const payload = { ...to, ...(caption && { caption }) }
    const upload = { bytes, name: file.name, mime: file.mime }
    return this.#sent(await this.#upload(content, payload, upload))
  }

  #upload(content: MediaContent, payload: To & { caption?: string }, upload: Omit<Upload, 'field'>) {
    switch (content.type) {
      case 'image':
        // A GIF sent as a photo stands still.
        return upload.mime === 'image/gif'
          ? this.#api.upload('sendAnimation', payload, { field: 'animation', ...upload })
          : this.#api.upload('sendPhoto', payload, { field: 'photo', ...upload })
      case 'video':
        return this.#api.upload('sendVideo', payload, { field: 'video', ...upload })
      case 'audio':
        return this.#api.upload('sendAudio', payload, { field: 'audio', ...upload })
      case 'voice':
        return this.#api.upload('sendVoice', payload, { field: 'voice', ...upload })
      case 'sticker':
        return this.#api.upload('sendSticker', payload, { field: 'sticker', ...upload })
      case 'document':
        return this.#api.upload('sendDocument', payload, { field: 'document', ...upload })
    }
  }

  async #offer(
    to: To,
    text: string,
    reply_markup: ReturnType<typeof inlineKeyboard> | ReturnType<typeof replyKeyboard>,
  ): Promise<Outcome> {
    return this.#sent(await this.#api.callApi('sendMessage', { ...to, text, reply_markup }))
  }

  async #delete(target: ProviderMessageId): Promise<Outcome> {
    const message_id = messageIdOf(target)
    if (message_id === undefined) return rejected('message', 'This message is not one of Telegram’s.')
    await this.#api.callApi('deleteMessage', { chat_id: this.#chat, message_id })
    return this.#changed(target, 'deletion')
  }

  async #react(target: ProviderMessageId, emoji: string): Promise<Outcome> {
    const message_id = messageIdOf(target)
    if (message_id === undefined) return rejected('message', 'This message is not one of Telegram’s.')
    await this.#api.callApi('setMessageReaction', {
      chat_id: this.#chat,
      message_id,
      reaction: emoji ? [{ type: 'emoji', emoji: withoutVariation(emoji) }] : [],
    })
    return this.#changed(target, 'reaction')
  }

  async #edit(target: ProviderMessageId, text: string): Promise<Outcome> {
    const message_id = messageIdOf(target)
    if (message_id === undefined) return rejected('message', 'This message is not one of Telegram’s.')
    try {
      await this.#api.callApi('editMessageText', { chat_id: this.#chat, message_id, text })
    } catch (error) {
      if (!isUnmodified(error)) throw error
    }
    return this.#changed(target, 'edit')
  }

  #sent(result: unknown): Outcome {
    const sent = SentMessage.safeParse(result)
    return sent.success
      ? accepted(messageName(sent.data.chat.id, sent.data.message_id))
      : outcomeOfError(new NotTelegram(200))
  }

  /** Telegram gives a change no name; the attempt's keeps it apart from the message's own. */
  #changed(target: ProviderMessageId, kind: 'reaction' | 'edit' | 'deletion'): Outcome {
    return accepted(`${target}:${kind}:${this.#call.attemptKey ?? ''}`)
  }
}

const withMarks = (marks: Mark[] | undefined): { entities?: MessageEntity[] } => {
  const entities = entitiesOf(marks)
  return entities ? { entities } : {}
}

/** telegraf's types promise this; an answer may not keep the promise. */
const SentMessage = z.object({ message_id: z.int(), chat: z.object({ id: z.int() }) })

interface To {
  chat_id: number
  reply_parameters?: ReplyParameters
}

/** Telegram's list of reactions has a heart without the variation selector that keyboards add. */
const withoutVariation = (emoji: string): TelegramEmoji => emoji.replaceAll('\u{FE0F}', '') as TelegramEmoji

/** The answer goes out even where the message it answers is gone. */
function replyParameters(replyTo: ProviderMessageId | undefined): Pick<To, 'reply_parameters'> {
  const message_id = replyTo === undefined ? undefined : messageIdOf(replyTo)
  return message_id === undefined
    ? {}
    : { reply_parameters: { message_id, allow_sending_without_reply: true } }
}

/** The message id in our `chat:message` name. */
function messageIdOf(name: ProviderMessageId): number | undefined {
  const [, id] = /^-?\d+:(\d+)$/.exec(name) ?? []
  return id === undefined ? undefined : Number(id)
}
