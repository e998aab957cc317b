import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttp, type HttpClient, outcomeOfFailure, Unanswered, Unreached } from '../../adapters/http.ts'
import { listen, shut } from './world.ts'

describe('the HTTP client', () => {
  let http: HttpClient
  beforeAll(() => {
    http = createHttp({ userAgent: 'tests' })
  })
  afterAll(() => http.close())

  async function against<T>(handler: RequestListener, story: (origin: string) => Promise<T>): Promise<T> {
    const server = createServer(handler)
    const origin = await listen(server)
    try {
      return await story(origin)
    } finally {
      await shut(server)
    }
  }

  it('sends what it is given and returns what it gets', async () => {
    const answer = await against(
      (request, response) => {
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          const { method, url, headers } = request
          response.writeHead(207, { 'x-one': 'a', 'set-cookie': ['b=1', 'c=2'] })
          response.end(
            JSON.stringify({
              method,
              url,
              type: headers['content-type'],
              agent: headers['user-agent'],
              body: `${Buffer.concat(chunks)}`,
            }),
          )
        })
      },
      (origin) =>
        http.request({
          method: 'POST',
          url: `${origin}/a?b=c`,
          headers: { 'content-type': 'x/y' },
          body: 'ä',
        }),
    )
    expect(answer.status).toBe(207)
    expect(answer.headers).toMatchObject({ 'x-one': 'a', 'set-cookie': 'b=1, c=2' })
    expect(JSON.parse(new TextDecoder().decode(answer.body))).toEqual({
      method: 'POST',
      url: '/a?b=c',
      type: 'x/y',
      agent: 'tests',
      body: 'ä',
    })
  })

  it('keeps connections', async () => {
    const ports = new Set<number | undefined>()
    await against(
      (request, response) => {
        ports.add(request.socket.remotePort)
        response.end('ok')
      },
      async (origin) => {
        for (let count = 0; count < 5; count++) await http.request({ method: 'GET', url: origin })
      },
    )
    // The next request may come a moment before the last one's socket is free again.
    expect(ports.size).toBeLessThanOrEqual(2)
  })

  it('does not follow redirects', async () => {
    const answer = await against(
      (_request, response) => response.writeHead(302, { location: '/x' }).end(),
      (origin) => http.request({ method: 'GET', url: origin }),
    )
    expect(answer).toMatchObject({ status: 302, headers: { location: '/x' } })
  })

  it.each(['nonsense', 'ftp://example.com/', 'file:///etc/passwd', '', 'http://'])(
    'does not reach %j',
    async (url) => {
      await expect(http.request({ method: 'GET', url })).rejects.toThrow(Unreached)
    },
  )

  it('tells what never left from what may have arrived', async () => {
    const silent = createTcpServer((socket) => socket.resume())
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : 0
    const url = `http://127.0.0.1:${port}/secret-path?token=secret`
    const arrived = http.request({ method: 'GET', url, timeoutMs: 50 })
    await expect(arrived).rejects.toMatchObject({ name: 'Unanswered', code: 'timeout' })
    await new Promise((resolve) => silent.close(resolve))
    const refused = http.request({ method: 'GET', url })
    await expect(refused).rejects.toMatchObject({ name: 'Unreached', code: 'connection_refused' })
    for (const failed of [arrived, refused]) await expect(failed).rejects.not.toThrow(/secret/)
  })

  it('counts the wait for a free connection, and then nothing has left', async () => {
    const narrow = createHttp({ connectionsPerOrigin: 1 })
    let asked = 0
    await against(
      () => {
        asked++
      },
      async (origin) => {
        const first = narrow.request({ method: 'GET', url: origin, timeoutMs: 300 })
        const second = narrow.request({ method: 'GET', url: origin, timeoutMs: 60 })
        await expect(second).rejects.toThrow(Unreached)
        await expect(first).rejects.toThrow(Unanswered)
      },
    )
    expect(asked).toBe(1)
    await narrow.close()
  })

  it('is not reached through TLS that it cannot trust', async () => {
    await against(
      (_request, response) => response.end(),
      async (origin) => {
        const plain = http.request({ method: 'GET', url: origin.replace('http:', 'https:') })
        await expect(plain).rejects.toThrow(Unreached)
      },
    )
  })

  it('reads no more than it is told to', async () => {
    await against(
      (request, response) => {
        if (request.url === '/told') response.writeHead(200, { 'content-length': 2000 })
        response.end('x'.repeat(2000))
      },
      async (origin) => {
        for (const path of ['/told', '/untold'])
          await expect(
            http.request({ method: 'GET', url: origin + path, maxBytes: 1999 }),
          ).rejects.toMatchObject({ name: 'Unanswered', code: 'answer_too_large' })
        const whole = await http.request({ method: 'GET', url: `${origin}/untold`, maxBytes: 2000 })
        expect(whole.body).toHaveLength(2000)
      },
    )
  })

  it('ends early when told so', async () => {
    const stop = new AbortController()
    await against(
      () => stop.abort(),
      async (origin) => {
        const request = http.request({ method: 'GET', url: origin, signal: stop.signal })
        await expect(request).rejects.toMatchObject({ name: 'Unanswered', code: 'aborted' })
        await expect(http.request({ method: 'GET', url: origin, signal: stop.signal })).rejects.toThrow(
          Unreached,
        )
      },
    )
  })

  it('ends a trickle of an answer', async () => {
    await against(
      (_request, response) => {
        const drip = setInterval(() => response.write('x'), 10)
        response.once('close', () => clearInterval(drip))
      },
      async (origin) => {
        const request = http.request({ method: 'GET', url: origin, timeoutMs: 100 })
        await expect(request).rejects.toMatchObject({ name: 'Unanswered', code: 'timeout' })
      },
    )
  })

  it('once closed, reaches nobody', async () => {
    const closed = createHttp()
    await closed.close()
    await expect(closed.request({ method: 'GET', url: 'http://127.0.0.1:1' })).rejects.toThrow(Unreached)
  })

  it('maps its two errors to outcomes, and throws any other on', () => {
    expect(outcomeOfFailure(new Unreached('h', 'connection_refused'))).toEqual({
      outcome: 'unavailable',
      code: 'connection_refused',
      reason: 'Could not reach h (connection_refused).',
    })
    expect(outcomeOfFailure(new Unanswered('h', 'timeout'))).toMatchObject({ outcome: 'uncertain' })
    expect(() => outcomeOfFailure(new TypeError('ours'))).toThrow(TypeError)
  })
})
