import { randomUUID } from 'node:crypto'
import { io, type Socket } from 'socket.io-client'
import { createCatchUp } from '../../client/app/live/catch-up.ts'
import { apply } from '../../client/app/live/reducer.ts'
import { emptyState, type LiveEvent, type LiveState } from '../../client/app/live/state.ts'
import type { ConversationId } from '../../models/ids.ts'
import type {
  Ack,
  AgentView,
  Changes,
  ClientToServerEvents,
  ConversationRow,
  MessageView,
  Problem,
  ServerToClientEvents,
  ViewersView,
} from '../../server/realtime/protocol.ts'
import { type Answer, request } from './http.ts'

type Line = Socket<ServerToClientEvents, ClientToServerEvents>

/**
 * An agent at work: the browser client's own reducer and catch-up over a real socket, without the pixels. What it holds is
 * what the agent would see.
 */
export class AgentClient {
  readonly url: string
  readonly me: AgentView
  token: string
  refreshToken: string
  state: LiveState = emptyState()
  /** Every id that a `message.added` event brought, as often as it did. */
  readonly added: string[] = []
  typing: Parameters<ServerToClientEvents['typing']>[0][] = []
  viewers: ViewersView[] = []
  presence: string[] = []
  line: Line | undefined
  readonly #catchUp: () => Promise<void>

  private constructor(url: string, session: Session) {
    this.url = url
    this.me = session.agent
    this.token = session.accessToken
    this.refreshToken = session.refreshToken
    this.#catchUp = createCatchUp({
      cursor: () => this.state.cursor,
      ask: (cursor) => this.ask<Changes>((line, ack) => line.emit('catch-up', { cursor }, ack)),
      apply: (changes) => this.#dispatch({ type: 'changes', changes }),
    })
  }

  /** With a session that was granted already. */
  static with(url: string, session: Session): AgentClient {
    return new AgentClient(url, session)
  }

  static async signIn(url: string, email: string, password: string): Promise<AgentClient> {
    const { status, body } = await request<Session>('POST', `${url}/api/v1/sessions`, {
      body: { email, password },
    })
    if (status !== 201) throw new Error(`could not sign in: ${status}`)
    return new AgentClient(url, body)
  }

  /** Connects and catches up; from then on it follows, and fills its own gaps. */
  async connect(): Promise<this> {
    const line: Line = io(this.url, {
      transports: ['websocket'],
      auth: (give) => give({ token: this.token }),
      reconnectionDelay: 20,
      reconnectionDelayMax: 200,
      forceNew: true,
    })
    this.line = line
    line.on('message.added', (event) => {
      this.added.push(event.message.id)
      this.#dispatch({ type: 'message.added', ...event })
    })
    line.on('message.changed', (event) => this.#dispatch({ type: 'message.changed', ...event }))
    line.on('conversation.changed', (event) => this.#dispatch({ type: 'conversation.changed', ...event }))
    line.on('reading.changed', (event) => this.#dispatch({ type: 'reading.changed', ...event }))
    line.on('typing', (event) => this.typing.push(event))
    line.on('viewers', (event) => this.viewers.push(event))
    line.on('presence', ({ agents }) => {
      this.presence = agents.map(({ name }) => name)
    })
    await new Promise<void>((resolve, reject) => {
      line.once('connect', resolve)
      line.once('connect_error', (error) =>
        reject(Object.assign(error, { problem: (error as { data?: { problem?: Problem } }).data?.problem })),
      )
    })
    line.on('connect', () => void this.catchUp().catch(() => {}))
    await this.catchUp()
    return this
  }

  catchUp(): Promise<void> {
    return this.#catchUp()
  }

  hangUp(): void {
    this.line?.close()
  }

  /** Reads a timeline from its beginning and follows it from then on, as an opened conversation does. */
  async open(conversation: ConversationId): Promise<void> {
    const { epoch } = this.state
    this.#dispatch({ type: 'timeline.asked', conversation })
    const messages = await this.timeline(conversation)
    this.#dispatch({
      type: 'timeline.page',
      conversation,
      page: { which: 'latest', messages, end: true },
      epoch,
    })
  }

  /** All of a timeline, fresh from the server. */
  async timeline(conversation: ConversationId): Promise<MessageView[]> {
    const all: MessageView[] = []
    for (let after: string | null = '0'; after !== null; ) {
      const page: Answer<{ data: MessageView[]; next: string | null }> = await this.get(
        `/conversations/${conversation}/messages?limit=200&after=${after}`,
      )
      all.push(...page.body.data)
      after = page.body.next
    }
    return all
  }

  /** All conversations, fresh from the server. */
  async conversations(query = ''): Promise<ConversationRow[]> {
    const all: ConversationRow[] = []
    for (let after: string | null = ''; after !== null; ) {
      const page: Answer<{ data: ConversationRow[]; next: string | null }> = await this.get(
        `/conversations?limit=100${query}${after ? `&after=${after}` : ''}`,
      )
      all.push(...page.body.data)
      after = page.body.next
    }
    return all
  }

  async reply(
    conversation: ConversationId,
    text: string,
    more: Record<string, unknown> = {},
  ): Promise<Answer<MessageView & Problem>> {
    return this.post(`/conversations/${conversation}/messages`, {
      clientId: randomUUID(),
      content: { type: 'text', text },
      ...more,
    })
  }

  get<T>(path: string): Promise<Answer<T>> {
    return request<T>('GET', `${this.url}/api/v1${path}`, { token: this.token })
  }
  post<T>(path: string, body: unknown): Promise<Answer<T>> {
    return request<T>('POST', `${this.url}/api/v1${path}`, { token: this.token, body })
  }
  put<T>(path: string, body?: unknown): Promise<Answer<T>> {
    return request<T>('PUT', `${this.url}/api/v1${path}`, {
      token: this.token,
      ...(body === undefined ? {} : { body }),
    })
  }
  patch<T>(path: string, body: unknown): Promise<Answer<T>> {
    return request<T>('PATCH', `${this.url}/api/v1${path}`, { token: this.token, body })
  }
  delete<T>(path: string): Promise<Answer<T>> {
    return request<T>('DELETE', `${this.url}/api/v1${path}`, { token: this.token })
  }

  /** A client event with its acknowledgement. */
  ask<T>(say: (line: Line, ack: Ack<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const { line } = this
      if (!line?.connected) return reject(new Error('not connected'))
      const late = setTimeout(() => reject(new Error('no answer')), 10_000)
      say(line, (answer) => {
        clearTimeout(late)
        if (answer.ok) resolve(answer.data)
        else reject(Object.assign(new Error(answer.problem.detail), { problem: answer.problem }))
      })
    })
  }

  #dispatch(event: LiveEvent): void {
    const { gaps } = this.state
    this.state = apply(this.state, event)
    if (this.state.gaps === gaps || this.#settling) return
    // As the browser does: gaps of a burst share one catch-up.
    this.#settling = true
    setTimeout(() => {
      this.#settling = false
      void this.catchUp().catch(() => {})
    }, GAP_SETTLES_MS)
  }
  #settling = false
}

const GAP_SETTLES_MS = 100

export interface Session {
  accessToken: string
  refreshToken: string
  agent: AgentView
}
