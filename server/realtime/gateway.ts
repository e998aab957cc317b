import type { Socket } from 'socket.io'
import { z } from 'zod'
import { Agent, type AgentDoc } from '../../models/agent.ts'
import { Conversation, type ConversationDoc } from '../../models/conversation.ts'
import type { AgentId, ConversationId, SessionId, WorkspaceId } from '../../models/ids.ts'
import { createLimiter, spend } from '../auth/limits.ts'
import type { SignIn } from '../auth/sign-in.ts'
import type { Clock, Timer } from '../clock.ts'
import { notFound, Refusal } from '../errors.ts'
import { asRefusal } from '../http/problem.ts'
import type { Log } from '../log.ts'
import type { Broadcasts, Io } from './broadcasts.ts'
import { changesSince, inboxFilter } from './catch-up.ts'
import { PRESENCE_RENEW_MS, type Presence } from './presence.ts'
import type {
  Ack,
  ClientToServerEvents,
  PresenceView,
  ServerToClientEvents,
  ViewersView,
} from './protocol.ts'
import { rooms, roomsOf } from './rooms.ts'

export interface SocketData {
  workspace: WorkspaceId
  agent: AgentId
  session: SessionId
  name: string
  /** The rights its rooms were chosen by; with others it has to come back. */
  access: number
}
type AgentSocket = Socket<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>

interface Parts {
  io: Io
  signIn: SignIn
  presence: Presence
  broadcasts: Broadcasts
  clock: Clock
  log: Log
}

/** Events one socket may send; a client in order sends a handful. */
const EVENTS = { points: 100, seconds: 5 }
/** A workspace hears of all who come and go within this at once. */
const TELL_PRESENCE_MS = 500
/** How often the sockets of this node are held against what their agents and sessions are by now. */
export const REVIEW_MS = 25_000

const id = z.uuid()
const EVENT_SHAPES = {
  conversation: z.strictObject({ conversation: id }),
  typing: z.strictObject({ conversation: id, replying: z.boolean() }),
  catchUp: z.strictObject({ cursor: z.string().max(100).nullable() }),
  authenticate: z.strictObject({ token: z.string().max(4_000) }),
}

/** Admits sockets, puts them in their rooms, and answers what they ask. Rooms are the server's business alone. */
export class Gateway {
  readonly #parts: Parts
  readonly #limiter = createLimiter('socket', EVENTS, undefined)
  readonly #sockets = new Set<AgentSocket>()
  /** Sockets by workspace, those included whose departure is not written yet. */
  readonly #here = new Map<WorkspaceId, number>()
  readonly #tellings = new Map<WorkspaceId, Timer>()
  #reviewing: Timer | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    parts.io.use((socket, next) => {
      this.#admit(socket).then(
        () => next(),
        (error: unknown) =>
          next(Object.assign(new Error('refused'), { data: { problem: asRefusal(error).problem } })),
      )
    })
    parts.io.on('connection', (socket) => this.#welcome(socket))
  }

  async #admit(socket: AgentSocket): Promise<void> {
    const token: unknown = socket.handshake.auth.token
    const known = typeof token === 'string' ? await this.#parts.signIn.identify(token) : null
    if (!known) throw new Refusal('unauthenticated', 'Sign in first.')
    const { agent, claims } = known
    socket.data = {
      workspace: agent.workspace,
      agent: agent._id,
      session: claims.session,
      name: agent.name,
      access: agent.access,
    }
    await socket.join(roomsOf(agent, claims.session))
    this.#expire(socket, claims.expiresAt)
  }

  /** A socket lives no longer than the token that opened it, unless it shows a newer one. */
  #expire(socket: AgentSocket, expiresAt: number): void {
    expiries.get(socket)?.cancel()
    const left = expiresAt * 1000 - this.#parts.clock.now().getTime()
    expiries.set(
      socket,
      this.#parts.clock.after(Math.max(0, left), () => socket.disconnect(true)),
    )
  }

  #welcome(socket: AgentSocket): void {
    const opened = new Set<ConversationId>()
    const { workspace } = socket.data
    this.#sockets.add(socket)
    this.#here.set(workspace, (this.#here.get(workspace) ?? 0) + 1)
    // What was withdrawn while the socket was on its way in was said before it could hear it.
    void this.#review([socket])
    this.#reviewInTime()
    const renewal = setInterval(() => void this.#renew(socket, opened), PRESENCE_RENEW_MS)
    renewal.unref()
    void this.#renew(socket, opened).then(() => this.#presenceChanged(workspace))

    socket.on('conversation.open', (event, ack) =>
      this.#answer(socket, EVENT_SHAPES.conversation, event, ack, async ({ conversation }) => {
        const { _id } = await this.#find(socket, conversation as ConversationId)
        await socket.join(rooms.conversation(_id))
        opened.add(_id)
        await this.#quietly(this.#parts.presence.open(_id, socket.data.agent, socket.id))
        return this.#tellViewers(_id, socket.data.workspace)
      }),
    )
    socket.on('conversation.close', (event, ack) =>
      this.#answer(socket, EVENT_SHAPES.conversation, event, ack, async ({ conversation }) => {
        // A room that this socket did not open may be anybody's.
        if (opened.delete(conversation as ConversationId))
          await this.#close(socket, conversation as ConversationId)
        return undefined
      }),
    )
    socket.on('typing', (event, ack) =>
      this.#answer(socket, EVENT_SHAPES.typing, event, ack, async ({ conversation, replying }) => {
        const { _id } = await this.#find(socket, conversation as ConversationId)
        await this.#quietly(this.#parts.presence.reply(_id, socket.data.agent, replying))
        await this.#tellViewers(_id, socket.data.workspace)
        this.#onTyping?.(_id, socket.data.workspace, replying)
        return undefined
      }),
    )
    socket.on('catch-up', (event, ack) =>
      this.#answer(socket, EVENT_SHAPES.catchUp, event, ack, async ({ cursor }) =>
        changesSince(await this.#agent(socket), cursor),
      ),
    )
    socket.on('authenticate', (event, ack) =>
      this.#answer(socket, EVENT_SHAPES.authenticate, event, ack, async ({ token }) => {
        const known = await this.#parts.signIn.identify(token)
        if (!known || known.agent._id !== socket.data.agent)
          throw new Refusal('unauthenticated', 'Sign in again.')
        this.#mustStand(socket, known.agent)
        this.#expire(socket, known.claims.expiresAt)
        return { expiresIn: known.claims.expiresAt - Math.floor(this.#parts.clock.now().getTime() / 1000) }
      }),
    )
    socket.on('disconnect', () => {
      clearInterval(renewal)
      expiries.get(socket)?.cancel()
      this.#sockets.delete(socket)
      if (this.#sockets.size === 0) {
        this.#reviewing?.cancel()
        this.#reviewing = undefined
      }
      void this.#depart(socket, opened)
    })
  }

  /** Called when an agent starts or stops writing an answer, for channels that can show it to the contact. */
  onTyping(
    listener: (conversation: ConversationId, workspace: WorkspaceId, replying: boolean) => void,
  ): void {
    this.#onTyping = listener
  }
  #onTyping?: (conversation: ConversationId, workspace: WorkspaceId, replying: boolean) => void

  /** Checks the event's shape and the sender's pace, does the work, and answers; every event is answered. */
  async #answer<T, R>(
    socket: AgentSocket,
    shape: z.ZodType<T>,
    event: unknown,
    ack: Ack<R>,
    work: (event: T) => Promise<R>,
  ): Promise<void> {
    const reply = typeof ack === 'function' ? ack : () => {}
    try {
      await spend(this.#limiter, socket.id, 'Too many events. Slow down.')
      const parsed = shape.safeParse(event)
      if (!parsed.success) throw new Refusal('invalid_request', 'The event is not of the documented shape.')
      reply({ ok: true, data: await work(parsed.data) })
    } catch (error) {
      const refusal = asRefusal(error)
      if (refusal.code === 'internal')
        this.#parts.log.error({ event: 'socket.failed', error }, 'an event failed')
      reply({ ok: false, problem: refusal.problem })
    }
  }

  /** Who is asking, as they stand now: rights may have changed since the socket opened. */
  async #agent(socket: AgentSocket): Promise<AgentDoc> {
    return this.#mustStand(socket, await Agent.enabled(socket.data.workspace, socket.data.agent))
  }

  /** Ends a socket whose rooms were chosen by rights that are no longer its agent's: it comes back under the new ones. */
  #mustStand(socket: AgentSocket, agent: AgentDoc | null): AgentDoc {
    if (agent && agent.access === socket.data.access) return agent
    socket.disconnect(true)
    throw new Refusal('unauthenticated', 'Sign in first.')
  }

  /** The same for sockets that ask for nothing: the broadcast that ends them may be lost while Redis is away. */
  async #review(sockets: AgentSocket[]): Promise<void> {
    try {
      const ended = new Set(await this.#parts.signIn.ended(sockets.map(({ data }) => data)))
      for (const socket of sockets) if (ended.has(socket.data)) socket.disconnect(true)
    } catch (error) {
      this.#parts.log.warn({ event: 'socket.review_failed', error }, 'could not look whose rights changed')
    }
  }

  #reviewInTime(): void {
    this.#reviewing ??= this.#parts.clock.after(REVIEW_MS, () => {
      this.#reviewing = undefined
      void this.#review([...this.#sockets]).then(() => {
        if (this.#sockets.size > 0) this.#reviewInTime()
      })
    })
  }

  async #find(socket: AgentSocket, conversation: ConversationId): Promise<Pick<ConversationDoc, '_id'>> {
    const agent = await this.#agent(socket)
    const found = await Conversation.findOne(
      { workspace: agent.workspace, _id: conversation, ...inboxFilter(agent) },
      { _id: 1 },
    ).lean<ConversationDoc>()
    if (!found) throw notFound('conversation')
    return found
  }

  async #close(socket: AgentSocket, conversation: ConversationId): Promise<void> {
    await socket.leave(rooms.conversation(conversation))
    await this.#quietly(this.#parts.presence.close(conversation, socket.data.agent, socket.id))
    await this.#quietly(this.#parts.presence.reply(conversation, socket.data.agent, false))
    await this.#tellViewers(conversation, socket.data.workspace)
  }

  async #renew(socket: AgentSocket, opened: Set<ConversationId>): Promise<void> {
    const { workspace, agent } = socket.data
    await this.#quietly(this.#parts.presence.arrive(workspace, agent, socket.id))
    for (const conversation of opened)
      await this.#quietly(this.#parts.presence.open(conversation, agent, socket.id))
  }

  async #depart(socket: AgentSocket, opened: Set<ConversationId>): Promise<void> {
    const { workspace, agent } = socket.data
    await this.#quietly(this.#parts.presence.leave(workspace, agent, socket.id))
    for (const conversation of opened) await this.#quietly(this.#close(socket, conversation))
    const left = (this.#here.get(workspace) ?? 1) - 1
    if (left > 0) this.#here.set(workspace, left)
    else this.#here.delete(workspace)
    this.#presenceChanged(workspace)
  }

  /** Tells a workspace soon who is online; at once after the last of it left this node, where nothing may wait any more. */
  #presenceChanged(workspace: WorkspaceId): void {
    const tell = () => {
      this.#tellings.delete(workspace)
      void this.#tellPresence(workspace)
    }
    if (!this.#here.has(workspace)) {
      this.#tellings.get(workspace)?.cancel()
      tell()
    } else if (!this.#tellings.has(workspace))
      this.#tellings.set(workspace, this.#parts.clock.after(TELL_PRESENCE_MS, tell))
  }

  async #tellPresence(workspace: WorkspaceId): Promise<void> {
    await this.#quietly(
      this.#parts.presence
        .online(workspace)
        .then(async (online) =>
          this.#parts.broadcasts.presence(workspace, await this.#named(workspace, online)),
        ),
    )
  }

  async #tellViewers(conversation: ConversationId, workspace: WorkspaceId): Promise<ViewersView> {
    const viewers = (await this.#quietly(this.#parts.presence.viewers(conversation))) ?? []
    const names = await this.#named(
      workspace,
      viewers.map((viewer) => viewer.agent),
    )
    const view: ViewersView = {
      conversation,
      viewers: viewers.map(({ agent, replying }) => ({
        agent,
        replying,
        name: names.find((each) => each.agent === agent)?.name ?? '',
      })),
    }
    this.#parts.broadcasts.viewers(conversation, view)
    return view
  }

  async #named(workspace: WorkspaceId, ids: AgentId[]): Promise<PresenceView[]> {
    const agents = await Agent.find({ workspace, _id: { $in: ids } }, { name: 1 }).lean<
      Pick<AgentDoc, '_id' | 'name'>[]
    >()
    return agents.map(({ _id, name }) => ({ agent: _id, name }))
  }

  /** Presence is a courtesy: while Redis is away it is missing, and nothing else is. */
  async #quietly<T>(work: Promise<T>): Promise<T | undefined> {
    return work.catch((error: unknown) => {
      this.#parts.log.debug({ event: 'presence.failed', error }, 'presence is not available')
      return undefined
    })
  }
}

const expiries = new WeakMap<AgentSocket, Timer>()
