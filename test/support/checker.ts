import type { DeliveryState } from '../../models/delivery.ts'
import type { MessageView } from '../../server/realtime/protocol.ts'

/**
 * What was sent and what was acknowledged, and whether the world agrees afterwards. Every text is unique, so a text names
 * its message wherever it turns up: in a webhook, in a timeline, at a provider.
 */
export class History {
  /** Texts of webhooks by the customer that sent them, one at a time, in the order of their acknowledgement. */
  readonly webhooks = new Map<string, string[]>()
  /** Texts of replies by the author and conversation that sent them, one at a time, with the id each was answered with. */
  readonly replies = new Map<string, { text: string; id: string }[]>()
  /** Everything that was ever sent, acknowledged or not. */
  readonly sent = new Set<string>()

  sending(text: string): void {
    this.sent.add(text)
  }

  webhookAcknowledged(customer: string, text: string): void {
    listOf(this.webhooks, customer).push(text)
  }

  replyAcknowledged(line: string, text: string, id: string): void {
    listOf(this.replies, line).push({ text, id })
  }

  /** Every text that was acknowledged. */
  *acknowledgedTexts(): Generator<string> {
    for (const texts of this.webhooks.values()) yield* texts
    for (const replies of this.replies.values()) for (const { text } of replies) yield text
  }

  get acknowledged(): { webhooks: number; replies: number } {
    return { webhooks: total(this.webhooks), replies: total(this.replies) }
  }
}

/** What the provider took, in its own order. */
export interface Taken {
  to: string
  text: string
}

/** What the world holds once everything has settled. */
export interface World {
  /** Every timeline, as the API shows it. */
  timelines: MessageView[][]
  ledger: Taken[]
}

/** Each list names what broke one rule, in words; all are empty where every promise was kept. */
export interface Verdict {
  /** Acknowledged and not there, or said to be sent and never seen by the provider. */
  lost: string[]
  /** There twice, or seen twice by the provider. */
  doubled: string[]
  /** Not in the order of the acknowledgements, or sent in another order than written. */
  disordered: string[]
  /** A rev given to two messages, or a timeline not ascending. */
  revs: string[]
  /** Not ended in a state that says what became of it. */
  unaccounted: string[]
  /** In a timeline or at the provider, and sent by nobody. */
  invented: string[]
  counts: { messages: number; uncertain: number; failed: number; atProvider: number }
}

/** States that say what became of a message. */
const SETTLED: readonly DeliveryState[] = ['sent', 'delivered', 'read', 'failed', 'uncertain']
export const isSettled = (message: MessageView): boolean =>
  message.delivery === undefined || SETTLED.includes(message.delivery.state)

/** Holds what was promised against what is. */
export function check(history: History, world: World): Verdict {
  const lost: string[] = []
  const doubled: string[] = []
  const disordered: string[] = []
  const revs: string[] = []
  const unaccounted: string[] = []
  const invented: string[] = []

  const byText = new Map<string, MessageView[]>()
  for (const timeline of world.timelines) {
    let previous = 0
    for (const message of timeline) {
      if (message.rev <= previous) revs.push(`${message.conversation}: ${message.rev} after ${previous}`)
      previous = message.rev
      listOf(byText, textOf(message)).push(message)
    }
  }
  for (const [text, messages] of byText) {
    if (!history.sent.has(text)) invented.push(text)
    if (messages.length > 1) doubled.push(`${text}: ${messages.length} messages`)
  }

  /** The one message of an acknowledged text; undefined, and noted, where there is none. */
  const found = (text: string): MessageView | undefined => {
    const message = byText.get(text)?.[0]
    if (!message) lost.push(text)
    return message
  }
  const inOrder = (who: string, messages: (MessageView | undefined)[]): void => {
    const there = messages.filter((message) => message !== undefined)
    const [first] = there
    for (const [index, message] of there.entries()) {
      const before = there[index - 1]
      if (message.conversation !== first?.conversation)
        disordered.push(`${who}: ${textOf(message)} lies in another conversation`)
      else if (before && before.rev >= message.rev)
        disordered.push(
          `${who}: ${textOf(message)} (${message.rev}) not after ${textOf(before)} (${before.rev})`,
        )
    }
  }
  for (const [customer, texts] of history.webhooks) inOrder(customer, texts.map(found))
  for (const [line, replies] of history.replies)
    inOrder(
      line,
      replies.map(({ text, id }) => {
        const message = found(text)
        if (message && message.id !== id) doubled.push(`${text}: acknowledged as ${id}, is ${message.id}`)
        return message
      }),
    )

  const taken = new Map<string, number>()
  for (const { text } of world.ledger) taken.set(text, (taken.get(text) ?? 0) + 1)
  for (const text of taken.keys()) if (!byText.has(text)) invented.push(`${text}: at the provider only`)
  const outbound = world.timelines.flat().filter((message) => message.delivery !== undefined)
  for (const message of outbound) {
    const text = textOf(message)
    const times = taken.get(text) ?? 0
    if (!isSettled(message)) unaccounted.push(`${text}: ${message.delivery?.state}`)
    if (times > allowedTimes(message)) doubled.push(`${text}: ${times} times at the provider`)
    if (times === 0 && message.delivery && ['sent', 'delivered', 'read'].includes(message.delivery.state))
      lost.push(`${text}: ${message.delivery.state}, and never at the provider`)
  }

  const lastRev = new Map<string, number>()
  for (const { to, text } of world.ledger) {
    const rev = byText.get(text)?.[0]?.rev ?? 0
    const before = lastRev.get(to) ?? 0
    if (rev < before) disordered.push(`${text}: rev ${rev} reached the provider after ${before}`)
    lastRev.set(to, Math.max(rev, before))
  }

  const inState = (state: DeliveryState) =>
    outbound.filter((message) => message.delivery?.state === state).length
  const counts = {
    messages: world.timelines.flat().length,
    uncertain: inState('uncertain'),
    failed: inState('failed'),
    atProvider: world.ledger.length,
  }
  return { lost, doubled, disordered, revs, unaccounted, invented, counts }
}

/** Once; once more for each attempt that ended uncertain and that a person then repeated knowingly. */
function allowedTimes({ delivery }: MessageView): number {
  const attempts = delivery?.attempts ?? []
  return 1 + attempts.slice(0, -1).filter(({ outcome }) => outcome === 'uncertain').length
}

export const textOf = ({ content, id }: MessageView): string =>
  content.type === 'text' ? content.text : `${content.type} ${id}`

function listOf<K, T>(lists: Map<K, T[]>, key: K): T[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

const total = (lists: Map<string, unknown[]>): number =>
  [...lists.values()].reduce((sum, list) => sum + list.length, 0)
