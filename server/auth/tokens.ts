import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import type { AgentDoc } from '../../models/agent.ts'
import type { AgentId, SessionId, WorkspaceId } from '../../models/ids.ts'
import type { Clock } from '../clock.ts'

export const ACCESS_EXPIRES_S = 15 * 60
export const REFRESH_EXPIRES_MS = 30 * 24 * 60 * 60 * 1000

/** Who a token speaks for. What they may do is read from the database each time, never from the token. */
export interface Claims {
  agent: AgentId
  workspace: WorkspaceId
  session: SessionId
  /** Seconds since 1970. */
  expiresAt: number
}

const ISSUER = 'nexus-inbox'
const AUDIENCE = 'nexus-inbox:api'
/** The one algorithm: a token that asks for another, or for none, is no token. */
const ALGORITHM = 'HS256'

/** Signs access tokens with the first secret, and reads those of any. */
export class AccessTokens {
  readonly #clock: Clock
  readonly #keys: [Uint8Array, ...Uint8Array[]]

  constructor(secrets: readonly [string, ...string[]], clock: Clock) {
    this.#clock = clock
    const derive = (secret: string) =>
      new Uint8Array(hkdfSync('sha256', secret, 'nexus-inbox', 'access-token', 32))
    const [first, ...rest] = secrets
    this.#keys = [derive(first), ...rest.map(derive)]
  }

  async issue(agent: AgentDoc, session: SessionId): Promise<string> {
    const now = Math.floor(this.#clock.now().getTime() / 1000)
    return new SignJWT({ ws: agent.workspace, sid: session })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(agent._id)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + ACCESS_EXPIRES_S)
      .sign(this.#keys[0])
  }

  /** Null for whatever is not a token of ours that is still good. */
  async read(token: string): Promise<Claims | null> {
    for (const key of this.#keys) {
      const verified = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: this.#clock.now(),
        requiredClaims: ['sub', 'exp', 'ws', 'sid'],
      }).catch(() => null)
      if (!verified) continue
      const { sub, exp, ws, sid } = verified.payload
      if (typeof sub !== 'string' || typeof ws !== 'string' || typeof sid !== 'string' || exp === undefined)
        return null
      return {
        agent: sub as AgentId,
        workspace: ws as WorkspaceId,
        session: sid as SessionId,
        expiresAt: exp,
      }
    }
    return null
  }
}

/** A refresh token: the session's id and a secret of which only the hash is kept. */
export interface RefreshToken {
  secret: string
  hash: string
}

export const newRefreshToken = (): RefreshToken => {
  const secret = randomBytes(32).toString('base64url')
  return { secret, hash: hashOf(secret) }
}
export const writeRefreshToken = (session: SessionId, secret: string): string => `${session}.${secret}`

export function readRefreshToken(token: string): { session: SessionId; hash: string } | null {
  const match = /^([0-9a-f-]{36})\.([\w-]{43})$/.exec(token)
  return match?.[2] ? { session: match[1] as SessionId, hash: hashOf(match[2]) } : null
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64')
