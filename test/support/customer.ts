import { createHmac } from 'node:crypto'
import type { SandboxAccounts } from '../../server/sandbox/accounts.ts'
import type { BubbleView, HandsetView, SandboxChannel } from '../../server/sandbox/protocol.ts'
import { request } from './http.ts'

/** A visitor with a phone: writes as a customer does, through the simulated provider and its signed webhook. */
export class Customer {
  readonly name: string
  readonly id: string
  readonly phone: string
  readonly chatId: number
  readonly #sandboxUrl: string

  private constructor(sandboxUrl: string, handset: HandsetView) {
    this.#sandboxUrl = sandboxUrl
    this.name = handset.name
    this.id = handset.id
    this.phone = handset.phone
    this.chatId = handset.chatId
  }

  static async arrive(sandboxUrl: string, name: string, _accounts: SandboxAccounts): Promise<Customer> {
    const { body } = await request<HandsetView>('POST', `${sandboxUrl}/api/handsets`, { body: { name } })
    return new Customer(sandboxUrl, body)
  }

  async writes(
    channel: SandboxChannel,
    text: string,
    more: Record<string, string> = {},
  ): Promise<BubbleView> {
    const form = new FormData()
    for (const [field, value] of Object.entries({ channel, text, ...more })) form.set(field, value)
    return this.#post('messages', form)
  }

  async sendsPicture(
    channel: SandboxChannel,
    bytes: Uint8Array<ArrayBuffer>,
    name = 'photo.png',
  ): Promise<BubbleView> {
    const form = new FormData()
    form.set('channel', channel)
    form.set('media', new Blob([bytes], { type: 'image/png' }), name)
    return this.#post('messages', form)
  }

  async edits(message: string, text: string): Promise<void> {
    await request('PATCH', `${this.#address}/messages/${message}`, { body: { text } })
  }
  async reacts(message: string, emoji: string): Promise<void> {
    await request('PUT', `${this.#address}/messages/${message}/reaction`, { body: { emoji } })
  }
  async reads(channel: SandboxChannel): Promise<void> {
    await request('POST', `${this.#address}/read`, { body: { channel } })
  }
  /** Taps on something a bubble offers. */
  async picks(message: string, choice: string): Promise<void> {
    const { status } = await request('POST', `${this.#address}/messages/${message}/choice`, {
      body: { choice },
    })
    if (status !== 200) throw new Error(`the phone could not pick: ${status}`)
  }
  async takesBack(message: string): Promise<void> {
    await request('DELETE', `${this.#address}/messages/${message}`)
  }
  async blocks(): Promise<void> {
    await request('PUT', `${this.#address}/block`)
  }

  /** What the phone shows on a channel. */
  async sees(channel: SandboxChannel): Promise<BubbleView[]> {
    const { body } = await request<HandsetView>('GET', this.#address)
    return body.chats[channel]
  }

  get #address(): string {
    return `${this.#sandboxUrl}/api/handsets/${this.id}`
  }

  async #post(path: string, form: FormData): Promise<BubbleView> {
    const { status, body } = await request<BubbleView>('POST', `${this.#address}/${path}`, { raw: form })
    if (status !== 201) throw new Error(`the phone could not write: ${status} ${JSON.stringify(body)}`)
    return body
  }
}

/** A signed Twilio webhook, made here so that tests can repeat, reorder and forge it. */
export function twilioWebhook(
  url: string,
  authToken: string,
  fields: Record<string, string>,
): { headers: Record<string, string>; body: string } {
  const signed =
    url +
    Object.keys(fields)
      .sort()
      .map((name) => name + fields[name])
      .join('')
  const signature = createHmac('sha1', authToken).update(signed).digest('base64')
  return {
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    body: new URLSearchParams(fields).toString(),
  }
}

/** The fields of an inbound text message, as Twilio documents them. */
export const inboundSms = (
  account: { accountSid: string; number: string },
  given: { sid: string; from: string; text: string },
): Record<string, string> => ({
  AccountSid: account.accountSid,
  ApiVersion: '2010-04-01',
  Body: given.text,
  From: given.from,
  MessageSid: given.sid,
  NumMedia: '0',
  NumSegments: '1',
  SmsMessageSid: given.sid,
  SmsSid: given.sid,
  SmsStatus: 'received',
  To: account.number,
})
