import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT, read } from './source.ts'

interface Service {
  image?: string
  build?: unknown
  environment?: Record<string, string>
  command?: string[]
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}
const { services } = compose
const service = (name: string): Service => services[name] ?? {}
const nodes = Object.keys(services).filter((name) => services[name]?.build)
const settings = [...read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name)

describe('docker-compose.yml', () => {
  test('is two nodes, MongoDB 8, Redis 7 and nginx', () => {
    expect(nodes).toEqual(['app', 'app2'])
    expect(service('mongo').image).toMatch(/^mongo:8/)
    expect(service('mongo').command).toContain('--replSet')
    expect(service('redis').image).toMatch(/^redis:7/)
    expect(service('nginx').image).toMatch(/^nginx:/)
  })

  test('sets nothing that is no setting, and gives both nodes the same', () => {
    for (const name of nodes) {
      const environment = service(name).environment ?? {}
      expect(Object.keys(environment).filter((key) => !settings.includes(key))).toEqual([])
      expect(environment).toEqual(service('app').environment)
    }
  })

  test('does not start without a secret and an address, and says what to do', () => {
    const { SECRET_KEY, PUBLIC_URL } = service('app').environment ?? {}
    expect(SECRET_KEY).toMatch(/^\$\{SECRET_KEY:\?.*openssl rand/)
    expect(PUBLIC_URL).toMatch(/^\$\{PUBLIC_URL:\?.*https:/)
  })

  test('waits for what is healthy, and everything waited for says when it is', () => {
    for (const [name, { depends_on: needs = {} }] of Object.entries(services))
      for (const [other, { condition }] of Object.entries(needs)) {
        expect(condition, `${name} needs ${other}`).toBe('service_healthy')
        const checked =
          service(other).healthcheck ?? (service(other).build && /HEALTHCHECK/.test(read('Dockerfile')))
        expect(checked, `${other} has a health check`).toBeTruthy()
      }
  })

  test('names no volume that it does not make', () => {
    const named = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0] ?? ''))
      .filter((source) => !source.startsWith('.'))
    expect(named.filter((name) => !(name in compose.volumes))).toEqual([])
  })
})

interface Directive {
  name: string
  values: string[]
  block?: Directive[]
}

/** nginx's own grammar: words, quotes, comments, `;` and blocks. Throws for what does not close. */
function parseNginx(text: string): Directive[] {
  const tokens = [...text.matchAll(/#[^\n]*|"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[{};]|[^\s{};'"#]+/g)]
    .map(([token]) => token)
    .filter((token) => !token.startsWith('#'))
  const block = (depth: number): Directive[] => {
    const found: Directive[] = []
    for (let words: string[] = []; ; ) {
      const token = tokens.shift()
      if (token === undefined || token === '}') {
        if (words.length > 0) throw new Error(`"${words.join(' ')}" does not end with ;`)
        if ((token === undefined) !== (depth === 0))
          throw new Error('a block does not close, or closes twice')
        return found
      }
      if (token !== ';' && token !== '{') {
        words.push(token)
        continue
      }
      const [name, ...values] = words
      if (!name) throw new Error(`"${token}" follows nothing`)
      found.push({ name, values, ...(token === '{' ? { block: block(depth + 1) } : {}) })
      words = []
    }
  }
  return block(0)
}

describe('deploy/nginx.conf', () => {
  test.each(['a {', 'a; }', 'a b', 'a {}} b;', ';'])('the reader refuses %s', (text) => {
    expect(() => parseNginx(text)).toThrow()
  })

  const http = parseNginx(read('deploy/nginx.conf')).find(({ name }) => name === 'http')?.block ?? []
  const server = http.find(({ name }) => name === 'server')?.block ?? []
  const headers = Object.fromEntries(
    server
      .filter(({ name }) => name === 'proxy_set_header')
      .map(({ values: [header, value] }) => [header, value]),
  )

  test('knows every node, at the port it listens on', () => {
    const upstream = http.find(({ name }) => name === 'upstream')?.block ?? []
    const port = /^EXPOSE (\d+)$/m.exec(read('Dockerfile'))?.[1]
    expect(upstream.filter(({ name }) => name === 'server').map(({ values: [address] }) => address)).toEqual(
      nodes.map((node) => `${node}:${port}`),
    )
  })

  test('lets sockets through, and says who asks by which scheme', () => {
    expect(server).toContainEqual({ name: 'proxy_http_version', values: ['1.1'] })
    expect(headers).toMatchObject({
      Upgrade: '$http_upgrade',
      Connection: '$connection_upgrade',
      'X-Forwarded-For': '$remote_addr',
      'X-Forwarded-Proto': '$scheme',
    })
    // A location that sets a header of its own would lose all of these.
    const locations = server.filter(({ name }) => name === 'location')
    expect(
      locations.flatMap(({ block = [] }) => block).filter(({ name }) => name === 'proxy_set_header'),
    ).toEqual([])
  })

  test('takes uploads as large as the product does, and keeps metrics to itself', () => {
    const limit = /MAX_FILE_BYTES = (\d+) \* 1024 \* 1024/.exec(read('server/http/media.ts'))?.[1]
    const size = server.find(({ name }) => name === 'client_max_body_size')?.values[0] ?? ''
    expect(Number.parseInt(size, 10)).toBeGreaterThan(Number(limit))
    expect(server).toContainEqual({
      name: 'location',
      values: ['=', '/metrics'],
      block: [{ name: 'return', values: ['404'] }],
    })
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n')

  test('runs what npm start runs, as nobody special, and says when it is ready', () => {
    const start = (JSON.parse(read('package.json')) as { scripts: { start: string } }).scripts.start
    expect(lines).toContain(`CMD ${JSON.stringify(start.split(' ')).replaceAll('","', '", "')}`)
    expect(lines).toContain('USER node')
    expect(read('Dockerfile')).toMatch(/HEALTHCHECK[^\n]*\\\n {2}CMD \[.*\/ready.*\]/)
  })

  test('its health check is a program', () => {
    const command = JSON.parse(
      /HEALTHCHECK[^\n]*\\\n {2}CMD (\[.*\])/.exec(read('Dockerfile'))?.[1] ?? '',
    ) as string[]
    expect(command.slice(0, 2)).toEqual(['node', '-e'])
    expect(() => new Function(command[2] ?? '')).not.toThrow()
  })
})

describe('the scripts', () => {
  test.each(['.ci/run', 'bin/say'])('%s stops at the first failure, and may be run', (path) => {
    expect(read(path)).toMatch(/^#!\/usr\/bin\/env bash\n(#.*\n)+set -euo pipefail\n/)
    expect(() => accessSync(join(ROOT, path), constants.X_OK)).not.toThrow()
  })

  test('.ci/run takes the steps in order, each of which there is', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const steps = [...read('.ci/run').matchAll(/^step npm (?:run )?(\S+)$/gm)].map(([, name]) => String(name))
    expect(steps).toEqual(['ci', 'typecheck', 'lint', 'build', 'test'])
    expect(steps.filter((name) => name !== 'ci' && !(name in scripts))).toEqual([])
  })
})
