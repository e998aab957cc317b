import { CHANNELS, perChannel } from './catalogue.ts'
import type { BubbleView, HandsetView, SandboxChannel, SandboxEvent } from './protocol.ts'
import { Ring } from './ring.ts'

const MAX_HANDSETS = 2_000
const BUBBLES_PER_CHAT = 200

/** United States area codes; with exchange 555 and 01xx they make numbers kept free for fiction. */
const AREAS =
  '201 202 206 209 212 213 214 224 239 248 281 301 303 305 310 312 313 314 317 321 330 347 404 407 408 410 412 414 415 425 440 443 469 480 503 504 510 512 513 515 516 602 603 610 612 614 615 617 619 626 646 650 678 702 703 704 713 714 718 720'.split(
    ' ',
  )

/** A visitor's phone, with every app on it. */
export class Handset {
  readonly id: string
  readonly phone: string
  readonly chatId: number
  readonly blocked: Record<SandboxChannel, boolean> = perChannel(() => false)
  /** On Telegram a bot may write only to those who wrote or pressed Start. */
  startedBot = false
  name: string
  readonly #chats: Record<SandboxChannel, Ring<string, BubbleView>>
  readonly #publish: (event: SandboxEvent) => void

  constructor(
    { id, name, phone, chatId }: Pick<HandsetView, 'id' | 'name' | 'phone' | 'chatId'>,
    publish: (event: SandboxEvent) => void,
  ) {
    this.id = id
    this.name = name
    this.phone = phone
    this.chatId = chatId
    this.#publish = publish
    this.#chats = perChannel(() => new Ring(BUBBLES_PER_CHAT))
  }

  bubbles(channel: SandboxChannel): BubbleView[] {
    return this.#chats[channel].values()
  }

  bubble(channel: SandboxChannel, id: string): BubbleView | undefined {
    return this.#chats[channel].get(id)
  }

  /** The app a bubble is in: no two providers give the same name. */
  channelOf(id: string): SandboxChannel | undefined {
    return CHANNELS.find((channel) => this.bubble(channel, id))
  }

  /** A new bubble, or an old one as it now stands. */
  show(channel: SandboxChannel, bubble: BubbleView): void {
    this.#chats[channel].set(bubble.id, bubble)
    this.#publish({ type: 'bubble', handset: this.id, channel, bubble })
  }

  change(channel: SandboxChannel, id: string, change: Partial<BubbleView>): void {
    const bubble = this.bubble(channel, id)
    if (bubble) this.show(channel, { ...bubble, ...change })
  }

  remove(channel: SandboxChannel, id: string): void {
    this.#chats[channel].delete(id)
    this.#publish({ type: 'removed', handset: this.id, channel, id })
  }

  typing(channel: SandboxChannel, ms: number): void {
    this.#publish({ type: 'typing', handset: this.id, channel, ms })
  }

  block(channel: SandboxChannel, blocked: boolean): void {
    this.blocked[channel] = blocked
    this.#publish({ type: 'blocked', handset: this.id, channel, blocked })
  }

  view(): HandsetView {
    const { id, name, phone, chatId, blocked } = this
    const chats = perChannel((channel) => this.bubbles(channel))
    return { id, name, phone, chatId, blocked: { ...blocked }, chats }
  }
}

interface HandsetsOptions {
  random: () => number
  publish: (event: SandboxEvent) => void
}

/** Every visitor's phone, the longest forgotten first. */
export class Handsets {
  readonly #random: () => number
  readonly #publish: (event: SandboxEvent) => void
  readonly #byId: Ring<string, Handset>
  readonly #byPhone = new Map<string, Handset>()
  readonly #byChat = new Map<number, Handset>()

  constructor({ random, publish }: HandsetsOptions) {
    this.#random = random
    this.#publish = publish
    this.#byId = new Ring(MAX_HANDSETS, (handset) => {
      this.#byPhone.delete(handset.phone)
      this.#byChat.delete(handset.chatId)
    })
  }

  /** A page that outlived the sandbox brings its number and chat along; a phone that is known stays what it is. */
  add(name: string, known: { phone?: string | undefined; chatId?: number | undefined } = {}): Handset {
    const phone = known.phone ?? this.#freePhone()
    const chatId = known.chatId ?? this.#freeChat()
    const existing = this.#byPhone.get(phone) ?? this.#byChat.get(chatId)
    if (existing) {
      existing.name = name
      return existing
    }
    const handset = new Handset({ id: this.#id(), name, phone, chatId }, this.#publish)
    this.#byId.set(handset.id, handset)
    this.#byPhone.set(phone, handset)
    this.#byChat.set(chatId, handset)
    return handset
  }

  get(id: string): Handset | undefined {
    return this.#byId.get(id)
  }
  ofPhone(phone: string): Handset | undefined {
    return this.#byPhone.get(phone)
  }
  ofChat(chatId: number): Handset | undefined {
    return this.#byChat.get(chatId)
  }

  #freePhone(): string {
    for (let tries = 0; tries < 100; tries++) {
      const area = AREAS[this.#below(AREAS.length)] ?? '202'
      const phone = `+1${area}55501${String(this.#below(100)).padStart(2, '0')}`
      if (!this.#byPhone.has(phone)) return phone
    }
    return `+1555${String(this.#below(10_000_000)).padStart(7, '0')}`
  }

  #freeChat(): number {
    const chatId = 1_000_000_000 + this.#below(4_000_000_000)
    return this.#byChat.has(chatId) ? this.#freeChat() : chatId
  }

  #id(): string {
    return Array.from({ length: 4 }, () =>
      this.#below(2 ** 32)
        .toString(36)
        .padStart(7, '0'),
    ).join('')
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
