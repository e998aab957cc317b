import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import mongoose from 'mongoose'
import { inject } from 'vitest'
import { Agent, type AgentDoc, type Role } from '../../models/agent.ts'
import type { InboxId, WorkspaceId } from '../../models/ids.ts'
import { newId } from '../../models/ids.ts'
import { Workspace } from '../../models/workspace.ts'
import { hashPassword } from '../../server/auth/passwords.ts'
import { type Clock, SystemClock } from '../../server/clock.ts'
import { type Config, readConfig } from '../../server/config.ts'
import { closeDatabase, databaseNow, openDatabase } from '../../server/database.ts'
import { createLog, type Log } from '../../server/log.ts'
import { createNode, type Node } from '../../server/node.ts'
import { type SandboxAccounts, sandboxAccounts } from '../../server/sandbox/accounts.ts'
import { systemClock } from '../../server/sandbox/clock.ts'
import type { SandboxProvider } from '../../server/sandbox/protocol.ts'
import { createSandbox, type Sandbox } from '../../server/sandbox/sandbox.ts'
import { agentView } from '../../server/views.ts'
import { AgentClient } from './agent-client.ts'
import { PASSWORD, STAFF, type Who } from './cast.ts'
import { Customer } from './customer.ts'
import { seeded } from './random.ts'

export const SECRET = 'a-secret-for-tests-only-that-is-long-enough'

export interface WorldOptions {
  /** Nodes that share the database; more than one needs Redis. */
  nodes?: number
  redisUrl?: string | undefined
  clock?: Clock
  log?: Log
  /** Milliseconds from acceptance of a text message to `sent`, and from there to `delivered`. */
  receipts?: { sentAfterMs: number; deliveredAfterMs: number }
}

/** The address of a database of one's own on the server that the tests share. */
export function ownDatabase(): string {
  const [, host, options = ''] = /^(mongodb:\/\/[^/]*)(?:\/[^?]*)?(\?.*)?$/.exec(inject('mongodbUri')) ?? []
  return `${host}/test_${randomUUID().slice(0, 8)}${options}`
}

let hashed: Promise<string> | undefined

/**
 * A workspace with its people, its two inboxes, and the simulated providers behind them, on real nodes over a real store.
 * Nothing in it is faked: the providers are the sandbox's, on a port of their own.
 */
export class World {
  readonly workspace: WorkspaceId
  readonly nodes: Node[]
  readonly sandbox: Sandbox
  readonly sandboxUrl: string
  readonly accounts: SandboxAccounts
  readonly inboxes: { telegram: InboxId; sms: InboxId }
  readonly staff: Record<Who, AgentDoc>
  readonly config: Config
  readonly #ends: (() => Promise<unknown>)[]

  private constructor(
    given: Pick<
      World,
      'workspace' | 'nodes' | 'sandbox' | 'sandboxUrl' | 'accounts' | 'inboxes' | 'staff' | 'config'
    >,
    ends: (() => Promise<unknown>)[],
  ) {
    this.workspace = given.workspace
    this.nodes = given.nodes
    this.sandbox = given.sandbox
    this.sandboxUrl = given.sandboxUrl
    this.accounts = given.accounts
    this.inboxes = given.inboxes
    this.staff = given.staff
    this.config = given.config
    this.#ends = ends
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const redisUrl = options.redisUrl ?? process.env.REDIS_URL
    const dataDir = mkdtempSync(join(tmpdir(), 'nexus-world-'))
    const config = readConfig({
      DATA_DIR: dataDir,
      PORT: '0',
      SECRET_KEY: SECRET,
      LOG_LEVEL: 'silent',
      SANDBOX: 'off',
      ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
    })
    if (mongoose.connection.readyState !== 1) await openDatabase(ownDatabase())
    const clock = options.clock ?? (await databaseClock())
    const accounts = sandboxAccounts(randomUUID())
    const log = options.log ?? createLog(process.env.TEST_LOG === 'on' ? 'warn' : 'silent')
    const sandbox = createSandbox({
      clock: systemClock,
      random: seeded(7),
      log: { info() {}, warn() {} },
      accounts,
      receipts: options.receipts ?? { sentAfterMs: 5, deliveredAfterMs: 10 },
    })
    const server = createServer(express().use('/sandbox', sandbox.router))
    const sandboxUrl = `${await listen(server)}/sandbox`

    const workspace = newId<WorkspaceId>()
    await Workspace.create({ _id: workspace, name: 'The shop', createdAt: clock.now() })
    const staff = {} as Record<Who, AgentDoc>
    hashed ??= hashPassword(PASSWORD)
    for (const [who, person] of Object.entries(STAFF) as [Who, (typeof STAFF)[Who]][])
      staff[who] = await Agent.invite({
        workspace,
        ...person,
        email: `${workspace}.${person.email}`,
        passwordHash: await hashed,
        at: clock.now(),
      })

    const nodes: Node[] = []
    for (let index = 0; index < (options.nodes ?? 1); index++)
      nodes.push(await createNode({ config, clock, random: seeded(index), log }))
    const [first] = nodes
    if (!first) throw new Error('a world needs a node')
    const { telegram, twilio } = accounts
    const inboxes = {
      telegram: await first.parts.connectInbox({
        workspace,
        name: 'Telegram',
        channel: 'telegram',
        routes: [
          {
            provider: 'telegram',
            sender: '',
            credentials: { token: telegram.token, webhookSecret: telegram.webhookSecret },
            apiBase: `${sandboxUrl}/telegram/`,
          },
        ],
      }),
      sms: await first.parts.connectInbox({
        workspace,
        name: 'SMS',
        channel: 'sms',
        routes: [
          {
            provider: 'twilio',
            sender: twilio.number,
            credentials: { accountSid: twilio.accountSid, authToken: twilio.authToken },
            apiBase: `${sandboxUrl}/twilio/`,
          },
        ],
      }),
    }
    for (const node of [...nodes].reverse()) await node.work() // the first node's webhooks are the ones that stay set
    const ends = [
      () => Promise.all(nodes.map((node) => node.stop())),
      () => sandbox.close(),
      () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
      async () => rmSync(dataDir, { recursive: true, force: true }),
    ]
    return new World({ workspace, nodes, sandbox, sandboxUrl, accounts, inboxes, staff, config }, ends)
  }

  get node(): Node {
    const [first] = this.nodes
    if (!first) throw new Error('a world has a node')
    return first
  }

  /** One of the cast, signed in at one of the nodes. */
  agent(who: Who, node: Node = this.node): Promise<AgentClient> {
    return this.client(this.staff[who], node)
  }

  /** Signed in without the password's cost and its limits; the tests of signing in take the long way. */
  async client(agent: AgentDoc, node: Node = this.node): Promise<AgentClient> {
    const grant = await node.parts.signIn.start(agent)
    return AgentClient.with(node.url, { ...grant, agent: agentView(agent) })
  }

  /** One more person of the workspace. */
  async hire(name: string, role: Role = 'agent', inboxes: InboxId[] | null = null): Promise<AgentDoc> {
    const { passwordHash } = this.staff.kim
    return Agent.invite({
      workspace: this.workspace,
      name,
      email: `${randomUUID()}@shop.test`,
      role,
      passwordHash,
      inboxes,
      at: new Date(),
    })
  }

  /** A visitor with a phone. */
  customer(name: string): Promise<Customer> {
    return Customer.arrive(this.sandboxUrl, name, this.accounts)
  }

  /** What a provider accepted from us. */
  async ledger(provider: SandboxProvider): Promise<LedgerLine[]> {
    const answer = await fetch(`${this.sandboxUrl}/api/ledger?provider=${provider}`)
    return ((await answer.json()) as { entries: LedgerLine[] }).entries
  }

  /** Makes a provider misbehave, as the sandbox's console does. */
  async fault(fault: Record<string, unknown>): Promise<void> {
    const answer = await fetch(`${this.sandboxUrl}/api/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fault),
    })
    if (!answer.ok) throw new Error(`the sandbox refused the fault: ${await answer.text()}`)
  }

  async end(): Promise<void> {
    for (const end of this.#ends) await end()
    await closeDatabase()
  }
}

/** A line of a simulator's ledger. */
export interface LedgerLine {
  id: string
  to: string
  text?: string
}

async function databaseClock(): Promise<Clock> {
  const clock = new SystemClock()
  await clock.follow(databaseNow)
  return clock
}

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
