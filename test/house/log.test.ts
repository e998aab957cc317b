import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLog, scrub } from '../../server/log.ts'

/** What a log line must never hold, under the names it goes by in our code. */
const PERSONAL: Record<string, string> = {
  phone: '+14155552671',
  address: '+14155552671',
  from: '+14155552671',
  to: '+14155552671',
  sender: '+14155552671',
  name: 'Ada Lovelace',
  username: 'ada_lovelace',
  email: 'ada@example.org',
  text: 'my account number is 12',
  caption: 'me at the sea',
  body: 'the whole webhook',
  content: 'what she wrote',
  preview: 'what she wr',
  password: 'correct horse battery',
  token: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw',
  accessToken: 'eyJhbGciOiJIUzI1NiJ9.e30.x',
  refreshToken: '01a2053c-d272-77bc-ad39-17d153074b39.secret',
  authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9',
  cookie: 'sid=1',
  credentials: '{"authToken":"f00"}',
  secret: 'a secret',
  authToken: '0123456789abcdef0123456789abcdef',
  webhookSecret: 'hush',
}

function lines(say: (log: ReturnType<typeof createLog>) => void): string {
  const written: string[] = []
  say(createLog('trace', { write: (line) => written.push(line) }))
  expect(written).not.toHaveLength(0)
  return written.join('')
}
const escaped = (value: string) => JSON.stringify(value).slice(1, -1)

describe('what is personal does not come through', () => {
  const fields = fc.constantFrom(...Object.keys(PERSONAL))
  const levels = fc.constantFrom('debug', 'info', 'warn', 'error', 'fatal')
  const holders = fc.constantFrom('message', 'contact', 'route', 'agent', 'reply', 'all')
  /** Objects and lists around it, as deep as our documents are. */
  const path = fc.array(fc.record({ holder: holders, list: fc.boolean() }), { maxLength: 2 })
  const wrap = (field: string, around: { holder: string; list: boolean }[]): object =>
    around.reduce<object>(
      (inner, { holder, list }) => ({ [holder]: list && around.length < 2 ? [inner] : inner }),
      { [field]: PERSONAL[field] },
    )

  test('in the fields of a line, however it is wrapped', () => {
    fc.assert(
      fc.property(fields, levels, path, (field, level, around) => {
        const written = lines((log) => log[level as 'info']({ event: 'x', ...wrap(field, around) }, 'said'))
        expect(written).not.toContain(escaped(PERSONAL[field] ?? ''))
        expect(written).toContain('"event":"x"')
      }),
      { numRuns: 500 },
    )
  })

  test('whatever it is: any text, under any of the names', () => {
    fc.assert(
      fc.property(fields, fc.string({ minLength: 8 }), (field, value) => {
        const secret = `§${value}§`
        expect(lines((log) => log.info({ [field]: secret, inner: { [field]: secret } }))).not.toContain(
          escaped(secret),
        )
      }),
    )
  })

  test('in what a child log carries along', () => {
    for (const [field, value] of Object.entries(PERSONAL))
      expect(lines((log) => log.child({ part: 'x', [field]: value }).info('said'))).not.toContain(
        escaped(value),
      )
  })

  test('in the message of an error, and in what hangs on it', () => {
    const token = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw'
    const sentences = [
      ['no answer from +1 (415) 555-2671', '555-2671'],
      ['no answer from +447911123456', '447911123456'],
      [`GET https://api.telegram.org/bot${token}/getMe failed`, 'AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw'],
      [`bad token ${token}`, 'AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw'],
      ['cannot reach mongodb://nexus:hunter22@db1/nexus', 'hunter22'],
      ['redis://:hunter22@cache:6379 refused', 'hunter22'],
    ] as const
    for (const [sentence, secret] of sentences) {
      const error = Object.assign(new Error(sentence), { response: { text: 'what she wrote' }, code: 'E_X' })
      const written = lines((log) => log.error({ event: 'x', error }, 'failed'))
      expect(written).not.toContain(secret)
      expect(written).not.toContain('what she wrote')
      expect(written).toContain('E_X')
    }
  })

  test('in an error that quotes a document', () => {
    const error = Object.assign(new Error('E11000 duplicate key { address: "ada@example.org" }'), {
      name: 'MongoServerError',
      code: 11000,
    })
    const written = lines((log) => log.error({ error }))
    expect(written).not.toContain('ada@example.org')
    expect(written).toContain('11000')
  })

  test('numbers in any of the ways people write them', () => {
    const digits = fc.stringMatching(/^[1-9]\d{9,13}$/)
    const written = fc.constantFrom(
      (number: string) => `+${number}`,
      (number: string) => number,
      (number: string) => `+${number.slice(0, 2)} ${number.slice(2, 5)} ${number.slice(5)}`,
      (number: string) => `(${number.slice(0, 3)}) ${number.slice(3, 6)}-${number.slice(6)}`,
    )
    fc.assert(
      fc.property(digits, written, (number, write) => {
        expect(scrub(`to ${write(number)}: busy`).replace(/\D/g, '').length).toBeLessThan(4)
      }),
    )
  })
})

test('what operators need does come through', () => {
  const given = {
    event: 'message.received',
    conversation: '01a2053c-d272-77bc-ad39-17d153074b39',
    rev: 7,
    provider: 'telegram',
  }
  const line = JSON.parse(lines((log) => log.info(given, 'a sentence')))
  expect(line).toMatchObject({ ...given, level: 'info', msg: 'a sentence' })
  expect(Date.parse(line.time)).not.toBeNaN()
})
