import type { Problem } from '../../../server/realtime/protocol.ts'
import { apiUrl } from '../base.ts'
import { freshToken, renewToken } from '../session/session.ts'
import { Refused, readAnswer, send } from './transport.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** One call in the agent's name. A token that died early is renewed and the call made once more. */
export async function call<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const token = await freshToken()
  const first = await attempt(method, path, body, token)
  if (first.status !== 401) return readAnswer<T>(first)
  return readAnswer<T>(await attempt(method, path, body, await renewToken(token)))
}

const attempt = (method: Method, path: string, body: unknown, token: string): Promise<Response> =>
  send(apiUrl(path), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

export const problemOf = (error: unknown): Problem | null => (error instanceof Refused ? error.problem : null)
