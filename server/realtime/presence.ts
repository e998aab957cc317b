import type { Redis } from 'ioredis'
import type { AgentId, ConversationId, WorkspaceId } from '../../models/ids.ts'
import type { Clock } from '../clock.ts'
import { keys } from '../redis/keys.ts'
import { TYPING_EXPIRES_MS } from './protocol.ts'

/** Who is online, who looks at what, who writes an answer. Nothing here outlives its renewals. */
export interface Presence {
  /** A socket is here; renew it before {@link PRESENCE_EXPIRES_MS} is over. */
  arrive(workspace: WorkspaceId, agent: AgentId, socket: string): Promise<void>
  leave(workspace: WorkspaceId, agent: AgentId, socket: string): Promise<void>
  online(workspace: WorkspaceId): Promise<AgentId[]>
  open(conversation: ConversationId, agent: AgentId, socket: string): Promise<void>
  close(conversation: ConversationId, agent: AgentId, socket: string): Promise<void>
  /** True marks for {@link TYPING_EXPIRES_MS}, false ends at once. */
  reply(conversation: ConversationId, agent: AgentId, replying: boolean): Promise<void>
  viewers(conversation: ConversationId): Promise<{ agent: AgentId; replying: boolean }[]>
}

/** Lease of a mark; a node that dies leaves its agents online for so long at the most. */
export const PRESENCE_EXPIRES_MS = 60_000
/** Renewed this often. */
export const PRESENCE_RENEW_MS = 25_000

/** For one node: the marks are in this process. */
export class LocalPresence implements Presence {
  readonly #clock: Clock
  readonly #sets = new Map<string, Map<string, number>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async arrive(workspace: WorkspaceId, agent: AgentId, socket: string) {
    this.#mark(keys.online(workspace), `${agent} ${socket}`, PRESENCE_EXPIRES_MS)
  }
  async leave(workspace: WorkspaceId, agent: AgentId, socket: string) {
    this.#unmark(keys.online(workspace), `${agent} ${socket}`)
  }
  async online(workspace: WorkspaceId) {
    return agentsOf(this.#alive(keys.online(workspace)))
  }
  async open(conversation: ConversationId, agent: AgentId, socket: string) {
    this.#mark(keys.viewers(conversation), `${agent} ${socket}`, PRESENCE_EXPIRES_MS)
  }
  async close(conversation: ConversationId, agent: AgentId, socket: string) {
    this.#unmark(keys.viewers(conversation), `${agent} ${socket}`)
  }
  async reply(conversation: ConversationId, agent: AgentId, replying: boolean) {
    if (replying) this.#mark(keys.replying(conversation), agent, TYPING_EXPIRES_MS)
    else this.#unmark(keys.replying(conversation), agent)
  }
  async viewers(conversation: ConversationId) {
    return withReplying(this.#alive(keys.viewers(conversation)), this.#alive(keys.replying(conversation)))
  }

  #mark(key: string, member: string, ms: number): void {
    const set = this.#sets.get(key) ?? new Map<string, number>()
    set.set(member, this.#clock.now().getTime() + ms)
    this.#sets.set(key, set)
  }
  #unmark(key: string, member: string): void {
    const set = this.#sets.get(key)
    set?.delete(member)
    if (set?.size === 0) this.#sets.delete(key)
  }
  #alive(key: string): string[] {
    const set = this.#sets.get(key)
    if (!set) return []
    const now = this.#clock.now().getTime()
    for (const [member, until] of set) if (until <= now) set.delete(member)
    if (set.size === 0) this.#sets.delete(key)
    return [...set.keys()]
  }
}

/** For many nodes: sorted sets in Redis, scored by when each mark ends. */
export class RedisPresence implements Presence {
  readonly #redis: Redis
  readonly #clock: Clock

  constructor(redis: Redis, clock: Clock) {
    this.#redis = redis
    this.#clock = clock
  }

  async arrive(workspace: WorkspaceId, agent: AgentId, socket: string) {
    await this.#mark(keys.online(workspace), `${agent} ${socket}`, PRESENCE_EXPIRES_MS)
  }
  async leave(workspace: WorkspaceId, agent: AgentId, socket: string) {
    await this.#redis.zrem(keys.online(workspace), `${agent} ${socket}`)
  }
  async online(workspace: WorkspaceId) {
    return agentsOf(await this.#alive(keys.online(workspace)))
  }
  async open(conversation: ConversationId, agent: AgentId, socket: string) {
    await this.#mark(keys.viewers(conversation), `${agent} ${socket}`, PRESENCE_EXPIRES_MS)
  }
  async close(conversation: ConversationId, agent: AgentId, socket: string) {
    await this.#redis.zrem(keys.viewers(conversation), `${agent} ${socket}`)
  }
  async reply(conversation: ConversationId, agent: AgentId, replying: boolean) {
    if (replying) await this.#mark(keys.replying(conversation), agent, TYPING_EXPIRES_MS)
    else await this.#redis.zrem(keys.replying(conversation), agent)
  }
  async viewers(conversation: ConversationId) {
    const [viewing, replying] = await Promise.all([
      this.#alive(keys.viewers(conversation)),
      this.#alive(keys.replying(conversation)),
    ])
    return withReplying(viewing, replying)
  }

  /**
   * The whole key ends with its youngest mark, so that nothing is left of what everybody forgot; and each mark takes along
   * those that ended, so that a key that is always in use holds no dead ones.
   */
  async #mark(key: string, member: string, ms: number): Promise<void> {
    const now = this.#clock.now().getTime()
    await this.#redis
      .multi()
      .zremrangebyscore(key, '-inf', now)
      .zadd(key, now + ms, member)
      .pexpire(key, ms, 'GT')
      .pexpire(key, ms, 'NX')
      .exec()
  }
  async #alive(key: string): Promise<string[]> {
    return this.#redis.zrange(key, `(${this.#clock.now().getTime()}`, '+inf', 'BYSCORE')
  }
}

const agentsOf = (members: string[]): AgentId[] =>
  [...new Set(members.map((member) => member.split(' ')[0] as AgentId))].sort()
const withReplying = (viewing: string[], replying: string[]) =>
  agentsOf([...viewing, ...replying]).map((agent) => ({ agent, replying: replying.includes(agent) }))
