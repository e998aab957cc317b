import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type Adapter,
  type Call,
  Forged,
  type OutboundMessage,
  Unreadable,
  type WebhookRequest,
} from '../../adapters/adapter.ts'
import type { ProviderEvent } from '../../adapters/events.ts'
import { misfit } from '../../adapters/fit.ts'
import type { Outcome } from '../../adapters/outcomes.ts'
import type { AttemptKey, MediaId } from '../../models/ids.ts'
import type { FaultView } from '../../server/sandbox/protocol.ts'
import { CONTENT_TYPES } from './content-types.ts'
import { createWorld, listen, shut, type World } from './world.ts'

/** What the suite must know of an adapter to try it. */
export interface Fixture<C> {
  adapter: Adapter<C>
  credentials: C
  /** Request of the provider's own making, over this body. */
  genuine(body: string): WebhookRequest
  /** The header that proves it. */
  proof: string
  /** Whether the proof covers the body. Where it does not, the reason. */
  signsBody: true | string
  /** A body's meaning: two spellings of the same are no forgery. */
  meaning(body: string): unknown
  /** Recorded or documented payloads, each with what it tells. */
  payloads: Payload[]
  /** One change to a payload: something missing, null, of another type, hostile. */
  mutation(body: string): fc.Arbitrary<string>
  /** Adds a field the provider has not invented yet. */
  withUnknownField(body: string): string
  /** A payload of a text that the contact wrote. */
  textPayload(text: string): string
  /** The sandbox's account: how to call it, and a message that it takes. */
  sandbox(world: World): Promise<{ call: Call<C>; message: OutboundMessage }>
  secrets(call: Call<C>): string[]
  /** What a wait of seven seconds comes to, for providers that tell it in something coarser; milliseconds. */
  sevenSeconds?: number
}

export interface Payload {
  /** A file in `payloads/`. */
  file: string
  events: ProviderEvent[]
}

export const payload = (file: string): string =>
  readFileSync(join(import.meta.dirname, 'payloads', file), 'utf8').trimEnd()

const RUNS = 10_000
const SEED = 20_261_122

/** The suite that every adapter must pass. */
export function adapterContract<C>(fixture: Fixture<C>): void {
  const { adapter, credentials, genuine } = fixture
  const [first] = fixture.payloads
  if (!first) throw new Error('A fixture needs payloads.')
  const sample = payload(first.file)

  describe('verify', () => {
    it('takes what the provider made', () => {
      for (const { file } of fixture.payloads) adapter.verify(genuine(payload(file)), credentials)
    })

    it('refuses a missing, empty or other proof', () => {
      const request = genuine(sample)
      for (const proof of [undefined, '', 'x', `${request.headers[fixture.proof]}x`]) {
        const forged = { ...request, headers: { ...request.headers, [fixture.proof]: proof } }
        expect(() => adapter.verify(forged, credentials)).toThrow(Forged)
      }
    })

    it('refuses a proof of which any character was changed', () => {
      const request = genuine(sample)
      const proof = request.headers[fixture.proof] ?? ''
      for (let at = 0; at < proof.length; at++) {
        const other = proof[at] === 'A' ? 'B' : 'A'
        const changed = proof.slice(0, at) + other + proof.slice(at + 1)
        const forged = { ...request, headers: { ...request.headers, [fixture.proof]: changed } }
        expect(() => adapter.verify(forged, credentials)).toThrow(Forged)
      }
    })

    const everyByte = 'refuses a body of which any single byte was changed'
    if (fixture.signsBody !== true) it.skip(`${everyByte}: ${fixture.signsBody}`)
    else
      it(everyByte, () => {
        const request = genuine(sample)
        for (let at = 0; at < request.body.length; at++)
          for (const change of [1, 2, 4, 8, 16, 32, 64, 128]) {
            const body = Uint8Array.from(request.body)
            body[at] = (body[at] ?? 0) ^ change
            const text = new TextDecoder().decode(body)
            try {
              adapter.verify({ ...request, body }, credentials)
            } catch (error) {
              expect(error).toBeInstanceOf(Forged)
              continue
            }
            expect(fixture.meaning(text), text).toEqual(fixture.meaning(sample))
          }
      })
  })

  describe('parse', () => {
    it.each(fixture.payloads)('tells what $file tells', ({ file, events }) => {
      expect(adapter.parse(genuine(payload(file)))).toEqual(events)
    })

    it.each(fixture.payloads)('tolerates a new field in $file', ({ file, events }) => {
      expect(adapter.parse(genuine(fixture.withUnknownField(payload(file))))).toEqual(events)
    })

    it('throws nothing but Unreadable, whatever is missing, null or wrong', () => {
      const mutated = fc
        .constantFrom(...fixture.payloads)
        .chain(({ file }) => fixture.mutation(payload(file)))
      fc.assert(
        fc.property(mutated, (body) => {
          expect(told(genuine(body))).toSatisfy((events) => events === null || Array.isArray(events))
          expect(({} as Record<string, unknown>).polluted).toBeUndefined()
        }),
        { numRuns: RUNS, seed: SEED },
      )
    })

    it('throws nothing but Unreadable for bytes that are no payload at all', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (body) => {
          expect(told({ ...genuine(sample), body })).toSatisfy(
            (events) => events === null || Array.isArray(events),
          )
        }),
        { numRuns: RUNS / 10, seed: SEED },
      )
    })

    it.each([
      ['emoji', '👩‍👩‍👧‍👦 🏴‍☠️ 🇰🇪'],
      ['right to left', 'مرحبا \u202Eabc שלום'],
      ['a megabyte', 'ä'.repeat(500_000)],
      ['markup', '<script>alert(1)</script>&amp;'],
      ['controls', 'a\u0000b\nc\td'],
    ])('keeps a text of %s as it is', (_name, text) => {
      const [event] = adapter.parse(genuine(fixture.textPayload(text)))
      expect(event).toMatchObject({ kind: 'message', content: { type: 'text', text } })
    })

    function told(request: WebhookRequest): ProviderEvent[] | null {
      try {
        return adapter.parse(request)
      } catch (error) {
        if (error instanceof Unreadable) return null
        throw error
      }
    }
  })

  describe('capabilities', () => {
    it('name only kinds of content that there are, with limits above nothing', () => {
      for (const [type, ability] of Object.entries(adapter.capabilities.content)) {
        expect(CONTENT_TYPES).toContain(type)
        expect(ability.maxBytes ?? 1).toBeGreaterThan(0)
        expect(ability.maxLength ?? 0).toBeGreaterThanOrEqual(0)
      }
    })

    it('carry text, and refuse one over the limit in a sentence', () => {
      const limit = adapter.capabilities.content.text?.maxLength ?? 0
      expect(misfit({ type: 'text', text: 'a'.repeat(limit) }, adapter.capabilities)).toBeNull()
      expect(misfit({ type: 'text', text: 'a'.repeat(limit + 1) }, adapter.capabilities)).toMatch(/Too long/)
    })
  })

  describe('credentials', () => {
    it('are asked for field by field, each with words for a person', () => {
      const asked = adapter.asks.map(({ name }) => name)
      expect(asked).toEqual([...new Set(asked)])
      expect(asked).toEqual(expect.arrayContaining(Object.keys(credentials as object)))
      const required = adapter.asks.filter(({ optional }) => !optional)
      for (const { name, label } of required) {
        expect(label).toMatch(/^[A-Z]/)
        const without = { ...credentials, [name]: undefined }
        expect(adapter.credentials.safeParse(without).success, name).toBe(false)
      }
    })

    it('are taken as they are, and nothing else is', () => {
      expect(adapter.credentials.parse(credentials)).toEqual(credentials)
      for (const wrong of [null, {}, [], '', 5])
        expect(adapter.credentials.safeParse(wrong).success).toBe(false)
    })
  })

  describe('send', () => {
    let world: World
    let call: Call<C>
    let message: OutboundMessage
    beforeAll(async () => {
      world = await createWorld()
      ;({ call, message } = await fixture.sandbox(world))
    })
    afterEach(() => world.api('DELETE', '/faults'))
    afterAll(() => world.close())

    const fault = (one: Partial<FaultView> & { kind: FaultView['kind'] }): Promise<FaultView> =>
      world.api('POST', '/faults', { provider: adapter.provider, ...one })

    /** A send to something else that listens where the provider should. */
    async function sendTo(answer: (response: import('node:http').ServerResponse) => void): Promise<Outcome> {
      const server = createServer((request, response) => request.resume().on('end', () => answer(response)))
      const apiBase = await listen(server)
      try {
        return await sendWith({ ...call, apiBase })
      } finally {
        await shut(server)
      }
    }

    async function sendWith(used: Call<C>): Promise<Outcome> {
      const outcome = await adapter.send(message, used)
      for (const secret of fixture.secrets(call)) expect(JSON.stringify(outcome)).not.toContain(secret)
      if (outcome.outcome !== 'accepted') expect(outcome.reason).toMatch(/^[A-Z0-9].+\.$/)
      return outcome
    }
    const send = (): Promise<Outcome> => sendWith(call)
    const impatient = (): Promise<Outcome> =>
      sendWith({ ...call, http: { request: (one) => call.http.request({ ...one, timeoutMs: 150 }) } })

    it('is accepted, and named', async () => {
      const outcome = await send()
      expect(outcome).toMatchObject({ outcome: 'accepted', providerId: expect.stringMatching(/.+/) })
    })

    it('is unavailable where the connection is refused', async () => {
      const server = createServer()
      const apiBase = await listen(server)
      await shut(server)
      expect(await sendWith({ ...call, apiBase })).toMatchObject({
        outcome: 'unavailable',
        code: 'connection_refused',
      })
    })

    it('is unavailable where the host has no address', async () => {
      expect(await sendWith({ ...call, apiBase: 'http://nowhere.invalid' })).toMatchObject({
        outcome: 'unavailable',
      })
    })

    it('is uncertain where the connection is reset after the request', async () => {
      await fault({ kind: 'reset' })
      expect(await send()).toMatchObject({ outcome: 'uncertain', code: 'connection_reset' })
    })

    it('is uncertain where the provider took it and the answer was lost', async () => {
      const before = await accepted()
      await fault({ kind: 'accept-then-drop' })
      expect(await send()).toMatchObject({ outcome: 'uncertain' })
      expect(await accepted()).toBe(before + 1)
    })

    it('is uncertain where the provider hangs', async () => {
      await fault({ kind: 'hang' })
      expect(await impatient()).toMatchObject({ outcome: 'uncertain', code: 'timeout' })
    })

    it('is uncertain where the answer makes no sense', async () => {
      await fault({ kind: 'garbage' })
      expect(await send()).toMatchObject({ outcome: 'uncertain' })
    })

    it.each(['', '{}', 'null', '[]', '{"ok":true}', '{"sid":5}', '{"ok":true,"result":{"message_id":"x"}}'])(
      'is uncertain for a 200 that says %j',
      async (text) => {
        expect(await sendTo((response) => response.end(text))).toMatchObject({ outcome: 'uncertain' })
      },
    )

    it('is uncertain where the answer is cut short', async () => {
      const outcome = await sendTo((response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"ok":')
        setImmediate(() => response.destroy())
      })
      expect(outcome).toMatchObject({ outcome: 'uncertain' })
    })

    it('is uncertain where the answer has no end', async () => {
      const outcome = await sendTo((response) => {
        const more = (): void => {
          if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more)
          else response.once('drain', more)
        }
        more()
      })
      expect(outcome).toMatchObject({ outcome: 'uncertain', code: 'answer_too_large' })
    })

    it('is not led away by a redirect', async () => {
      let visits = 0
      const outcome = await sendTo((response) => {
        visits++
        response.writeHead(302, { location: '/elsewhere' }).end()
      })
      expect(outcome.outcome).not.toBe('accepted')
      expect(visits).toBe(1)
    })

    it('is rate-limited by a 429, for as long as it says', async () => {
      await fault({ kind: 'status', status: 429, retryAfter: 7 })
      expect(await send()).toMatchObject({
        outcome: 'rate-limited',
        retryAfterMs: fixture.sevenSeconds ?? 7_000,
      })
    })

    it('is rate-limited by a 429 that does not say for how long', async () => {
      await fault({ kind: 'status', status: 429 })
      const outcome = await send()
      expect(outcome).toMatchObject({ outcome: 'rate-limited' })
      expect(outcome).not.toHaveProperty('retryAfterMs')
    })

    it('is unavailable by an error in the provider’s own words', async () => {
      await fault({ kind: 'status', status: 500 })
      expect(await send()).toMatchObject({ outcome: 'unavailable' })
    })

    it.each([500, 502, 504])('is uncertain by a %i of something in between', async (status) => {
      const outcome = await sendTo((response) => response.writeHead(status).end('<h1>Bad Gateway</h1>'))
      expect(outcome).toMatchObject({ outcome: 'uncertain' })
    })

    it('is unavailable by a 503 of something in between', async () => {
      const outcome = await sendTo((response) => response.writeHead(503).end())
      expect(outcome).toMatchObject({ outcome: 'unavailable' })
    })

    it.each([401, 404])('needs attention by a %i', async (status) => {
      await fault({ kind: 'status', status })
      expect(await send()).toMatchObject({ outcome: 'unavailable', needsAttention: true })
    })

    it('says nothing of a time-out to the next', async () => {
      await fault({ kind: 'hang', left: undefined })
      await impatient()
      await world.api('DELETE', '/faults')
      expect(await send()).toMatchObject({ outcome: 'accepted' })
    })

    async function accepted(): Promise<number> {
      const ledger = await world.api<{ accepted: Record<string, number> }>('GET', '/ledger')
      return ledger.accepted[adapter.provider] ?? 0
    }
  })
}

/** Everything of a call but what the adapter's own fixture knows. */
export const callWith = <C>(
  world: World,
  parts: Pick<Call<C>, 'credentials' | 'sender' | 'apiBase'>,
): Call<C> => ({
  ...parts,
  http: world.http,
  attemptKey: 'attempt-1' as AttemptKey,
  statusUrl: `${world.origin}/hooks/status?attempt=attempt-1`,
  media: {
    bytes: async (id: MediaId) => {
      const file = world.media.get(id)
      if (!file) throw new Error('no such file')
      return file.bytes
    },
    url: (id: MediaId) => `${world.origin}/media/${id}`,
  },
})
