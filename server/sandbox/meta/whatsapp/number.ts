import { fromMarkup } from '../../../../adapters/whatsapp/markup.ts'
import type { Handset } from '../../handsets.ts'
import type { Line } from '../../line.ts'
import type { BubbleContent, BubbleView } from '../../protocol.ts'
import { Ring } from '../../ring.ts'
import type { Stage } from '../../stage.ts'
import type { Subscriptions } from '../subscriptions.ts'
import { told } from './content.ts'
import type { Send } from './shapes.ts'

/** A message of the product's, as WhatsApp holds it. */
interface Outbound {
  id: string
  /** Undefined where nobody has this number. */
  handset: Handset | undefined
  waId: string
  opaque: string | undefined
  content: BubbleContent | null
  isTemplate: boolean
  status: 'accepted' | 'sent' | 'delivered' | 'read' | 'failed'
  /** The phone showed it before it counted as delivered. */
  readEarly?: boolean
}

const DAY_MS = 86_400_000
const TYPING_MS = 25_000
/** How long an address for a file lives. */
const SERVED_MS = 300_000

/** The account's number, its messages, and the way to the phones. */
export class WhatsAppNumber implements Line {
  /** The address under which the product sees our API: files lie there. */
  apiBase = ''
  readonly #stage: Stage
  readonly #subscriptions: Subscriptions
  readonly #messages: Ring<string, Outbound>
  readonly #written: Ring<string, Handset>
  readonly #wroteAt = new WeakMap<Handset, number>()
  readonly #served = new Ring<string, number>(1_000)

  constructor(stage: Stage, subscriptions: Subscriptions) {
    this.#stage = stage
    this.#subscriptions = subscriptions
    this.#messages = new Ring(stage.keep)
    this.#written = new Ring(stage.keep)
  }

  write(handset: Handset, content: BubbleContent, replyTo?: string): BubbleView {
    const shown = content.type === 'text' ? fromMarkup(content.text) : content
    const bubble: BubbleView = {
      ...this.#bubble(shown),
      mine: true,
      ...(replyTo && { replyTo }),
      mark: 'sent',
    }
    handset.show('whatsapp', bubble)
    this.#hear(handset, bubble.id, { ...told(content), ...this.#context(replyTo) })
    return bubble
  }

  /** Told where the number lives in the phone's own app as well. */
  edit(handset: Handset, id: string, text: string): BubbleView | undefined {
    const bubble = handset.bubble('whatsapp', id)
    if (!bubble?.mine || bubble.content.type !== 'text') return undefined
    const edited: BubbleView = { ...bubble, content: fromMarkup(text), edited: true }
    handset.show('whatsapp', edited)
    const edit = { original_message_id: id, message: { type: 'text', text: { body: text } } }
    this.#hear(handset, undefined, { type: 'edit', edit })
    return edited
  }

  remove(handset: Handset, id: string): boolean {
    if (!handset.bubble('whatsapp', id)?.mine) return false
    handset.remove('whatsapp', id)
    this.#hear(handset, undefined, { type: 'revoke', revoke: { original_message_id: id } })
    return true
  }

  react(handset: Handset, id: string, emoji: string): BubbleView | undefined {
    const bubble = handset.bubble('whatsapp', id)
    if (!bubble) return undefined
    const { mine: _, ...others } = bubble.reactions
    const reacted = { ...bubble, reactions: emoji ? { ...others, mine: emoji } : others }
    handset.show('whatsapp', reacted)
    const reaction = { message_id: id, ...(emoji && { emoji }) }
    this.#hear(handset, undefined, { type: 'reaction', reaction })
    return reacted
  }

  choose(handset: Handset, id: string, choice: string): BubbleView | undefined {
    const offer = handset.bubble('whatsapp', id)?.content
    const picked = offer?.type === 'offer' ? offer.choices.find((one) => one.id === choice) : undefined
    if (offer?.type !== 'offer' || !picked) return undefined
    const title: BubbleContent = { type: 'text', text: picked.title }
    const bubble: BubbleView = { ...this.#bubble(title), mine: true, replyTo: id, mark: 'sent' }
    handset.show('whatsapp', bubble)
    const says = this.#messages.get(id)?.isTemplate
      ? { type: 'button', button: { payload: picked.id, text: picked.title } }
      : interactiveReply(offer.as === 'list' ? 'list_reply' : 'button_reply', picked)
    this.#hear(handset, bubble.id, { ...says, ...this.#context(id) })
    return bubble
  }

  read(handset: Handset): void {
    for (const { id } of handset.bubbles('whatsapp')) {
      const message = this.#messages.get(id)
      if (!message) continue
      if (message.status === 'delivered') this.#stage.tasks.run(() => this.#advance(message, 'read'))
      else if (message.status !== 'read') message.readEarly = true
    }
  }

  block(handset: Handset, shut: boolean): void {
    if (handset.blocked.whatsapp !== shut) handset.block('whatsapp', shut)
  }

  /** The product has read what the visitor wrote, and everything before it. @returns false where there is no such message */
  readBy(id: string, typing: boolean): boolean {
    const handset = this.#written.get(id)
    if (!handset) return false
    for (const bubble of handset.bubbles('whatsapp')) {
      if (bubble.mine && bubble.mark !== 'read') handset.change('whatsapp', bubble.id, { mark: 'read' })
      if (bubble.id === id) break
    }
    if (typing) handset.typing('whatsapp', TYPING_MS)
    return true
  }

  /** The product may ask for a file at the address it was just told. */
  serve(file: string): string {
    this.#served.set(file, this.#stage.clock.now().getTime() + SERVED_MS)
    return `${this.apiBase}/whatsapp_business/attachments?mid=${file}`
  }
  isServed(file: string): boolean {
    return (this.#served.get(file) ?? 0) > this.#stage.clock.now().getTime()
  }

  /** Takes a message and follows it. With the fault `before-answer`, resolves only after its receipts are posted. */
  async accept(send: Send, content: BubbleContent | null): Promise<{ id: string; waId: string }> {
    const { faults, ledger, tasks, receipts, handsets, hex } = this.#parts()
    const handset = 'to' in send ? handsets.ofPhone(`+${send.to.replace('+', '')}`) : undefined
    const waId = 'to' in send ? send.to.replace('+', '') : send.recipient
    const id = `wamid.HBgL${hex(40).toUpperCase()}`
    const message: Outbound = {
      id,
      handset,
      waId,
      opaque: send.biz_opaque_callback_data,
      content,
      isTemplate: send.type === 'template',
      status: 'accepted',
    }
    this.#messages.set(id, message)
    ledger.enter({ provider: 'meta', id, to: `+${waId}`, what: send.type, text: wordsOf(send, content) })
    if (faults.receipts('meta', 'before-answer')) {
      await this.#deliver(message, send)
      return { id, waId }
    }
    const reorder = faults.receipts('meta', 'reorder')
    tasks.run(async () => {
      await tasks.delay(receipts.sentAfterMs)
      await this.#deliver(message, send, reorder)
    })
    return { id, waId }
  }

  async #deliver(message: Outbound, send: Send, reorder = false): Promise<void> {
    const problem = this.#problemOf(message)
    if (problem) return this.#advance(message, 'failed', problem)
    this.#show(message, send)
    if (!reorder) await this.#advance(message, 'sent')
    await this.#stage.tasks.delay(this.#stage.receipts.deliveredAfterMs)
    await this.#advance(message, 'delivered')
    if (reorder) await this.#tell(message, 'sent')
    if (message.readEarly) await this.#advance(message, 'read')
  }

  /** Most of what cannot be sent is told only now, and not with the answer. */
  #problemOf({ handset, isTemplate }: Outbound): Problem | undefined {
    if (!handset || handset.blocked.whatsapp) return { code: 131026, title: 'Message undeliverable' }
    const since = this.#stage.clock.now().getTime() - (this.#wroteAt.get(handset) ?? 0)
    return !isTemplate && since > DAY_MS ? { code: 131047, title: 'Re-engagement message' } : undefined
  }

  #show({ id, handset, content }: Outbound, send: Send): void {
    if (!handset) return
    if (send.type === 'reaction') {
      const { message_id, emoji } = send.reaction
      const bubble = handset.bubble('whatsapp', message_id)
      const { theirs: _, ...others } = bubble?.reactions ?? {}
      handset.change('whatsapp', message_id, { reactions: emoji ? { ...others, theirs: emoji } : others })
    } else if (content) {
      const replyTo = send.context?.message_id
      const bubble = { ...this.#bubble(content), id, mine: false, ...(replyTo && { replyTo }) }
      handset.show('whatsapp', bubble)
    }
  }

  async #advance(message: Outbound, status: Outbound['status'], problem?: Problem): Promise<void> {
    message.status = status
    await this.#tell(message, status, problem)
  }

  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status */
  async #tell({ id, waId, opaque, isTemplate }: Outbound, status: string, problem?: Problem): Promise<void> {
    if (this.#stage.faults.receipts('meta', 'drop')) return
    const [type, category] = isTemplate ? ['regular', 'utility'] : ['free_customer_service', 'service']
    const one = {
      id,
      status,
      timestamp: this.#seconds(),
      recipient_id: waId,
      ...(opaque && { biz_opaque_callback_data: opaque }),
      ...(status === 'sent' && { pricing: { billable: isTemplate, pricing_model: 'PMP', type, category } }),
      ...(problem && {
        errors: [{ ...problem, message: problem.title, error_data: { details: problem.title } }],
      }),
    }
    await this.#post(`status: ${status}`, id, { statuses: [one] })
  }

  /** Something of the visitor's goes to the product. `id` names the bubble that shows whether it arrived. */
  #hear(handset: Handset, id: string | undefined, says: object): void {
    this.#wroteAt.set(handset, this.#stage.clock.now().getTime())
    const from = handset.phone.replace('+', '')
    const name = id ?? `wamid.HBgL${this.#stage.hex(40).toUpperCase()}`
    this.#written.set(name, handset)
    const user_id = `US.${handset.chatId}`
    const value = {
      contacts: [{ profile: { name: handset.name }, wa_id: from, user_id }],
      messages: [{ from, from_user_id: user_id, id: name, timestamp: this.#seconds(), ...says }],
    }
    const what = 'type' in says ? String(says.type) : 'message'
    this.#stage.tasks.run(async () => {
      const taken = await this.#post(what, from, value)
      const bubble = id === undefined ? undefined : handset.bubble('whatsapp', id)
      if (bubble?.mark === 'sent')
        handset.change('whatsapp', bubble.id, { mark: taken ? 'received' : 'lost' })
    })
  }

  #post(what: string, lane: string, value: object): Promise<boolean> {
    const { number, phoneNumberId, businessAccountId } = this.#stage.accounts.meta.whatsapp
    const metadata = { display_phone_number: number.replace('+', ''), phone_number_id: phoneNumberId }
    const change = { value: { messaging_product: 'whatsapp', metadata, ...value }, field: 'messages' }
    return this.#subscriptions.tell('whatsapp', what, lane, {
      object: 'whatsapp_business_account',
      entry: [{ id: businessAccountId, changes: [change] }],
    })
  }

  #context(replyTo: string | undefined): object {
    const from = this.#stage.accounts.meta.whatsapp.number.replace('+', '')
    return replyTo ? { context: { from, id: replyTo } } : {}
  }

  #bubble(content: BubbleContent): Omit<BubbleView, 'mine'> {
    const id = `wamid.HBgL${this.#stage.hex(40).toUpperCase()}`
    return { id, at: this.#stage.clock.now().toISOString(), content, edited: false, reactions: {} }
  }

  #seconds(): string {
    return String(Math.floor(this.#stage.clock.now().getTime() / 1000))
  }

  #parts() {
    const { faults, ledger, tasks, receipts, handsets } = this.#stage
    return { faults, ledger, tasks, receipts, handsets, hex: (length: number) => this.#stage.hex(length) }
  }
}

interface Problem {
  code: number
  title: string
}

const interactiveReply = (
  type: string,
  { id, title, description }: { id: string; title: string; description?: string },
) => ({
  type: 'interactive',
  interactive: { type, [type]: { id, title, ...(description && { description }) } },
})

function wordsOf(send: Send, content: BubbleContent | null): string {
  if (send.type === 'reaction') return send.reaction.emoji
  if (content?.type === 'file') return content.caption ?? ''
  return content && 'text' in content ? content.text : ''
}
