import type { Redis } from 'ioredis'
import { pingDatabase } from '../database.ts'
import type { Parts } from '../parts.ts'
import { type Endpoint, endpoint } from './endpoint.ts'

const PING_MS = 2_000

/** For orchestrators and Prometheus. Alive: the process answers. Ready: it can do its work, and says what it lacks. */
export function health({ redis, metrics }: Pick<Parts, 'redis' | 'metrics'>): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/health',
      summary: 'The process is alive',
      access: 'public',
      answers: { 200: { description: 'Alive' } },
      handle: async () => ({ status: 200, body: { status: 'alive' } }),
    }),
    endpoint({
      method: 'get',
      path: '/ready',
      summary: 'The store answers; Redis too, where one is set',
      access: 'public',
      answers: { 200: { description: 'Ready' }, 503: { description: 'Not ready, and what is missing' } },
      async handle() {
        const [store, cache] = await Promise.all([
          answers(pingDatabase(PING_MS)),
          redis ? answers(ping(redis)) : null,
        ])
        // Without Redis everything still works, later: broadcasts of other nodes come by catch-up. So it does not fail the probe.
        return {
          status: store ? 200 : 503,
          body: {
            status: store ? 'ready' : 'not ready',
            store: word(store),
            redis: cache === null ? 'not used' : word(cache),
          },
        }
      },
    }),
    endpoint({
      method: 'get',
      path: '/metrics',
      summary: 'Prometheus metrics; keep it off the public network',
      access: 'public',
      answers: { 200: { description: 'Text in Prometheus form' } },
      async handle({ response }) {
        response.type(metrics.registry.contentType).send(await metrics.registry.metrics())
        return null
      },
    }),
  ]
}

const answers = (ping: Promise<unknown>): Promise<boolean> =>
  ping.then(
    () => true,
    () => false,
  )
const word = (up: boolean): string => (up ? 'up' : 'down')
const ping = (redis: Redis): Promise<unknown> => redis.ping()
