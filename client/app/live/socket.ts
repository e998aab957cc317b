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

let socket: InboxSocket | null = null
/** The conversation on screen: the server forgets it with the connection, so that it is said again after each. */
let open: ConversationId | null = null
let renewal: ReturnType<typeof setTimeout> | undefined

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
  line.on('connect', () => {
    connected()
    renewInTime()
    if (open) announce(open)
    onConnect()
  })
  line.on('disconnect', (reason) => {
    disconnected()
    nobodyHere()
    // The server hung up on purpose, which the library takes as final: an expired session is renewed, then retried.
    if (reason === 'io server disconnect') setTimeout(() => line.connect(), 1_000)
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
  if (problem?.code === 'unauthenticated' && held) await renewToken(held.accessToken).catch(() => undefined)
  else await new Promise((resolve) => setTimeout(resolve, 2_000))
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

/** An event with its answer, or `Unreachable` when none comes. */
function ask<T>(say: (line: InboxSocket, ack: Ack<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const line = socket
    if (!line?.connected) return reject(new Unreachable('Not connected.'))
    const late = setTimeout(() => reject(new Unreachable('No answer.')), ANSWER_WITHIN_MS)
    say(line, (answer) => {
      clearTimeout(late)
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
