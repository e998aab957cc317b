import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import type { InboxView, MessageView } from '../../server/realtime/protocol.ts'
import { type SandboxAccounts, sandboxAccounts } from '../../server/sandbox/accounts.ts'
import { systemClock } from '../../server/sandbox/clock.ts'
import { createSandbox, type Sandbox } from '../../server/sandbox/sandbox.ts'
import { isSettled, type Taken, textOf } from '../support/checker.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, request } from '../support/http.ts'
import { NodeProcess } from '../support/node-process.ts'
import { seeded } from '../support/random.ts'
import { freePort } from '../support/redis.ts'
import { listen } from '../support/world.ts'

const PASSWORD = 'correct horse battery staple'
const EMAIL = 'admin@nexus.local'
const SECRET = 'a-secret-for-tests-only-that-is-long-enough'

interface Conversation {
  id: string
  contact: { address: string }
}

/**
 * A server process over its own data, connected to simulated providers that live here, in the test's process: whatever
 * happens to the server, what they took is remembered.
 */
export class Installation {
  readonly node: NodeProcess
  readonly accounts: SandboxAccounts
  readonly sandbox: Sandbox
  readonly #providers: Server
  readonly sandboxUrl: string
  readonly #dataDir: string
  readonly #publicUrl: string
  #token = ''
  #address = 0
  webhookUrls = { telegram: '', sms: '' }

  private constructor(given: {
    node: NodeProcess
    accounts: SandboxAccounts
    sandbox: Sandbox
    providers: Server
    sandboxUrl: string
    dataDir: string
    publicUrl: string
  }) {
    this.node = given.node
    this.accounts = given.accounts
    this.sandbox = given.sandbox
    this.#providers = given.providers
    this.sandboxUrl = given.sandboxUrl
    this.#dataDir = given.dataDir
    this.#publicUrl = given.publicUrl
  }

  /** @param publicUrl where the world reaches the server, if not directly (a proxy), from the port it will listen on */
  static async start(publicUrl?: (port: number) => Promise<string>): Promise<Installation> {
    const dataDir = mkdtempSync(join(tmpdir(), 'nexus-faults-'))
    const port = await freePort()
    const accounts = sandboxAccounts(randomUUID())
    const sandbox = createSandbox({
      accounts,
      clock: systemClock,
      random: seeded(11),
      log: { info() {}, warn() {} },
      keep: 200_000,
      receipts: { sentAfterMs: 5, deliveredAfterMs: 10 },
    })
    const providers = createServer(express().use('/sandbox', sandbox.router))
    const sandboxUrl = `${await listen(providers)}/sandbox`
    const reachedAt = (await publicUrl?.(port)) ?? `http://127.0.0.1:${port}`
    const node = new NodeProcess({
      dataDir,
      port,
      env: {
        ...storeOfItsOwn(),
        SECRET_KEY: SECRET,
        ADMIN_PASSWORD: PASSWORD,
        SANDBOX: 'off',
        HOST: '127.0.0.1',
        PUBLIC_URL: reachedAt,
      },
    })
    await node.start()
    const installation = new Installation({
      node,
      accounts,
      sandbox,
      providers,
      sandboxUrl,
      dataDir,
      publicUrl: reachedAt,
    })
    await installation.#connect()
    return installation
  }

  get publicUrl(): string {
    return this.#publicUrl
  }
  get token(): string {
    return this.#token
  }

  /** A request to the API as the admin, each from an address of its own: one office shares a limit, the load is many offices. */
  api<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const n = ++this.#address
    return request<T>(method, `${this.#publicUrl}/api/v1${path}`, {
      token: this.#token,
      headers: { 'x-forwarded-for': `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}` },
      ...(body === undefined ? {} : { body }),
    })
  }

  /** All conversations, by the address of their contact. */
  async conversations(): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (let after: string | null = ''; after !== null; ) {
      const page: Answer<{ data: Conversation[]; next: string | null }> = await this.api(
        'GET',
        `/conversations?limit=100${after ? `&after=${after}` : ''}`,
      )
      for (const { id, contact } of page.body.data) found.set(contact.address, id)
      after = page.body.next
    }
    return found
  }

  async timeline(conversation: string): Promise<MessageView[]> {
    const all: MessageView[] = []
    for (let after: string | null = '0'; after !== null; ) {
      const page: Answer<{ data: MessageView[]; next: string | null }> = await this.api(
        'GET',
        `/conversations/${conversation}/messages?limit=200&after=${after}`,
      )
      all.push(...page.body.data)
      after = page.body.next
    }
    return all
  }

  /**
   * Waits until every acknowledged text is in a timeline and every outbound message says what became of it; then
   * everything there is, whether it came to that in time or not: the checker says what is missing.
   */
  async settled(acknowledged: Iterable<string>, withinMs: number): Promise<MessageView[][]> {
    const waitedFor = new Set(acknowledged)
    await eventually(async () => {
      for (const conversation of (await this.conversations()).values()) {
        const timeline = await this.timeline(conversation)
        for (const message of timeline) waitedFor.delete(textOf(message))
        if (!timeline.every(isSettled)) return false
      }
      return waitedFor.size === 0
    }, withinMs).catch(() => {})
    const ids = [...(await this.conversations()).values()]
    return Promise.all(ids.map((id) => this.timeline(id)))
  }

  /** What the providers took, each provider's in its own order. */
  async ledger(): Promise<Taken[]> {
    const { body } = await request<{ entries: Taken[] }>('GET', `${this.sandboxUrl}/api/ledger`)
    return body.entries
  }

  async fault(fault: Record<string, unknown>): Promise<void> {
    const { status } = await request('POST', `${this.sandboxUrl}/api/faults`, { body: fault })
    if (status !== 201) throw new Error(`the sandbox refused the fault: ${status}`)
  }

  async end(): Promise<void> {
    await this.node.kill()
    await this.sandbox.close()
    await new Promise((resolve) => this.#providers.close(resolve).closeAllConnections())
    rmSync(this.#dataDir, { recursive: true, force: true })
  }

  async #connect(): Promise<void> {
    const signedIn = await this.api<{ accessToken: string }>('POST', '/sessions', {
      email: EMAIL,
      password: PASSWORD,
    })
    if (signedIn.status !== 201) throw new Error(`could not sign in: ${signedIn.status}`)
    this.#token = signedIn.body.accessToken
    const { telegram, twilio } = this.accounts
    this.webhookUrls = {
      telegram: await this.#connectInbox('telegram', 'telegram', '', {
        token: telegram.token,
        webhookSecret: telegram.webhookSecret,
      }),
      sms: await this.#connectInbox('sms', 'twilio', twilio.number, {
        accountSid: twilio.accountSid,
        authToken: twilio.authToken,
      }),
    }
  }

  async #connectInbox(
    channel: string,
    provider: string,
    sender: string,
    credentials: object,
  ): Promise<string> {
    const apiBase = `${this.sandboxUrl}/${provider}/`
    const routes = [{ provider, sender, credentials, apiBase }]
    const { status, body } = await this.api<InboxView>('POST', '/inboxes', { name: channel, channel, routes })
    const url = body.routes?.[0]?.webhookUrl
    if (status !== 201 || !url)
      throw new Error(`could not connect ${channel}: ${status} ${JSON.stringify(body)}`)
    return url
  }
}

/** Nothing for the embedded store; a database of its own where the tests run on a MongoDB. */
function storeOfItsOwn(): Record<string, string> {
  const { MONGODB_URI: uri, REDIS_URL: redis } = process.env
  const [, host, options = ''] = /^(mongodb(?:\+srv)?:\/\/[^/]*)(?:\/[^?]*)?(\?.*)?$/.exec(uri ?? '') ?? []
  return {
    ...(host ? { MONGODB_URI: `${host}/faults_${randomUUID().slice(0, 8)}${options}` } : {}),
    ...(redis ? { REDIS_URL: redis } : {}),
  }
}
