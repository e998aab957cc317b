import type { Handset } from '../handsets.ts'
import type { Line } from '../line.ts'
import type { BubbleContent, BubbleView } from '../protocol.ts'
import { Ring } from '../ring.ts'
import type { Stage } from '../stage.ts'
import { badRequest, blocked, cannotInitiate } from './errors.ts'
import { countFrom, Feed } from './feed.ts'
import { messageParts } from './parts.ts'

/** The bot and its chats, as Telegram's servers hold them. */
export class Bot implements Line {
  readonly feed: Feed
  readonly #stage: Stage
  /** Taps that the bot has not answered, by their query's id, and whose they are. */
  readonly #taps: Ring<string, string>
  readonly #lastIds = new WeakMap<Handset, number>()

  constructor(stage: Stage) {
    this.#stage = stage
    this.feed = new Feed(stage)
    this.#taps = new Ring(stage.keep)
  }

  get user() {
    const { botId, botName, title } = this.#stage.accounts.telegram
    return { id: botId, is_bot: true, first_name: title, username: botName }
  }

  /** The visitor writes. */
  write(handset: Handset, content: BubbleContent, replyTo?: string): BubbleView {
    if (handset.blocked.telegram) this.block(handset, false)
    handset.startedBot = true
    const bubble = this.#bubble(handset, { mine: true, content, replyTo, mark: 'sent' })
    handset.show('telegram', bubble)
    this.feed.tell('message', handset.chatId, this.message(handset, bubble), (taken) =>
      handset.change('telegram', bubble.id, { mark: taken ? 'received' : 'lost' }),
    )
    return bubble
  }

  /** The visitor changes what they wrote. @returns undefined where there is no such text of theirs */
  edit(handset: Handset, id: string, text: string): BubbleView | undefined {
    const bubble = handset.bubble('telegram', id)
    if (!bubble?.mine || bubble.content.type !== 'text') return undefined
    const edited = { ...bubble, content: { type: 'text', text } as const, edited: true }
    handset.show('telegram', edited)
    const message = { ...this.message(handset, edited), edit_date: this.#seconds() }
    this.feed.tell('edited_message', handset.chatId, message)
    return edited
  }

  /** The visitor reacts to a bubble; an empty emoji takes it back. */
  react(handset: Handset, id: string, emoji: string): BubbleView | undefined {
    const bubble = handset.bubble('telegram', id)
    if (!bubble) return undefined
    const before = bubble.reactions.mine
    const { mine: _, ...others } = bubble.reactions
    const reacted = { ...bubble, reactions: emoji ? { ...others, mine: emoji } : others }
    handset.show('telegram', reacted)
    this.feed.tell('message_reaction', handset.chatId, {
      chat: this.chat(handset),
      message_id: Number(id),
      user: this.person(handset),
      date: this.#seconds(),
      old_reaction: before ? [{ type: 'emoji', emoji: before }] : [],
      new_reaction: emoji ? [{ type: 'emoji', emoji }] : [],
    })
    return reacted
  }

  /** The visitor taps a button, which spins until the bot answers; or says what stands above the keyboard. */
  choose(handset: Handset, id: string, choice: string): BubbleView | undefined {
    const bubble = handset.bubble('telegram', id)
    if (bubble?.content.type !== 'offer') return undefined
    const { as, choices } = bubble.content
    const picked = choices.find((each) => each.id === choice)
    if (!picked) return undefined
    if (as === 'replies') return this.write(handset, { type: 'text', text: picked.title })
    const query = this.#stage.hex(16)
    this.#taps.set(query, String(handset.chatId))
    this.feed.tell('callback_query', handset.chatId, {
      id: query,
      from: this.person(handset),
      message: this.message(handset, bubble),
      chat_instance: String(handset.chatId),
      data: choice,
    })
    return bubble
  }

  /** @returns false where no such tap waits for it */
  acknowledge(query: string): boolean {
    const to = this.#taps.get(query)
    if (to === undefined) return false
    this.#taps.delete(query)
    this.#stage.ledger.note({ provider: 'telegram', id: query, to, what: 'acknowledgement', text: '' })
    return true
  }

  /** The visitor shuts the bot out, or lets it in again. */
  block(handset: Handset, shut: boolean): void {
    if (handset.blocked.telegram === shut) return
    handset.block('telegram', shut)
    const member = (status: string) => ({
      status,
      user: this.user,
      ...(status === 'kicked' && { until_date: 0 }),
    })
    this.feed.tell('my_chat_member', handset.chatId, {
      chat: this.chat(handset),
      from: this.person(handset),
      date: this.#seconds(),
      old_chat_member: member(shut ? 'member' : 'kicked'),
      new_chat_member: member(shut ? 'kicked' : 'member'),
    })
  }

  /** The bot writes. */
  send(handset: Handset, content: BubbleContent, replyTo: string | undefined): BubbleView {
    const bubble = this.#bubble(handset, { mine: false, content, replyTo })
    handset.show('telegram', bubble)
    const text =
      content.type === 'text' ? content.text : content.type === 'file' ? (content.caption ?? '') : ''
    this.enter(handset, bubble.id, content.type === 'file' ? content.kind : content.type, text)
    return bubble
  }

  /** Takes something into the ledger. */
  enter(handset: Handset, id: string, what: string, text: string): void {
    const to = String(handset.chatId)
    this.#stage.ledger.enter({ provider: 'telegram', id: `${to}:${id}`, to, what, text })
  }

  /** The phone in whose chat the bot may write. @throws BotApiError */
  reach(chatId: number): Handset {
    const handset = this.#stage.handsets.ofChat(chatId)
    if (!handset) throw badRequest('chat not found')
    if (handset.blocked.telegram) throw blocked()
    if (!handset.startedBot) throw cannotInitiate()
    return handset
  }

  chat({ chatId, name }: Handset) {
    return { id: chatId, type: 'private', ...namesOf(name) }
  }
  person({ chatId, name }: Handset) {
    return { id: chatId, is_bot: false, ...namesOf(name), language_code: 'en' }
  }

  /** A bubble as the Bot API tells it. @see https://core.telegram.org/bots/api#message */
  message(handset: Handset, bubble: BubbleView): Record<string, unknown> {
    const repliedTo = bubble.replyTo ? handset.bubble('telegram', bubble.replyTo) : undefined
    return {
      message_id: Number(bubble.id),
      from: bubble.mine ? this.person(handset) : this.user,
      chat: this.chat(handset),
      date: Math.floor(Date.parse(bubble.at) / 1000),
      ...messageParts(bubble.content, handset),
      ...(repliedTo && { reply_to_message: this.message(handset, { ...repliedTo, replyTo: '' }) }),
    }
  }

  #bubble(
    handset: Handset,
    {
      mine,
      content,
      replyTo,
      mark,
    }: Pick<BubbleView, 'mine' | 'content'> & {
      replyTo: string | undefined
      mark?: BubbleView['mark']
    },
  ): BubbleView {
    const now = this.#stage.clock.now()
    const id = (this.#lastIds.get(handset) ?? countFrom(now)) + 1
    this.#lastIds.set(handset, id)
    return {
      id: String(id),
      mine,
      at: now.toISOString(),
      content,
      ...(replyTo && { replyTo }),
      edited: false,
      reactions: {},
      ...(mark && { mark }),
    }
  }

  #seconds(): number {
    return Math.floor(this.#stage.clock.now().getTime() / 1000)
  }
}

function namesOf(name: string): { first_name: string; last_name?: string } {
  const [first = name, ...rest] = name.split(' ')
  return { first_name: first, ...(rest.length > 0 && { last_name: rest.join(' ') }) }
}
