import { z } from 'zod'
import { ApiKey, type ApiKeyDoc } from '../../models/api-key.ts'
import type { ApiKeyId } from '../../models/ids.ts'
import { notFound } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { apiKeyView } from '../views.ts'
import { created, type Endpoint, endpoint, noContent, ok, uuid } from './endpoint.ts'

/** The keys of other systems. */
export function apiKeys({ clock, log }: Pick<Parts, 'clock' | 'log'>): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api-keys',
      summary: 'The keys of other systems, without their secrets',
      access: 'admin',
      answers: { 200: { description: 'All of them, oldest first', schema: 'ApiKeyList' } },
      async handle({ agent }) {
        const keys = await ApiKey.find({ workspace: agent.workspace })
          .sort({ createdAt: 1 })
          .lean<ApiKeyDoc[]>()
        return ok({ data: keys.map(apiKeyView) })
      },
    }),
    endpoint({
      method: 'post',
      path: '/api-keys',
      summary: 'Give another system a key. Its secret is answered once and kept nowhere',
      access: 'admin',
      shapes: { body: z.strictObject({ name: z.string().trim().min(1).max(100) }) },
      answers: {
        201: {
          description: 'Made; `secret` is what the system sends as a bearer token',
          schema: 'NewApiKey',
        },
      },
      async handle({ agent, body }) {
        const { key, secret } = await ApiKey.issue({
          workspace: agent.workspace,
          name: body.name,
          createdBy: agent._id,
          at: clock.now(),
        })
        log.info({ event: 'api_key.made', key: key._id, agent: agent._id })
        return created({ ...apiKeyView(key), secret })
      },
    }),
    endpoint({
      method: 'delete',
      path: '/api-keys/:id',
      summary: 'Take a key back, at once and for good',
      access: 'admin',
      shapes: { params: z.object({ id: uuid<ApiKeyId>() }) },
      answers: { 204: { description: 'It opens nothing any more' } },
      async handle({ agent, params }) {
        const revoked = await ApiKey.revoke(agent.workspace, params.id, clock.now())
        if (!revoked) throw notFound('key')
        log.info({ event: 'api_key.revoked', key: revoked._id, agent: agent._id })
        return noContent
      },
    }),
  ]
}
