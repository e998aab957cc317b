import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createHttp, type HttpClient } from '../../adapters/http.ts'
import { type SandboxAccounts, sandboxAccounts } from '../../server/sandbox/accounts.ts'
import { type Clock, systemClock } from '../../server/sandbox/clock.ts'
import { createSandbox, type Sandbox } from '../../server/sandbox/sandbox.ts'

/** A webhook that a simulator posted, as the product would get it. */
export interface Hook {
  method: string
  url: string
  headers: Record<string, string | undefined>
  body: Uint8Array
}

/** The simulators on a real port, and a product of a few lines that keeps what it is told. */
export interface World {
  origin: string
  accounts: SandboxAccounts
  sandbox: Sandbox
  http: HttpClient
  hooks: Hook[]
  /** What the product answers its next webhooks with; 200 when used up. */
  answers: number[]
  /** Files that the product offers at `/media/<name>`. */
  media: Map<string, { mime: string; bytes: Uint8Array }>
  api<T>(method: string, path: string, body?: unknown): Promise<T>
  close(): Promise<void>
}

/** A generator of numbers that is the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

export async function createWorld({ clock = systemClock }: { clock?: Clock } = {}): Promise<World> {
  const accounts = sandboxAccounts('a secret of the tests')
  const sandbox = createSandbox({
    clock,
    random: seeded(7),
    log: { info: () => {}, warn: () => {} },
    accounts,
    receipts: { sentAfterMs: 1, deliveredAfterMs: 1 },
  })
  const hooks: Hook[] = []
  const answers: number[] = []
  const media: World['media'] = new Map()
  const app = express()
  app.use('/sandbox', sandbox.router)
  app.get('/media/:name', (request, response) => {
    const file = media.get(request.params.name)
    if (file) response.set('content-type', file.mime).send(Buffer.from(file.bytes))
    else response.sendStatus(404)
  })
  app.get('/hooks/*path', (request, response, next) => {
    const challenge = request.query['hub.challenge']
    if (typeof challenge === 'string') response.type('text/plain').send(challenge)
    else next()
  })
  app.all('/hooks/*path', express.raw({ type: () => true, limit: '1mb' }), (request, response) => {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    )
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    hooks.push({ method: request.method, url: `${origin}${request.originalUrl}`, headers, body })
    response.sendStatus(answers.shift() ?? 200)
  })
  const server = createServer(app)
  const origin = await listen(server)
  const http = createHttp()
  return {
    origin,
    accounts,
    sandbox,
    http,
    hooks,
    answers,
    media,
    async api<T>(method: string, path: string, body?: unknown) {
      const response = await fetch(`${origin}/sandbox/api${path}`, {
        method,
        ...(body instanceof FormData
          ? { body }
          : body !== undefined && {
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify(body),
            }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${response.status} ${text}`)
      return (text ? JSON.parse(text) : undefined) as T
    },
    async close() {
      await http.close()
      await sandbox.close()
      await shut(server)
    },
  }
}

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export async function shut(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** Resolves when a condition holds; asked after every turn of the event loop, for at most 5 s. */
export async function eventually<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const until = Date.now() + 5_000
  for (;;) {
    const value = await condition()
    if (value) return value
    if (Date.now() > until) throw new Error(`Never happened: ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
