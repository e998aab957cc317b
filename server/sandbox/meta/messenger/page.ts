import type { Handset } from '../../handsets.ts'
import type { Line } from '../../line.ts'
import type { BubbleContent, BubbleView } from '../../protocol.ts'
import type { Stage } from '../../stage.ts'
import { GraphRefusal } from '../errors.ts'
import type { Subscriptions } from '../subscriptions.ts'
import { contentOf, told } from './content.ts'
import type { Action, Send } from './shapes.ts'

const DAY_MS = 86_400_000
const TYPING_MS = 20_000
const MAX_EDITS = 5

/** People are known to a page by a number that is its own, and more than a JS number holds. */
const PSID = '24'
export const psidOf = ({ chatId }: Handset): string => PSID + String(chatId).padStart(16, '0')

/** The page, its messages, and the way to the phones. */
export class Page implements Line {
  /** The address under which the product sees our API: files lie there. */
  apiBase = ''
  readonly #stage: Stage
  readonly #subscriptions: Subscriptions
  readonly #wroteAt = new WeakMap<Handset, number>()
  readonly #edits = new WeakMap<Handset, Map<string, number>>()
  /** The latest of the product's that reached each phone and was read there; milliseconds. */
  readonly #shownUpTo = new WeakMap<Handset, number>()
  readonly #readUpTo = new WeakMap<Handset, number>()

  constructor(stage: Stage, subscriptions: Subscriptions) {
    this.#stage = stage
    this.#subscriptions = subscriptions
  }

  write(handset: Handset, content: BubbleContent, replyTo?: string): BubbleView {
    return this.#write(handset, content, told(content, this.apiBase), replyTo)
  }

  edit(handset: Handset, id: string, text: string): BubbleView | undefined {
    const bubble = handset.bubble('messenger', id)
    if (!bubble?.mine || bubble.content.type !== 'text') return undefined
    const counts = this.#edits.get(handset) ?? new Map<string, number>()
    const num_edit = (counts.get(id) ?? 0) + 1
    if (num_edit > MAX_EDITS) return undefined
    this.#edits.set(handset, counts.set(id, num_edit))
    const edited: BubbleView = { ...bubble, content: { type: 'text', text }, edited: true }
    handset.show('messenger', edited)
    this.#hear(handset, 'message edit', { message_edit: { mid: id, text, num_edit } })
    return edited
  }

  react(handset: Handset, id: string, emoji: string): BubbleView | undefined {
    const bubble = handset.bubble('messenger', id)
    if (!bubble) return undefined
    const { mine: _, ...others } = bubble.reactions
    const reacted = { ...bubble, reactions: emoji ? { ...others, mine: emoji } : others }
    handset.show('messenger', reacted)
    const reaction = emoji
      ? { mid: id, action: 'react', reaction: 'other', emoji }
      : { mid: id, action: 'unreact' }
    this.#hear(handset, 'reaction', { reaction })
    return reacted
  }

  /** A quick reply is a message of theirs; a button tells its own event. */
  choose(handset: Handset, id: string, choice: string): BubbleView | undefined {
    const offer = handset.bubble('messenger', id)?.content
    const picked = offer?.type === 'offer' ? offer.choices.find((one) => one.id === choice) : undefined
    if (offer?.type !== 'offer' || !picked) return undefined
    const { title } = picked
    if (offer.as === 'replies')
      return this.#write(
        handset,
        { type: 'text', text: title },
        { text: title, quick_reply: { payload: choice } },
      )
    const shown = this.#bubble({ type: 'text', text: title })
    const bubble: BubbleView = { ...shown, mine: true, replyTo: id, mark: 'sent' }
    handset.show('messenger', bubble)
    const button = offer.as === 'cards' ? (offer.button ?? title) : title
    this.#hear(
      handset,
      'postback',
      { postback: { mid: bubble.id, title: button, payload: choice } },
      bubble.id,
    )
    return bubble
  }

  read(handset: Handset): void {
    const upTo = this.#shownUpTo.get(handset)
    if (upTo === undefined || upTo <= (this.#readUpTo.get(handset) ?? 0)) return
    this.#readUpTo.set(handset, upTo)
    this.#tell(handset, 'read', { read: { watermark: upTo } })
  }

  block(handset: Handset, shut: boolean): void {
    if (handset.blocked.messenger !== shut) handset.block('messenger', shut)
  }

  /** The person a page knows by this number. @throws GraphRefusal where there is none */
  reach(psid: string): Handset {
    const handset = psid.startsWith(PSID)
      ? this.#stage.handsets.ofChat(Number(psid.slice(PSID.length)))
      : undefined
    if (!handset) throw new GraphRefusal(400, 100, 'No matching user found', 2018001)
    if (handset.blocked.messenger)
      throw new GraphRefusal(403, 551, "This person isn't available right now.", 1545041)
    return handset
  }

  /** Takes a message and follows it. With the fault `before-answer`, resolves only after its receipts are posted. */
  async accept(send: Send): Promise<string> {
    const { faults, ledger, tasks, receipts } = this.#stage
    const handset = this.reach(send.recipient.id)
    this.#checkWindow(handset, send)
    const content = await contentOf(send.message, this.#stage, (url) => this.#isProducts(url))
    const replyTo = send.reply_to?.mid
    const bubble = { ...this.#bubble(content), mine: false, ...(replyTo && { replyTo }) }
    const text = 'text' in content ? content.text : ''
    const what = content.type === 'file' ? content.kind : content.type
    ledger.enter({ provider: 'meta', id: bubble.id, to: psidOf(handset), what, text })
    handset.show('messenger', bubble)
    const follow = async () => {
      this.#shownUpTo.set(handset, Date.parse(bubble.at))
      this.#echo(handset, send, bubble)
      const watermark = Date.parse(bubble.at)
      await this.#tell(handset, 'delivery', { delivery: { mids: [bubble.id], watermark } })
    }
    if (faults.receipts('meta', 'before-answer')) await follow()
    else
      tasks.run(async () => {
        await tasks.delay(receipts.sentAfterMs + receipts.deliveredAfterMs)
        await follow()
      })
    return bubble.id
  }

  act(action: Action): void {
    const handset = this.reach(action.recipient.id)
    switch (action.sender_action) {
      case 'typing_on':
        handset.typing('messenger', TYPING_MS)
        break
      case 'typing_off':
        handset.typing('messenger', 0)
        break
      case 'mark_seen':
        for (const { id, mine, mark } of handset.bubbles('messenger'))
          if (mine && mark !== 'read') handset.change('messenger', id, { mark: 'read' })
        break
      case 'react':
        this.#reactTheirs(handset, action.payload.message_id, action.payload.reaction)
        break
      case 'unreact':
        this.#reactTheirs(handset, action.payload.message_id, '')
        break
    }
  }

  #reactTheirs(handset: Handset, id: string, emoji: string): void {
    const bubble = handset.bubble('messenger', id)
    if (!bubble) throw new GraphRefusal(400, 100, 'Invalid parameter: no such message')
    const { theirs: _, ...others } = bubble.reactions
    handset.change('messenger', id, { reactions: emoji ? { ...others, theirs: emoji } : others })
    const to = psidOf(handset)
    this.#stage.ledger.enter({ provider: 'meta', id, to, what: 'reaction', text: emoji })
  }

  /** Somebody answers in Meta's own app. */
  answerElsewhere(handset: Handset, text: string): BubbleView {
    const bubble = { ...this.#bubble({ type: 'text', text }), mine: false }
    handset.show('messenger', bubble)
    this.#echo(handset, undefined, bubble)
    return bubble
  }

  #checkWindow(handset: Handset, { messaging_type }: Send): void {
    const since = this.#stage.clock.now().getTime() - (this.#wroteAt.get(handset) ?? 0)
    const open = messaging_type === 'MESSAGE_TAG' ? 7 * DAY_MS : DAY_MS
    if (since > open)
      throw new GraphRefusal(400, 10, 'This message is sent outside of allowed window.', 2018278)
  }

  #write(handset: Handset, content: BubbleContent, says: object, replyTo?: string): BubbleView {
    const shown = this.#bubble(content)
    const bubble: BubbleView = { ...shown, mine: true, ...(replyTo && { replyTo }), mark: 'sent' }
    handset.show('messenger', bubble)
    const message = { mid: bubble.id, ...says, ...(replyTo && { reply_to: { mid: replyTo } }) }
    this.#hear(handset, 'message', { message }, bubble.id)
    return bubble
  }

  /** What goes out in the page's name is told to its apps. */
  #echo(handset: Handset, send: Send | undefined, bubble: BubbleView): void {
    const { pageId, appId } = this.#stage.accounts.meta.messenger
    const { text, metadata } = send?.message ?? {}
    const message = {
      mid: bubble.id,
      is_echo: true,
      text: text ?? ('text' in bubble.content ? bubble.content.text : ''),
      ...(send && { app_id: Number(appId) }),
      ...(metadata && { metadata }),
    }
    this.#post(handset, 'echo', {
      sender: { id: pageId },
      recipient: { id: psidOf(handset) },
      timestamp: Date.parse(bubble.at),
      message,
    })
  }

  /** A receipt. */
  #tell(handset: Handset, what: string, event: object): Promise<unknown> {
    if (this.#stage.faults.receipts('meta', 'drop')) return Promise.resolve()
    return this.#post(handset, what, { ...this.#envelope(handset), ...event })
  }

  /** Something of the visitor's goes to the product. `id` names the bubble that shows whether it arrived. */
  #hear(handset: Handset, what: string, event: object, id?: string): void {
    this.#wroteAt.set(handset, this.#stage.clock.now().getTime())
    this.#stage.tasks.run(async () => {
      const taken = await this.#post(handset, what, { ...this.#envelope(handset), ...event })
      const bubble = id === undefined ? undefined : handset.bubble('messenger', id)
      if (bubble?.mark === 'sent')
        handset.change('messenger', bubble.id, { mark: taken ? 'received' : 'lost' })
    })
  }

  #envelope(handset: Handset): object {
    const { pageId } = this.#stage.accounts.meta.messenger
    const timestamp = this.#stage.clock.now().getTime()
    return { sender: { id: psidOf(handset) }, recipient: { id: pageId }, timestamp }
  }

  #post(handset: Handset, what: string, messaging: object): Promise<boolean> {
    const { pageId } = this.#stage.accounts.meta.messenger
    const time = this.#stage.clock.now().getTime()
    return this.#subscriptions.tell('messenger', what, psidOf(handset), {
      object: 'page',
      entry: [{ id: pageId, time, messaging: [messaging] }],
    })
  }

  #bubble(content: BubbleContent): Omit<BubbleView, 'mine'> {
    const id = `m_${this.#stage.hex(60)}`
    return { id, at: this.#stage.clock.now().toISOString(), content, edited: false, reactions: {} }
  }

  /** The simulator fetches from the product alone, whatever address it is given. */
  #isProducts(url: string): boolean {
    if (!URL.canParse(url)) return false
    const { origin } = new URL(url)
    return [this.#subscriptions.of('messenger'), this.apiBase].some(
      (one) => one && new URL(one).origin === origin,
    )
  }
}
