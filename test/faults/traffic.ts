import { randomUUID } from 'node:crypto'
import type { MessageView } from '../../server/realtime/protocol.ts'
import type { History } from '../support/checker.ts'
import { Customer, inboundSms, twilioWebhook } from '../support/customer.ts'
import { eventually } from '../support/eventually.ts'
import { request } from '../support/http.ts'
import type { Installation } from './installation.ts'

/** How often each customer writes, and how often an agent answers each of them. */
const WRITES_EVERY_MS = 120
const ANSWERS_EVERY_MS = 250
/** A provider and a browser that got no answer try the very same again: soon at first, then less often. */
const AGAIN_AFTER_MS = 50
const AGAIN_AT_LATEST_MS = 400
/** Beyond those the simulated phones give out. */
const FIRST_MESSAGE_ID = 1_000_000

type Channel = 'telegram' | 'sms'
interface Line {
  customer: Customer
  channel: Channel
  /** As the product calls them. */
  address: string
  count: number
  conversation: string
}

/**
 * Customers who write through signed webhooks and agents who answer through the API, each line one message at a time:
 * whatever is not acknowledged is sent again, byte for byte, until it is. All of it is recorded.
 */
export class Traffic {
  readonly #installation: Installation
  readonly #history: History
  readonly #lines: Line[]
  readonly #running: Promise<void>[] = []
  #stopping = false
  /** Requests that went unanswered or were refused, and were repeated. */
  repeated = 0

  private constructor(installation: Installation, history: History, lines: Line[]) {
    this.#installation = installation
    this.#history = history
    this.#lines = lines
  }

  /** Every customer says hello, so that there are conversations to answer in. */
  static async begin(installation: Installation, history: History, customers: number): Promise<Traffic> {
    const { sandboxUrl, accounts } = installation
    const lines: Line[] = []
    for (let index = 0; index < customers; index++) {
      const customer = await Customer.arrive(sandboxUrl, `Customer ${index}`, accounts)
      const channel: Channel = index % 2 === 0 ? 'sms' : 'telegram'
      const address = channel === 'sms' ? customer.phone : String(customer.chatId)
      lines.push({ customer, channel, address, count: 0, conversation: '' })
    }
    for (const { customer, channel } of lines) {
      const hello = `hello from ${customer.id}`
      history.sending(hello)
      await customer.writes(channel, hello) // by the phone itself: a bot may not write to whoever never wrote to it
    }
    await eventually(async () => {
      const known = await installation.conversations()
      for (const line of lines) line.conversation = known.get(line.address) ?? ''
      return lines.every(({ conversation }) => conversation !== '')
    })
    return new Traffic(installation, history, lines)
  }

  get lines(): readonly Line[] {
    return this.#lines
  }

  /** Starts the load; the lines are spread over the first beat. */
  start(): void {
    for (const [index, line] of this.#lines.entries()) {
      const offset = index / this.#lines.length
      this.#running.push(
        this.#repeat(WRITES_EVERY_MS, offset, () => this.write(line)),
        this.#repeat(ANSWERS_EVERY_MS, offset, () => this.answer(line)),
      )
    }
  }

  /** Ends when everything under way is acknowledged: the server has to be up. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#running)
  }

  /** One message of the customer's, repeated until it is acknowledged. Now and then once more, as providers do. */
  async write(line: Line): Promise<void> {
    const number = ++line.count
    const text = `${line.address} writes ${number}`
    const post = this.#webhook(line, number, text)
    this.#history.sending(text)
    await this.#untilTaken(async () => (await post()).status === 200)
    this.#history.webhookAcknowledged(line.address, text)
    if (number % 10 === 0) await post().catch(() => {})
  }

  /** One answer of the agent's, repeated under the same `clientId` until it is acknowledged. */
  async answer(line: Line): Promise<void> {
    const clientId = randomUUID()
    const text = `answer ${clientId}`
    this.#history.sending(text)
    const body = { clientId, content: { type: 'text', text } }
    await this.#untilTaken(async () => {
      const path = `/conversations/${line.conversation}/messages`
      const answer = await this.#installation.api<MessageView>('POST', path, body)
      if (answer.status !== 201 && answer.status !== 200) return false
      this.#history.replyAcknowledged(line.address, text, answer.body.id)
      return true
    })
  }

  async #untilTaken(attempt: () => Promise<boolean>): Promise<void> {
    for (let wait = AGAIN_AFTER_MS; !(await attempt().catch(() => false)); wait *= 2) {
      this.repeated++
      await pause(Math.min(wait, AGAIN_AT_LATEST_MS))
    }
  }

  async #repeat(everyMs: number, offset: number, work: () => Promise<void>): Promise<void> {
    await pause(everyMs * offset)
    while (!this.#stopping) {
      await work()
      await pause(everyMs)
    }
  }

  /** The same request each time it is called. */
  #webhook(line: Line, number: number, text: string): () => Promise<{ status: number }> {
    const { accounts, webhookUrls } = this.#installation
    const url = webhookUrls[line.channel]
    const { customer } = line
    if (line.channel === 'sms') {
      const sid = `SM${randomUUID().replaceAll('-', '')}`
      const fields = inboundSms(accounts.twilio, { sid, from: customer.phone, text })
      const { headers, body } = twilioWebhook(url, accounts.twilio.authToken, fields)
      return () => request('POST', url, { headers, raw: body })
    }
    const person = { id: customer.chatId, first_name: customer.name }
    const update = {
      update_id: customer.chatId + number,
      message: {
        message_id: FIRST_MESSAGE_ID + number,
        date: Math.floor(Date.now() / 1000),
        from: { ...person, is_bot: false },
        chat: { ...person, type: 'private' },
        text,
      },
    }
    const headers = {
      'content-type': 'application/json',
      'x-telegram-bot-api-secret-token': accounts.telegram.webhookSecret,
    }
    return () => request('POST', url, { headers, raw: JSON.stringify(update) })
  }
}

/** The beat of the load, not a wait for an outcome. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
