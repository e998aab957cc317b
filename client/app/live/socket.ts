import { io, type Socket } from 'socket.io-client'
import type { ConversationId } from '../../../models/ids.ts'
import type {
  Ack,
  Changes,
  ClientToServerEvents,
  Problem,
  ServerToClientEvents,
  ViewersView,
} from '../../../server/realtime/protocol.ts'
import { Refused, Unreachable } from '../api/transport.ts'
import { pageUrl, socketPath } from '../base.ts'
import { currentSession, freshToken, renewToken } from '../session/session.ts'
import { connected, disconnected } from './connection.ts'
import { nobodyHere, online, stoppedTyping, typing, viewing } from './presence.ts'
import { dispatchSoon } from './store.ts'

type InboxSocket = Socket<ServerToClientEvents, ClientToServerEvents>

/** A client that asks for its token this long before it runs out has time for a second try. */
const AUTHENTICATE_BEFORE_MS = 60_000
const ANSWER_WITHIN_MS = 10_000
const HUNG_UP_PAUSE_MS = 1_000
/** How long to wait after each refusal in a row. */
const REFUSED_PAUSE_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000]

let socket: InboxSocket | null = null
/** The conversation on screen: the server forgets it with the connection, so that it is said again after each. */
let open: ConversationId | null = null
let renewal: ReturnType<typeof setTimeout> | undefined
let refusals = 0

interface Listeners {
  onConnect: () => void
  onInboxesChanged: () => void
}

export function connect({ onConnect, onInboxesChanged }: Listeners): void {
  const line: InboxSocket = io(new URL(pageUrl('')).origin, {
    path: socketPath,
    transports: ['websocket'],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    auth: (give) => {
      freshToken().then(
        (token) => give({ token }),
        () => give({ token: '' }),
      )
    },
  })
  socket = line
  refusals = 0
  line.on('connect', () => {
    refusals = 0
    connected()
    renewInTime()
    if (open) announce(open)
    onConnect()
  })
  line.on('disconnect', (reason) => {
    disconnected()
    nobodyHere()
    // The server hung up on purpose, which the library takes as final: an expired session is renewed, then retried.
    if (reason === 'io server disconnect') setTimeout(() => connectAgain(line), HUNG_UP_PAUSE_MS)
  })
  line.on('connect_error', (error: Error & { data?: { problem?: Problem } }) => {
    disconnected()
    if (line.active) return
    void reconnectAfterRefusal(line, error.data?.problem)
  })
  line.on('message.added', (event) => {
    stoppedTyping(event.message.conversation, event.message.author.id)
    dispatchSoon({ type: 'message.added', ...event })
  })
  line.on('message.changed', (event) => dispatchSoon({ type: 'message.changed', ...event }))
  line.on('conversation.changed', (event) => dispatchSoon({ type: 'conversation.changed', ...event }))
  line.on('reading.changed', (event) => dispatchSoon({ type: 'reading.changed', ...event }))
  line.on('typing', typing)
  line.on('presence', ({ agents }) => online(agents))
  line.on('viewers', viewing)
  line.on('inboxes.changed', onInboxesChanged)
}

export function hangUp(): void {
  clearTimeout(renewal)
  socket?.close()
  socket = null
  open = null
  nobodyHere()
}

export const isConnected = (): boolean => socket?.connected ?? false

/** A laptop that slept may hold a dead line for long: this says so at once. */
export function knock(): void {
  if (socket && !socket.connected) socket.connect()
}

async function reconnectAfterRefusal(line: InboxSocket, problem: Problem | undefined): Promise<void> {
  const held = currentSession()
  const wait = REFUSED_PAUSE_MS[Math.min(refusals++, REFUSED_PAUSE_MS.length - 1)]
  if (problem?.code === 'unauthenticated' && held) await renewToken(held.accessToken).catch(() => undefined)
  setTimeout(() => connectAgain(line), wait)
}

/** Unless the agent has signed out meanwhile. */
function connectAgain(line: InboxSocket): void {
  if (socket === line && currentSession()) line.connect()
}

/** The line lives longer than the token it came with. */
function renewInTime(): void {
  clearTimeout(renewal)
  const held = currentSession()
  if (!held) return
  const wait = Math.max(held.expiresAt - Date.now() - AUTHENTICATE_BEFORE_MS, 5_000)
  renewal = setTimeout(async () => {
    try {
      const now = currentSession()
      const spent = now && now.expiresAt - Date.now() < AUTHENTICATE_BEFORE_MS + 5_000
      const token = now && spent ? await renewToken(now.accessToken) : await freshToken()
      await ask<{ expiresIn: number }>((line, ack) => line.emit('authenticate', { token }, ack))
    } catch {
      // The connection itself will be refused next, and its own road leads to a fresh token.
    }
    renewInTime()
  }, wait)
}

/** An event with its answer, or `Unreachable` when none comes: a line that broke brings none any more. */
function ask<T>(say: (line: InboxSocket, ack: Ack<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const line = socket
    if (!line?.connected) return reject(new Unreachable('Not connected.'))
    const settle = (): void => {
      clearTimeout(late)
      line.off('disconnect', unanswered)
    }
    const unanswered = (): void => {
      settle()
      reject(new Unreachable('No answer.'))
    }
    const late = setTimeout(unanswered, ANSWER_WITHIN_MS)
    line.on('disconnect', unanswered)
    say(line, (answer) => {
      settle()
      if (answer.ok) resolve(answer.data)
      else reject(new Refused(answer.problem))
    })
  })
}

export const askChanges = (cursor: string | null): Promise<Changes> =>
  ask<Changes>((line, ack) => line.emit('catch-up', { cursor }, ack))

export function openConversation(conversation: ConversationId): void {
  open = conversation
  announce(conversation)
}

export function closeConversation(conversation: ConversationId): void {
  if (open === conversation) open = null
  ask((line, ack) => line.emit('conversation.close', { conversation }, ack)).catch(() => undefined)
}

export const sayTyping = (conversation: ConversationId, replying: boolean): void => {
  ask((line, ack) => line.emit('typing', { conversation, replying }, ack)).catch(() => undefined)
}

function announce(conversation: ConversationId): void {
  ask<ViewersView>((line, ack) => line.emit('conversation.open', { conversation }, ack)).then(
    viewing,
    () => undefined,
  )
}
