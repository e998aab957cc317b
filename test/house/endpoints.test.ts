import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp, endpointsOf } from '../../server/app.ts'
import { readConfig } from '../../server/config.ts'
import { openApi } from '../../server/http/openapi.ts'
import { VIEWS } from '../../server/http/views-schema.ts'
import { createLog } from '../../server/log.ts'
import { Metrics } from '../../server/observability/metrics.ts'
import type { Parts } from '../../server/parts.ts'
import { API } from '../../server/providers.ts'
import { request } from '../support/http.ts'
import { listen, SECRET } from '../support/world.ts'
import { filesIn, placesOf } from './source.ts'

/** Open to anyone, each for a reason. Whoever adds one writes the reason here. */
const PUBLIC: Record<string, string> = {
  'post /api/v1/sessions': 'this is where one signs in',
  'post /api/v1/sessions/refresh': 'the refresh token in the body is the proof',
  'get /api/v1/media/:id/:expires/:signature': 'the signature in the address is the proof',
  'get /health': 'for the orchestrator; tells nothing',
  'get /ready': 'for the orchestrator; tells up or down',
  'get /metrics': 'for Prometheus; the proxy in front hides it',
}

const directory = mkdtempSync(join(tmpdir(), 'nexus-house-'))
/** Nobody is signed in, and nothing is connected: what is refused must be refused before anything is asked of these. */
const parts = {
  config: readConfig({ DATA_DIR: directory, SECRET_KEY: SECRET, LOG_LEVEL: 'silent', SANDBOX: 'off' }),
  log: createLog('silent'),
  metrics: new Metrics(),
  publicUrl: () => 'http://localhost',
  incoming: join(directory, 'incoming'),
  signIn: { identify: async () => null },
} as unknown as Parts

const { api, operations } = endpointsOf(parts)
const all = [
  ...api.map((each) => ({ ...each, address: API + each.path })),
  ...operations.map((each) => ({ ...each, address: each.path })),
]
const nameOf = ({ method, address }: { method: string; address: string }) => `${method} ${address}`
const server = createServer(createApp(parts))
let url: string

beforeAll(async () => {
  url = await listen(server)
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve).closeAllConnections())
  rmSync(directory, { recursive: true, force: true })
})

test('there are endpoints, each at its own address', () => {
  expect(all.length).toBeGreaterThan(20)
  const shapes = all.map((each) => nameOf(each).replace(/:\w+/g, ':'))
  expect(shapes.filter((shape, index) => shapes.indexOf(shape) !== index)).toEqual([])
})

describe('who may call', () => {
  test('every endpoint says who, and those open to anyone are the ones we know', () => {
    const roles = ['public', 'system', 'agent', 'supervisor', 'admin']
    expect(all.filter(({ access }) => !roles.includes(access)).map(nameOf)).toEqual([])
    expect(
      all
        .filter(({ access }) => access === 'public')
        .map(nameOf)
        .sort(),
    ).toEqual(Object.keys(PUBLIC).sort())
  })

  test.each(all.filter(({ access }) => access !== 'public').map((each) => [nameOf(each), each] as const))(
    '%s refuses whoever is not signed in',
    async (_name, { method, address }) => {
      for (const token of [undefined, 'x.y.z']) {
        const path = address.replace(/:\w+/g, '01a2053c-d272-77bc-ad39-17d153074b39')
        const answer = await request(method.toUpperCase(), url + path, { token })
        expect(answer.status).toBe(401)
        expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
        expect(answer.body).toMatchObject({ code: 'unauthenticated' })
      }
    },
  )

  test('nothing is served past `endpoint`, but webhooks and pages', () => {
    const files = filesIn(['server'], /\.ts$/).filter((file) => !/^server\/(embedded|sandbox)\//.test(file))
    const routing = placesOf(/\b(router|app)(\.(get|post|put|patch|delete|all)\b|\[)/, files)
    const allowed = [
      'server/app.ts',
      'server/http/endpoint.ts',
      'server/http/pages.ts',
      'server/http/webhooks.ts',
    ]
    expect(
      routing.map((place) => place.split(':')[0]).filter((file) => !allowed.includes(file ?? '')),
    ).toEqual([])
    expect(routing.filter((place) => place.startsWith('server/app.ts'))).toHaveLength(1) // /openapi.json
  })
})

describe('what it answers', () => {
  const document = openApi(api, operations) as {
    paths: Record<string, Record<string, { responses: Record<string, unknown>; security?: unknown[] }>>
    components: { schemas: Record<string, unknown> }
  }

  test('every endpoint has a sentence and an answer that is not an error', () => {
    for (const each of all) {
      expect(each.summary, nameOf(each)).toMatch(/^[A-Z].{4,}[^.]$/)
      expect(
        Object.keys(each.answers).some((status) => status.startsWith('2')),
        nameOf(each),
      ).toBe(true)
    }
  })

  test('every answer it documents exists', () => {
    const missing = all.flatMap((each) =>
      Object.values(each.answers)
        .filter(({ schema }) => schema !== undefined && !(schema in VIEWS))
        .map(({ schema }) => `${nameOf(each)}: ${schema}`),
    )
    expect(missing).toEqual([])
  })

  test('every endpoint is in the OpenAPI document, with the lock on it that it has', () => {
    for (const each of all) {
      const path = each.address.replace(/:(\w+)/g, '{$1}')
      const operation = document.paths[path]?.[each.method]
      expect(operation, nameOf(each)).toBeDefined()
      expect(operation?.security !== undefined, nameOf(each)).toBe(each.access !== 'public')
      for (const status of Object.keys(each.answers)) expect(operation?.responses).toHaveProperty(status)
    }
    const documented = Object.values(document.paths).flatMap((operations) => Object.keys(operations))
    expect(documented).toHaveLength(all.length)
  })

  test('every reference in the document leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    )
    expect(references.length).toBeGreaterThan(20)
    expect(references.filter((name) => !(String(name) in document.components.schemas))).toEqual([])
  })

  test('what is served is that document', async () => {
    const served = await request('GET', `${url}/openapi.json`)
    expect(served.body).toEqual(JSON.parse(JSON.stringify(document)))
  })
})
