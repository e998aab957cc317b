import { Agent } from 'undici'
import { ACCOUNT, sign } from './account.ts'

const CONNECTIONS = 64
const CUSTOMERS = 200
/** A text message of one segment, as most are. */
const TEXT_LENGTH = 120

const line = new Agent({ connections: CONNECTIONS })

export interface Webhook {
  /** Names the message wherever it turns up. */
  text: string
  send(): Promise<number>
}

let serial = 0
/** Which of the bench's processes and runs a message is of; SIDs must not repeat. */
const era = Date.now().toString(16).slice(-10).padStart(10, '0')

/** The next customer's message as Twilio would post it, signed. */
export function nextWebhook(url: string, run: string): Webhook {
  const number = ++serial
  const text = `${run}-${number} `.padEnd(TEXT_LENGTH, 'lorem ipsum ')
  const sid = `SM${era}${number.toString(16).padStart(22, '0')}`
  const from = `+1202555${String(1_000 + (number % CUSTOMERS)).padStart(4, '0')}`
  const fields = new URLSearchParams({
    AccountSid: ACCOUNT.accountSid,
    ApiVersion: '2010-04-01',
    Body: text,
    From: from,
    FromCity: 'WASHINGTON',
    FromCountry: 'US',
    FromState: 'DC',
    MessageSid: sid,
    NumMedia: '0',
    NumSegments: '1',
    SmsMessageSid: sid,
    SmsSid: sid,
    SmsStatus: 'received',
    To: ACCOUNT.number,
  })
  const { origin, pathname } = new URL(url)
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': sign(url, fields),
  }
  const body = fields.toString()
  return {
    text,
    send: async () => {
      const answer = await line.request({ origin, path: pathname, method: 'POST', headers, body })
      await answer.body.dump()
      return answer.statusCode
    },
  }
}
