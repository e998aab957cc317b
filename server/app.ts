import compression from 'compression'
import express, { type Express, type Router } from 'express'
import { notFound } from './errors.ts'
import { agents } from './http/agents.ts'
import { apiKeys } from './http/api-keys.ts'
import { contacts } from './http/contacts.ts'
import { conversations } from './http/conversations.ts'
import { type Endpoint, endpoint, mount } from './http/endpoint.ts'
import { health } from './http/health.ts'
import { inboxes } from './http/inboxes.ts'
import { media } from './http/media.ts'
import { messages } from './http/messages.ts'
import { openApi } from './http/openapi.ts'
import { pages } from './http/pages.ts'
import { problems, sendProblem } from './http/problem.ts'
import { sends } from './http/sends.ts'
import { sessions } from './http/sessions.ts'
import { webhooks } from './http/webhooks.ts'
import type { Parts } from './parts.ts'
import { API } from './providers.ts'

/** Every endpoint there is, for the router, the OpenAPI document and the house rules. */
export function endpointsOf(parts: Parts): { api: Endpoint[]; operations: Endpoint[] } {
  const sandboxed = endpoint({
    method: 'get',
    path: '/sandbox',
    summary: 'Whether the sandbox is on',
    access: 'agent',
    answers: { 200: { description: 'On or off' } },
    handle: async () => ({ status: 200, body: { enabled: parts.config.sandbox } }),
  })
  return {
    api: [
      ...sessions(parts),
      ...agents(parts),
      ...inboxes(parts),
      ...conversations(parts),
      ...contacts(parts),
      ...messages(parts),
      ...media(parts),
      ...apiKeys(parts),
      ...sends(parts),
      sandboxed,
    ],
    operations: health(parts),
  }
}

/** The HTTP side of a node: what main and every test build. `sandbox` is the simulators, where they are on. */
export function createApp(parts: Parts, sandbox?: Router): Express {
  const { config, log, metrics } = parts
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', config.production ? 'loopback, linklocal, uniquelocal' : 'loopback')
  app.use((request, response, next) => {
    const end = metrics.requests.startTimer()
    response.on('finish', () =>
      end({ method: request.method, status: `${Math.floor(response.statusCode / 100)}xx` }),
    )
    next()
  })

  const { api, operations } = endpointsOf(parts)
  mount(app, operations, parts)
  // Before anything that parses, compresses or limits: a provider's webhook is bytes, signed, and must not wait.
  app.use(API, webhooks(parts))
  if (sandbox) app.use('/sandbox', sandbox)

  app.use(
    compression({
      filter: (request, response) =>
        !/\/(media|sessions)(\/|$)/.test(request.path) && compression.filter(request, response),
    }),
  )
  const router = express.Router()
  router.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    next()
  })
  // Ten thousand texts of a few parts each.
  router.use('/sms/send/bulk', express.json({ limit: '10mb', strict: true }))
  router.use(express.json({ limit: '256kb', strict: true }))
  mount(router, api, parts)
  app.use(API, router)
  app.use(API, (_request, response) => sendProblem(response, notFound('address')))

  const document = openApi(api, operations)
  app.get('/openapi.json', (_request, response) => {
    response.json(document)
  })
  const basePath = () => `${new URL(parts.publicUrl()).pathname.replace(/\/+$/, '')}/`
  app.use(pages({ sandbox: sandbox !== undefined, basePath }))
  app.use((_request, response) => sendProblem(response, notFound('page')))
  app.use(problems(log))
  return app
}
