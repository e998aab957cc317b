import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InboxView } from '../../server/realtime/protocol.ts'
import { type Answer, request } from '../support/http.ts'
import { NodeProcess } from '../support/node-process.ts'
import { freePort } from '../support/redis.ts'
import { ACCOUNT } from './account.ts'

const EMAIL = 'admin@nexus.local'
const PASSWORD = 'correct horse battery staple'
export const AGENTS = 10

/** The product as it is installed: built, its embedded store durable, signatures checked, nothing switched off. */
export class Product {
  readonly node: NodeProcess
  readonly #dataDir: string
  webhookUrl = ''
  /** The admin's. */
  token = ''
  #requests = 0

  private constructor(node: NodeProcess, dataDir: string) {
    this.node = node
    this.#dataDir = dataDir
  }

  static async start(profile?: string): Promise<Product> {
    const dataDir = mkdtempSync(join(tmpdir(), 'nexus-bench-'))
    const port = await freePort()
    const node = new NodeProcess({
      dataDir,
      port,
      env: {
        SANDBOX: 'off',
        ADMIN_PASSWORD: PASSWORD,
        HOST: '127.0.0.1',
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        LOG_LEVEL: 'info',
      },
      ...(profile ? { nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${profile}`] } : {}),
    })
    return new Product(await node.start(), dataDir)
  }

  /** Connects an SMS inbox at the bench's provider. */
  async connect(providerUrl: string): Promise<void> {
    this.token = await this.signIn(EMAIL)
    const { accountSid, authToken, number } = ACCOUNT
    const { status, body } = await this.api<InboxView>('POST', '/inboxes', {
      name: 'SMS',
      channel: 'sms',
      routes: [
        {
          provider: 'twilio',
          sender: number,
          credentials: { accountSid, authToken },
          apiBase: `${providerUrl}/`,
        },
      ],
    })
    const webhookUrl = body.routes?.[0]?.webhookUrl
    if (status !== 201 || !webhookUrl) throw new Error(`no inbox: ${status} ${JSON.stringify(body)}`)
    this.webhookUrl = webhookUrl
  }

  /** The tokens of ten agents. */
  async agents(): Promise<string[]> {
    const tokens: string[] = []
    for (let agent = 0; agent < AGENTS; agent++) {
      const email = `agent${agent}@nexus.local`
      await this.api('POST', '/agents', { name: `Agent ${agent}`, email, role: 'agent', password: PASSWORD })
      tokens.push(await this.signIn(email))
    }
    return tokens
  }

  /** Every conversation's id, and how many inbound messages they hold together. */
  async conversations(): Promise<{ ids: string[]; inbound: number }> {
    const ids: string[] = []
    let inbound = 0
    for (let after: string | null = ''; after !== null; ) {
      const page: Answer<{ data: { id: string; inbound: number }[]; next: string | null }> = await this.api(
        'GET',
        `/conversations?limit=100${after ? `&after=${after}` : ''}`,
      )
      for (const row of page.body.data) {
        ids.push(row.id)
        inbound += row.inbound
      }
      after = page.body.next
    }
    return { ids, inbound }
  }

  /** The event loop's delay since this was last asked, p99 in milliseconds. */
  async loopDelayMs(): Promise<number> {
    const { body } = await request<string>('GET', `${this.node.url}/metrics`)
    const [, seconds] = /^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(body) ?? []
    return Number(seconds) * 1000
  }

  async end(): Promise<void> {
    await this.node.kill('SIGTERM')
    rmSync(this.#dataDir, { recursive: true, force: true })
  }

  async signIn(email: string): Promise<string> {
    const { status, body } = await this.api<{ accessToken: string }>('POST', '/sessions', {
      email,
      password: PASSWORD,
    })
    if (status !== 201) throw new Error(`could not sign in: ${status}`)
    return body.accessToken
  }

  /** As from an address of its own each time: the limits are for one address. */
  api<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const n = ++this.#requests
    return request<T>(method, `${this.node.url}/api/v1${path}`, {
      token: this.token,
      headers: { 'x-forwarded-for': `10.2.${(n >> 8) & 255}.${n & 255}` },
      ...(body === undefined ? {} : { body }),
    })
  }
}
