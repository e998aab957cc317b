import { formOf } from '../../../adapters/twilio/form.ts'
import { signatureOf } from '../../../adapters/twilio/signature.ts'
import { fileView, kindOfFile, type StoredFile } from '../files.ts'
import type { Handset } from '../handsets.ts'
import type { Line } from '../line.ts'
import type { BubbleContent, BubbleView } from '../protocol.ts'
import { Ring } from '../ring.ts'
import type { Stage } from '../stage.ts'

/** A text message of the product's, as Twilio holds it. */
export interface Outbound {
  sid: string
  to: string
  from: string
  body: string
  mediaUrls: string[]
  statusCallback: string | undefined
  service: string | undefined
  createdAt: Date
  status: 'queued' | 'accepted' | 'sent' | 'delivered' | 'read' | 'undelivered'
  errorCode?: number
  /** The phone showed it before it counted as delivered. */
  readEarly?: boolean
}

const MMS_MAX_BYTES = 5 * 1_048_576
/** Answered by Twilio itself. @see https://help.twilio.com/articles/223134027 */
const STOP_WORDS = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT'])
const START_WORDS = new Set(['START', 'YES', 'UNSTOP'])

/** The account's number, its messages, and the way to the phones. */
export class Carrier implements Line {
  /** Where the number's messages go, once told. */
  smsUrl: string | undefined
  /** The address under which the product sees our API: media links must lie there. */
  apiBase = ''
  readonly #stage: Stage
  readonly #messages: Ring<string, Outbound>

  constructor(stage: Stage) {
    this.#stage = stage
    this.#messages = new Ring(stage.keep)
  }

  get(sid: string): Outbound | undefined {
    return this.#messages.get(sid)
  }

  /** The visitor writes. */
  write(handset: Handset, content: BubbleContent): BubbleView {
    const stage = this.#stage
    const sid = `${content.type === 'file' ? 'MM' : 'SM'}${stage.hex(32)}`
    const bubble: BubbleView = {
      id: sid,
      mine: true,
      at: stage.clock.now().toISOString(),
      content,
      edited: false,
      reactions: {},
      mark: 'sent',
    }
    handset.show('sms', bubble)
    this.#keepToOptOut(handset, content)
    const copies = stage.faults.receipts('twilio', 'duplicate') ? 2 : 1
    for (let copy = 0; copy < copies; copy++)
      void this.#post(this.smsUrl, 'message', this.#inboundFields(sid, handset, content)).then((taken) =>
        handset.change('sms', sid, { mark: taken ? 'received' : 'lost' }),
      )
    return bubble
  }

  /** The phone shows its conversation: what was delivered is now read. */
  read(handset: Handset): void {
    for (const { id } of handset.bubbles('sms')) {
      const message = this.#messages.get(id)
      if (!message) continue
      if (message.status === 'delivered') this.#stage.tasks.run(() => this.#advance(message, 'read'))
      else if (message.status !== 'read') message.readEarly = true
    }
  }

  /** Takes a message and follows it. With the fault `before-answer`, resolves only after its receipts are posted. */
  async accept(message: Outbound): Promise<void> {
    const { faults, ledger, tasks, receipts } = this.#stage
    this.#messages.set(message.sid, message)
    const what = message.mediaUrls.length > 0 ? 'media' : 'text'
    ledger.enter({ provider: 'twilio', id: message.sid, to: message.to, what, text: message.body })
    if (faults.receipts('twilio', 'before-answer')) {
      await this.#deliver(message)
      await this.#advance(message, 'sent')
      await this.#advance(message, 'delivered')
      return
    }
    const reorder = faults.receipts('twilio', 'reorder')
    tasks.run(async () => {
      await tasks.delay(receipts.sentAfterMs)
      const carried = await this.#deliver(message)
      if (!carried) return this.#advance(message, 'undelivered')
      if (!reorder) await this.#advance(message, 'sent')
      await tasks.delay(receipts.deliveredAfterMs)
      await this.#advance(message, 'delivered')
      if (reorder) await this.#tell(message, 'sent')
      if (message.readEarly) await this.#advance(message, 'read')
    })
  }

  /** A text to a phone, on its screen where there is one. @returns false where a file cannot be had */
  async #deliver(message: Outbound): Promise<boolean> {
    const fetched = await this.#fetch(message.mediaUrls)
    if (!fetched) {
      message.errorCode = MEDIA_FAILED
      return false
    }
    const handset = this.#stage.handsets.ofPhone(message.to)
    if (!handset) return true
    const files = fetched.map(({ name, mime, bytes }) => this.#stage.files.add(name, mime, bytes))
    for (const [index, content] of contentsOf(message.body, files).entries())
      handset.show('sms', this.#theirs(index === 0 ? message.sid : `${message.sid}:${index}`, content))
    return true
  }

  /** @returns undefined where one of them cannot be had */
  async #fetch(urls: string[]): Promise<{ name: string; mime: string; bytes: Buffer }[] | undefined> {
    const fetched = []
    for (const url of urls) {
      const file = this.#isProducts(url) ? await this.#stage.courier.fetch(url, MMS_MAX_BYTES) : undefined
      if (!file) return undefined
      fetched.push({ ...file, name: nameOf(url, file.mime) })
    }
    return fetched
  }

  async #advance(message: Outbound, status: Outbound['status']): Promise<void> {
    message.status = status
    await this.#tell(message, status)
  }

  /** @see https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks */
  async #tell(message: Outbound, status: Outbound['status']): Promise<void> {
    const { faults } = this.#stage
    if (!message.statusCallback || faults.receipts('twilio', 'drop')) return
    const fields = {
      ApiVersion: '2010-04-01',
      AccountSid: this.#stage.accounts.twilio.accountSid,
      SmsSid: message.sid,
      MessageSid: message.sid,
      SmsStatus: status,
      MessageStatus: status,
      To: message.to,
      From: message.from,
      ...(message.service && { MessagingServiceSid: message.service }),
      ...(message.errorCode && { ErrorCode: String(message.errorCode) }),
      // Only phones with RCS tell of reading; the sandbox's have it.
      ...(status === 'read' && { EventType: 'READ', ChannelPrefix: 'rcs', ChannelToAddress: message.to }),
    }
    const copies = faults.receipts('twilio', 'duplicate') ? 2 : 1
    for (let copy = 0; copy < copies; copy++)
      await this.#post(message.statusCallback, `status: ${status}`, fields, message.sid)
  }

  /** By default Twilio tries again once, and only where it could not connect. */
  #post(
    url: string | undefined,
    what: string,
    fields: Record<string, string>,
    lane?: string,
  ): Promise<boolean> {
    if (!url) return Promise.resolve(false)
    const body = formOf(fields)
    const { authToken } = this.#stage.accounts.twilio
    return this.#stage.courier.send({
      provider: 'twilio',
      what,
      url,
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        'x-twilio-signature': signatureOf(url, new URLSearchParams(body), authToken),
        'i-twilio-idempotency-token': this.#stage.hex(32),
      },
      body,
      lane: `twilio:${lane ?? fields.MessageSid ?? this.#stage.hex(8)}`,
      retry: (attempt, { status }) => (attempt === 1 && status === undefined ? 0 : undefined),
    })
  }

  /** @see https://www.twilio.com/docs/messaging/guides/webhook-request */
  #inboundFields(sid: string, handset: Handset, content: BubbleContent): Record<string, string> {
    const { accountSid, number } = this.#stage.accounts.twilio
    return {
      ToCountry: 'US',
      ToState: '',
      SmsMessageSid: sid,
      NumMedia: content.type === 'file' ? '1' : '0',
      ToCity: '',
      FromZip: '',
      SmsSid: sid,
      FromState: '',
      SmsStatus: 'received',
      FromCity: '',
      Body: textOf(content),
      FromCountry: 'US',
      To: number,
      ToZip: '',
      NumSegments: '1',
      MessageSid: sid,
      AccountSid: accountSid,
      From: handset.phone,
      ApiVersion: '2010-04-01',
      ...(content.type === 'file' && {
        MediaContentType0: content.file.mime,
        MediaUrl0: `${this.apiBase}/2010-04-01/Accounts/${accountSid}/Messages/${sid}/Media/ME${content.file.id}`,
      }),
    }
  }

  #keepToOptOut(handset: Handset, content: BubbleContent): void {
    const word = content.type === 'text' ? content.text.trim().toUpperCase() : ''
    const notice = STOP_WORDS.has(word) ? UNSUBSCRIBED : START_WORDS.has(word) ? RESUBSCRIBED : undefined
    const stop = notice === UNSUBSCRIBED
    if (!notice || handset.blocked.sms === stop) return
    handset.block('sms', stop)
    handset.show('sms', this.#theirs(`SM${this.#stage.hex(32)}`, { type: 'notice', text: notice }))
  }

  #theirs(id: string, content: BubbleContent): BubbleView {
    const at = this.#stage.clock.now().toISOString()
    return { id, mine: false, at, content, edited: false, reactions: {} }
  }

  /** The simulator fetches from the product alone, whatever address it is given. */
  #isProducts(url: string): boolean {
    if (!URL.canParse(url)) return false
    const { origin } = new URL(url)
    return [this.smsUrl, this.apiBase].some((one) => one && new URL(one).origin === origin)
  }
}

/** Told where Twilio could not fetch a file. */
const MEDIA_FAILED = 63019
const UNSUBSCRIBED =
  'You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.'
const RESUBSCRIBED =
  'You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe.'

/** The text goes with the first file. */
function contentsOf(body: string, files: StoredFile[]): BubbleContent[] {
  if (files.length === 0) return [{ type: 'text', text: body }]
  return files.map((file, index) => ({
    type: 'file',
    kind: kindOfFile(file.mime),
    file: fileView(file),
    ...(index === 0 && body && { caption: body }),
  }))
}

function textOf(content: BubbleContent): string {
  switch (content.type) {
    case 'text':
    case 'notice':
      return content.text
    case 'file':
      return content.caption ?? ''
    case 'location':
      return `https://maps.google.com/?q=${content.latitude},${content.longitude}`
    case 'contact':
      return `${content.name} ${content.phone}`
    case 'offer':
      return content.text
  }
}

const nameOf = (url: string, mime: string): string => {
  const last = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '')
  return last.includes('.') ? last : `file.${mime.split('/')[1] ?? 'bin'}`
}
