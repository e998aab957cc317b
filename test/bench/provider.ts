import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerCommands } from './helper-process.ts'

/** Every send is answered after this. */
const ANSWERS_AFTER_MS = 50

const taken = new Map<string, number>()
let lastTakenAt = 0
let count = 0

/** A provider that speaks as much Twilio as sending needs, takes everything, and remembers what. It sends no receipts. */
const server = createServer((request, response) => {
  const answer = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const path = request.url ?? ''
  if (request.method === 'POST' && path.endsWith('/Messages.json')) {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = new URLSearchParams(Buffer.concat(chunks).toString()).get('Body') ?? ''
      const sid = `SM${(++count).toString(16).padStart(32, '0')}`
      setTimeout(() => {
        taken.set(text, (taken.get(text) ?? 0) + 1)
        lastTakenAt = Date.now()
        answer(201, { sid, status: 'queued', error_code: null, error_message: null })
      }, ANSWERS_AFTER_MS)
    })
    return
  }
  request.resume()
  if (path.includes('IncomingPhoneNumbers'))
    answer(200, { incoming_phone_numbers: [{ sid: `PN${'d5'.repeat(16)}` }], sid: `PN${'d5'.repeat(16)}` })
  else answer(200, { sid: `AC${'b3'.repeat(16)}`, status: 'active', type: 'Full', friendly_name: 'Bench' })
})

answerCommands({
  start: async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
  /** How many different texts with this beginning were taken, how many more than once, and when the last one was. */
  taken: async ({ prefix }: { prefix: string }) => {
    const mine = [...taken].filter(([text]) => text.startsWith(prefix))
    return { messages: mine.length, doubled: mine.filter(([, times]) => times > 1).length, lastTakenAt }
  },
})
