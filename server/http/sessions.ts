import { z } from 'zod'
import type { AgentDoc } from '../../models/agent.ts'
import type { Grant } from '../auth/sign-in.ts'
import { Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { agentView } from '../views.ts'
import { created, type Endpoint, endpoint, noContent, ok } from './endpoint.ts'

const view = (grant: Grant) => ({ ...grant, agent: agentView(grant.agent) })

/** Signing in, staying in, signing out. */
export function sessions({ signIn, broadcasts }: Pick<Parts, 'signIn' | 'broadcasts'>): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/sessions',
      summary: 'Sign in',
      access: 'public',
      shapes: {
        body: z.strictObject({ email: z.string().min(1).max(320), password: z.string().min(1).max(1_000) }),
      },
      answers: { 201: { description: 'Signed in', schema: 'Session' } },
      async handle({ request, response }) {
        const agent = await new Promise<AgentDoc>((resolve, reject) => {
          signIn.passport.authenticate(
            'local',
            { session: false },
            (error: unknown, agent: AgentDoc | false | undefined) => {
              if (error) reject(error)
              else if (agent) resolve(agent)
              else reject(new Refusal('wrong_credentials', 'E-mail or password is wrong.'))
            },
          )(request, response, reject)
        })
        return created(view(await signIn.start(agent)))
      },
    }),
    endpoint({
      method: 'post',
      path: '/sessions/refresh',
      summary:
        'Exchange a refresh token for new tokens; each works once, and once more for a moment if its answer was lost',
      access: 'public',
      shapes: { body: z.strictObject({ refreshToken: z.string().min(1).max(200) }) },
      answers: { 201: { description: 'New tokens', schema: 'Session' } },
      async handle({ body }) {
        return created(view(await signIn.refresh(body.refreshToken)))
      },
    }),
    endpoint({
      method: 'delete',
      path: '/sessions/current',
      summary: 'Sign out',
      access: 'agent',
      answers: { 204: { description: 'Signed out' } },
      async handle({ claims }) {
        await signIn.end(claims.workspace, claims.session)
        broadcasts.disconnectSession(claims.session)
        return noContent
      },
    }),
    endpoint({
      method: 'get',
      path: '/me',
      summary: 'Who I am',
      access: 'agent',
      answers: { 200: { description: 'The agent who asks', schema: 'Agent' } },
      async handle({ agent }) {
        return ok(agentView(agent))
      },
    }),
  ]
}
