import type { Redis } from 'ioredis'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { Agent, type AgentDoc } from '../../models/agent.ts'
import type { AgentId, SessionId, WorkspaceId } from '../../models/ids.ts'
import { Session } from '../../models/session.ts'
import type { Clock } from '../clock.ts'
import { Refusal } from '../errors.ts'
import { createLimiter, spend } from './limits.ts'
import { passwordMatches } from './passwords.ts'
import {
  ACCESS_EXPIRES_S,
  type AccessTokens,
  type Claims,
  newRefreshToken,
  REFRESH_EXPIRES_MS,
  readRefreshToken,
  writeRefreshToken,
} from './tokens.ts'

/** What signing in and refreshing answer. */
export interface Grant {
  accessToken: string
  refreshToken: string
  /** Seconds until the access token runs out. */
  expiresIn: number
  agent: AgentDoc
}

/** Who holds on to something they were let in to, and with which rights they were. */
export interface Holder {
  agent: AgentId
  session: SessionId
  access: number
}

/** Guesses allowed per account, and per address that guesses, before both must wait. */
const PER_ACCOUNT = { points: 10, seconds: 15 * 60 }
const PER_ADDRESS = { points: 60, seconds: 15 * 60 }
const TOO_MANY = 'Too many attempts to sign in. Wait a while, then try again.'
const HOLDERS_AT_ONCE = 500
const OF_ALL = 'a node looks after agents of every workspace'
const BY_EMAIL = 'who signs in is not known before their e-mail is found'

/** Signing in and staying signed in. */
export class SignIn {
  readonly #tokens: AccessTokens
  readonly #clock: Clock
  readonly #perAccount
  readonly #perAddress
  readonly passport = new passport.Passport()

  constructor({ tokens, clock, redis }: { tokens: AccessTokens; clock: Clock; redis: Redis | undefined }) {
    this.#tokens = tokens
    this.#clock = clock
    this.#perAccount = createLimiter('sign-in-account', PER_ACCOUNT, redis)
    this.#perAddress = createLimiter('sign-in-address', PER_ADDRESS, redis)
    this.passport.use(
      new LocalStrategy(
        { usernameField: 'email', session: false, passReqToCallback: true },
        (request, email, password, done) => {
          this.#recognise(email, password, request.ip ?? '').then(
            (agent) => done(null, agent ?? false),
            (error: unknown) => done(error),
          )
        },
      ),
    )
  }

  /** The agent behind an e-mail and a password; the same answer, in the same time, whatever of the two is wrong. */
  async #recognise(email: string, password: string, address: string): Promise<AgentDoc | null> {
    const account = email.trim().toLowerCase()
    await spend(this.#perAddress, address, TOO_MANY)
    await spend(this.#perAccount, account, TOO_MANY)
    const agent = await Agent.findOne({ email: account, disabledAt: null }, null, {
      acrossWorkspaces: BY_EMAIL,
    }).lean<AgentDoc>()
    if (!(await passwordMatches(agent?.passwordHash, password))) return null
    await this.#perAccount.delete(account).catch(() => {})
    // Many people may share an address: only wrong guesses count against it.
    await this.#perAddress.reward(address).catch(() => {})
    return agent
  }

  async start(agent: AgentDoc): Promise<Grant> {
    const at = this.#clock.now()
    const token = newRefreshToken()
    const session = await Session.start({
      workspace: agent.workspace,
      agent: agent._id,
      tokenHash: token.hash,
      expiresAt: new Date(at.getTime() + REFRESH_EXPIRES_MS),
      at,
    })
    return this.#grant(agent, session._id, token.secret)
  }

  /** Exchanges a refresh token. One that was exchanged before ends its whole session, unless only its answer was lost. */
  async refresh(given: string): Promise<Grant> {
    const read = readRefreshToken(given)
    const at = this.#clock.now()
    const next = newRefreshToken()
    const session =
      read &&
      (await Session.rotate(
        read.session,
        read.hash,
        next.hash,
        new Date(at.getTime() + REFRESH_EXPIRES_MS),
        at,
      ))
    const agent = session && (await Agent.enabled(session.workspace, session.agent))
    if (!session || !agent) throw new Refusal('unauthenticated', 'This sign-in has ended. Sign in again.')
    return this.#grant(agent, session._id, next.secret)
  }

  async end(workspace: WorkspaceId, session: SessionId): Promise<void> {
    await Session.revoke(workspace, session, this.#clock.now())
  }

  /** The agent a token speaks for, while they and their session are still good. */
  async identify(token: string): Promise<{ agent: AgentDoc; claims: Claims } | null> {
    const claims = await this.#tokens.read(token)
    if (!claims) return null
    const [agent, live] = await Promise.all([
      Agent.enabled(claims.workspace, claims.agent),
      Session.isLive(claims.workspace, claims.session),
    ])
    return agent && live ? { agent, claims } : null
  }

  /** Those who may not stay: disabled, signed out, or with other rights by now. For many at once, in few reads. */
  async ended<T extends Holder>(holders: T[]): Promise<T[]> {
    const ended: T[] = []
    for (let start = 0; start < holders.length; start += HOLDERS_AT_ONCE) {
      const some = holders.slice(start, start + HOLDERS_AT_ONCE)
      const [agents, live] = await Promise.all([
        Agent.find(
          { _id: { $in: some.map(({ agent }) => agent) }, disabledAt: null },
          { access: 1 },
          { acrossWorkspaces: OF_ALL },
        ).lean<Pick<AgentDoc, '_id' | 'access'>[]>(),
        Session.live(some.map(({ session }) => session)),
      ])
      const access = new Map(agents.map((agent) => [agent._id, agent.access]))
      ended.push(
        ...some.filter((holder) => access.get(holder.agent) !== holder.access || !live.has(holder.session)),
      )
    }
    return ended
  }

  async #grant(agent: AgentDoc, session: SessionId, secret: string): Promise<Grant> {
    return {
      accessToken: await this.#tokens.issue(agent, session),
      refreshToken: writeRefreshToken(session, secret),
      expiresIn: ACCESS_EXPIRES_S,
      agent,
    }
  }
}
