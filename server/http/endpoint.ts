import type { Request, Response, Router } from 'express'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { AgentDoc, Role } from '../../models/agent.ts'
import { ApiKey, type ApiKeyDoc } from '../../models/api-key.ts'
import { createLimiter, spend } from '../auth/limits.ts'
import type { SignIn } from '../auth/sign-in.ts'
import type { Claims } from '../auth/tokens.ts'
import { Refusal } from '../errors.ts'

/** Who may call: anyone, an agent of at least this role, or another system by its API key. There is no default: an endpoint that says nothing cannot be written. */
export type Access = 'public' | 'system' | Role

/** What an endpoint answers with. */
export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

interface Shapes {
  params?: z.ZodType
  query?: z.ZodType
  body?: z.ZodType
}
type Parsed<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : undefined

/** What a handler gets: everything checked already. */
export interface Asked<S extends Shapes, A extends Access> {
  params: Parsed<S['params']>
  query: Parsed<S['query']>
  body: Parsed<S['body']>
  agent: A extends Role ? AgentDoc : undefined
  claims: A extends Role ? Claims : undefined
  /** The other system that asks. */
  system: A extends 'system' ? ApiKeyDoc : undefined
  request: Request
  response: Response
}

/**
 * One endpoint: its address, who may call it, the shapes it takes, what it does. The same shapes validate the request and
 * make the OpenAPI document, so the two cannot differ.
 */
export interface Endpoint {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As express writes it: `/conversations/:id`. */
  path: string
  summary: string
  access: Access
  shapes: Shapes
  /** Status to a word on what comes with it, and the component it is an example of. */
  answers: Record<number, { description: string; schema?: string }>
  handle(asked: Asked<Shapes, Access>): Promise<Answer | null>
}

/** Writes an endpoint down, with its handler typed by its shapes. A handler that answers by itself returns null. */
export function endpoint<const S extends Shapes, const A extends Access>(
  given: Omit<Endpoint, 'shapes' | 'access' | 'handle'> & {
    access: A
    shapes?: S
    handle(asked: Asked<S, A>): Promise<Answer | null>
  },
): Endpoint {
  return { ...given, shapes: given.shapes ?? {}, handle: given.handle as unknown as Endpoint['handle'] }
}

const RANK: Record<Role, number> = { agent: 0, supervisor: 1, admin: 2 }

/** How often one caller may ask: an agent by their session, everybody else by their address. */
const PER_SESSION = { points: 6_000, seconds: 60 }
const PER_ADDRESS = { points: 600, seconds: 60 }

/** Puts endpoints on a router: who is asking, may they, not too often, is it well-formed, then the handler. */
export function mount(
  router: Router,
  endpoints: Endpoint[],
  { signIn, redis }: { signIn: SignIn; redis: Redis | undefined },
): void {
  const perSession = createLimiter('api-session', PER_SESSION, redis)
  const perAddress = createLimiter('api-address', PER_ADDRESS, redis)
  const pace = async (request: Request, response: Response, session: string | undefined) => {
    const [limiter, { points }] =
      session === undefined ? [perAddress, PER_ADDRESS] : [perSession, PER_SESSION]
    const left = await spend(limiter, session ?? request.ip ?? '', 'Too many requests. Slow down.')
    response.set({
      'RateLimit-Limit': String(points),
      'RateLimit-Remaining': String(left.remainingPoints),
      'RateLimit-Reset': String(Math.ceil(left.msBeforeNext / 1000)),
    })
  }
  for (const { method, path, access, shapes, handle } of endpoints) {
    router[method](path, async (request, response) => {
      const caller = await callerOf(request, access, signIn)
      await pace(request, response, caller.claims?.session ?? caller.system?._id)
      const answer = await handle({
        params: parse(shapes.params, request.params, 'params'),
        query: parse(shapes.query, request.query, 'query'),
        body: parse(shapes.body, request.body, 'body'),
        agent: caller.agent as never,
        claims: caller.claims as never,
        system: caller.system as never,
        request,
        response,
      })
      if (answer === null) return
      if (answer.headers) response.set(answer.headers)
      if (answer.body === undefined) response.status(answer.status).end()
      else response.status(answer.status).json(answer.body)
    })
  }
}

interface Caller {
  agent?: AgentDoc
  claims?: Claims
  system?: ApiKeyDoc
}

async function callerOf(request: Request, access: Access, signIn: SignIn): Promise<Caller> {
  if (access === 'public') return {}
  if (access !== 'system') return authorise(request, access, signIn)
  const system = await ApiKey.identify(bearerOf(request))
  if (!system) throw new Refusal('unauthenticated', 'Send a valid API key as a bearer token.')
  return { system }
}

/** What the caller shows; never anything in the address. */
function bearerOf(request: Request): string {
  const [scheme, token] = (request.get('authorization') ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' ? (token ?? '') : ''
}

/** The agent who asks, by the bearer token. */
export async function authorise(
  request: Request,
  access: Role,
  signIn: SignIn,
): Promise<{ agent: AgentDoc; claims: Claims }> {
  const token = bearerOf(request)
  const known = token ? await signIn.identify(token) : null
  if (!known)
    throw new Refusal('unauthenticated', 'Sign in first: send a valid access token as a bearer token.')
  if (RANK[known.agent.role] < RANK[access]) throw new Refusal('forbidden', `Only a ${access} may do this.`)
  return known
}

function parse(shape: z.ZodType | undefined, value: unknown, where: 'params' | 'query' | 'body'): never {
  if (!shape) return undefined as never
  const parsed = shape.safeParse(value ?? {})
  if (parsed.success) return parsed.data as never
  // An id that is none cannot name anything: the answer is the same as for one that names nothing of yours.
  if (where === 'params') throw new Refusal('not_found', 'There is nothing here.')
  const errors = parsed.error.issues.map((issue) => ({
    field: issue.path.join('.') || where,
    message: issue.message,
  }))
  throw new Refusal('invalid_request', errors.map((each) => `${each.field}: ${each.message}`).join('; '), {
    errors,
  })
}

export const uuid = <T extends string>() => z.uuid().transform((text) => text as T)
export const ok = (body: unknown): Answer => ({ status: 200, body })
export const created = (body: unknown): Answer => ({ status: 201, body })
export const noContent: Answer = { status: 204 }
