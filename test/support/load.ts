import type { InboxId } from '../../models/ids.ts'
import type { SandboxAccounts } from '../../server/sandbox/accounts.ts'
import { inboundSms, twilioWebhook } from './customer.ts'

/** Posts signed text messages straight to a node's webhook, as Twilio would; as often and in whatever order a test likes. */
export class TwilioPost {
  readonly #nodeUrl: string
  readonly #publicUrl: string
  readonly #inbox: InboxId
  readonly #account: SandboxAccounts['twilio']

  /** `publicUrl` is the address the signature speaks of; `nodeUrl` the one that is really called. */
  constructor(given: {
    nodeUrl: string
    publicUrl?: string
    inbox: InboxId
    account: SandboxAccounts['twilio']
  }) {
    this.#nodeUrl = given.nodeUrl
    this.#publicUrl = given.publicUrl ?? given.nodeUrl
    this.#inbox = given.inbox
    this.#account = given.account
  }

  message(given: { sid: string; from: string; text: string }): Promise<number> {
    return this.post(inboundSms(this.#account, given))
  }

  /** A delivery receipt; `attempt` is what the callback address of the send carried. */
  status(given: {
    sid: string
    to: string
    status: string
    attempt?: string
    errorCode?: string
  }): Promise<number> {
    return this.post(
      {
        AccountSid: this.#account.accountSid,
        ApiVersion: '2010-04-01',
        From: this.#account.number,
        MessageSid: given.sid,
        MessageStatus: given.status,
        SmsSid: given.sid,
        SmsStatus: given.status,
        To: given.to,
        ...(given.errorCode ? { ErrorCode: given.errorCode } : {}),
      },
      given.attempt ? `?attempt=${encodeURIComponent(given.attempt)}` : '',
    )
  }

  async post(fields: Record<string, string>, query = ''): Promise<number> {
    const path = `/api/v1/sms/webhook/twilio/${this.#inbox}${query}`
    const { headers, body } = twilioWebhook(this.#publicUrl + path, this.#account.authToken, fields)
    const answer = await fetch(this.#nodeUrl + path, { method: 'POST', headers, body })
    await answer.arrayBuffer()
    return answer.status
  }
}

/** An id in Twilio's form, the same for the same number. */
export const sid = (number: number): string => `SM${number.toString(16).padStart(32, '0')}`
/** A phone number of its own for each customer. */
export const phone = (number: number): string => `+1415555${String(number).padStart(4, '0')}`
