import { create } from 'zustand'
import type { AgentView } from '../../../server/realtime/protocol.ts'
import { Refused, readAnswer, send } from '../api/transport.ts'
import { apiUrl, storageKey } from '../base.ts'
import { alone } from './alone.ts'

export interface Session {
  accessToken: string
  refreshToken: string
  expiresAt: number
  agent: AgentView
}

interface Granted {
  accessToken: string
  refreshToken: string
  expiresIn: number
  agent: AgentView
}

const KEY = storageKey('session')
/** A token this near its end is renewed before use. */
const RENEW_BEFORE_MS = 30_000

/** The session is shared by all tabs; local storage is where they agree on it. */
export const useSession = create<{ session: Session | null }>(() => ({ session: read() }))

export const currentSession = (): Session | null => useSession.getState().session

/** A tab that signed in, renewed or signed out speaks for the others. */
window.addEventListener('storage', (event) => {
  if (event.key === KEY || event.key === null) useSession.setState({ session: read() })
})

export async function signIn(email: string, password: string): Promise<void> {
  write(await grant('sessions', { email, password }))
}

export async function signOut(): Promise<void> {
  const held = currentSession()
  write(null)
  if (!held) return
  await send(apiUrl('sessions/current'), {
    method: 'DELETE',
    headers: { authorization: `Bearer ${held.accessToken}` },
  }).catch(() => undefined)
}

export async function freshToken(): Promise<string> {
  const held = currentSession()
  if (!held) throw new SignedOut()
  return held.expiresAt - Date.now() > RENEW_BEFORE_MS ? held.accessToken : renewToken(held.accessToken)
}

/**
 * A new token in place of the one given. Only one tab may ask: a refresh token lives once, and a second use of it ends
 * the whole session. The others find the new token when their turn comes.
 */
export const renewToken = (spent: string): Promise<string> =>
  alone(KEY, async () => {
    const held = read()
    if (!held) {
      write(null)
      throw new SignedOut()
    }
    if (held.accessToken !== spent && held.expiresAt - Date.now() > RENEW_BEFORE_MS) {
      useSession.setState({ session: held })
      return held.accessToken
    }
    try {
      return write(await grant('sessions/refresh', { refreshToken: held.refreshToken })).accessToken
    } catch (error) {
      if (error instanceof Refused && !error.problem.retryable) write(null)
      throw error
    }
  })

export class SignedOut extends Error {}

async function grant(path: string, body: unknown): Promise<Session> {
  const response = await send(apiUrl(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { expiresIn, ...granted } = await readAnswer<Granted>(response)
  return { ...granted, expiresAt: Date.now() + expiresIn * 1000 }
}

function read(): Session | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') as Session | null
  } catch {
    return null
  }
}

function write<T extends Session | null>(session: T): T {
  if (session) localStorage.setItem(KEY, JSON.stringify(session))
  else localStorage.removeItem(KEY)
  useSession.setState({ session })
  return session
}
