import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createHttp } from '../../../adapters/http.ts'
import { Downloader } from '../../../server/net/download.ts'
import { Guard, isPublic, type Resolve } from '../../../server/net/guard.ts'
import { listen } from '../../support/world.ts'

const MB = 1_048_576

let directory: string
let server: Server
let url: string
let port: string
let requests = 0
let answer: RequestListener
const downloaders: Downloader[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nexus-net-'))
  server = createServer((request, response) => {
    requests++
    answer(request, response)
  })
  url = await listen(server)
  ;({ port } = new URL(url))
})
afterAll(async () => {
  await Promise.all(downloaders.map((each) => each.close()))
  await new Promise((resolve) => server.close(resolve).closeAllConnections())
  await rm(directory, { recursive: true, force: true })
})
beforeEach(() => {
  requests = 0
  answer = (_request, response) => response.end('inside')
})

/** Names resolve to what the list says, one entry each time they are asked; the last one stays. */
const resolving = (...answers: string[][]): Resolve => {
  const left = [...answers]
  return (_hostname, callback) => {
    const addresses = (left.length > 1 ? left.shift() : left[0]) ?? []
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
}
async function download(
  address: string,
  options: ConstructorParameters<typeof Guard>[0] = {},
  maxBytes = MB,
  timeoutMs = 5_000,
) {
  const path = join(directory, randomUUID())
  const downloader = new Downloader({
    guard: new Guard({ connectTimeoutMs: 300, ...options }),
    anyPort: true,
  })
  downloaders.push(downloader)
  try {
    const got = await downloader.toFile(address, path, { maxBytes, timeoutMs })
    return { ...got, text: await readFile(path, 'utf8') }
  } finally {
    if (existsSync(path)) await rm(path)
  }
}
const LOOPBACK = { loopback: true }

describe('what is no address of the internet', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '198.18.0.1',
    '192.0.0.192',
    '240.0.0.1',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'not an address',
  ])('%s', (address) => {
    expect(isPublic(address)).toBe(false)
  })
  test.each(['1.1.1.1', '8.8.8.8', '149.154.167.220', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'but %s is',
    (address) => {
      expect(isPublic(address)).toBe(true)
    },
  )
})

describe('SSRF by an address that somebody else chose (22)', () => {
  test.each([
    ['loopback', () => url],
    ['decimal', () => `http://2130706433:${port}/`],
    ['octal', () => `http://0177.0.0.1:${port}/`],
    ['hexadecimal', () => `http://0x7f.0.0.1:${port}/`],
    ['short form', () => `http://127.1:${port}/`],
    ['zero', () => `http://0:${port}/`],
    ['IPv4-mapped IPv6', () => `http://[::ffff:127.0.0.1]:${port}/`],
    ['IPv6 loopback', () => `http://[::1]:${port}/`],
    ['fullwidth digits', () => `http://１２７.0.0.1:${port}/`],
    ['localhost by name', () => `http://localhost:${port}/`],
    ['metadata of a cloud', () => 'http://169.254.169.254/latest/meta-data/'],
    ['CGNAT', () => 'http://100.64.0.1/'],
  ])('%s is refused before anything is asked of it', async (_trick, address) => {
    await expect(download(address())).rejects.toThrow('not a public one')
    expect(requests).toBe(0)
  })

  test('a name that resolves to a private address, also to one among public ones, is refused', async () => {
    const resolve = resolving(['127.0.0.1'])
    await expect(download(`http://inside.example:${port}/`, { resolve })).rejects.toThrow('not a public one')
    const mixed = resolving(['93.184.215.14', '127.0.0.1'])
    await expect(download(`http://mixed.example:${port}/`, { resolve: mixed })).rejects.toThrow(
      'not a public one',
    )
    expect(requests).toBe(0)
  })

  test('DNS rebinding: what was checked is what is connected to, and a new connection is checked anew', async () => {
    let asked = 0
    const rebinding = resolving(['192.0.2.7'], ['127.0.0.1'])
    const resolve: Resolve = (hostname, callback) => {
      asked++
      rebinding(hostname, callback)
    }
    for (let turn = 1; turn <= 3; turn++) {
      await expect(download(`http://rebind.example:${port}/`, { resolve })).rejects.toThrow(
        'not a public one',
      )
      expect(asked, 'resolved once a connection').toBe(turn)
    }
    expect(requests).toBe(0)
  })

  test('a redirect is checked like the first address, on every hop', async () => {
    // The first hop may be reached by name; what it points at may not.
    const allowed = [`first.example:${port}`]
    answer = (_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${port}/secret` }).end()
    const resolve = resolving(['127.0.0.1'])
    const dispatch = download(`http://127.0.0.1:${port}/`, { allowed: [`127.0.0.1:${port}`], resolve })
    await expect(dispatch, 'an allowed place that redirects to itself for ever').rejects.toThrow(
      'redirects too often',
    )
    expect(requests).toBe(6)
    requests = 0
    answer = (_request, response) =>
      response.writeHead(307, { location: `http://[::1]:${port}/secret` }).end()
    await expect(download(url, { allowed: [...allowed, `127.0.0.1:${port}`] })).rejects.toThrow(
      'not a public one',
    )
    expect(requests, 'the first hop only').toBe(1)
  })

  test.each([
    'file:///etc/passwd',
    'ftp://example.com/a',
    'gopher://example.com:70/',
    'data:text/plain,a',
    'javascript:alert(1)',
    'not an address',
  ])('%s is no address for us, nor a place to be redirected to', async (address) => {
    await expect(download(address)).rejects.toThrow('Only http and https')
    if (!address.includes(':')) return
    answer = (_request, response) => response.writeHead(301, { location: address }).end()
    await expect(download(url, LOOPBACK)).rejects.toThrow('Only http and https')
  })

  test('user names in an address and ports of other services are refused', async () => {
    await expect(download(`http://example.com@127.0.0.1:${port}/`, LOOPBACK)).rejects.toThrow('user name')
    const strict = new Downloader({ guard: new Guard(LOOPBACK) })
    downloaders.push(strict)
    const path = join(directory, 'port')
    for (const odd of [22, 25, 6379, 27017])
      await expect(strict.toFile(`http://127.0.0.1:${odd}/`, path, { maxBytes: MB })).rejects.toThrow(
        `port ${odd}`,
      )
    expect(existsSync(path)).toBe(false)
  })

  test('where this machine is allowed the same address is fetched', async () => {
    answer = (_request, response) => response.setHeader('content-type', 'text/plain; charset=x').end('inside')
    expect(await download(`${url}/a/%C3%A4%20b.txt?c=d`, LOOPBACK)).toEqual({
      mime: 'text/plain',
      name: 'ä b.txt',
      text: 'inside',
    })
  })

  test('the client that adapters call providers with is held to the same', async () => {
    const http = createHttp({ connect: new Guard().connect })
    for (const address of [url, `http://localhost:${port}/`, `http://0x7f000001:${port}/`])
      await expect(http.request({ method: 'GET', url: address })).rejects.toMatchObject({
        name: 'Unreached',
        code: 'forbidden_address',
      })
    await expect(http.request({ method: 'GET', url: `http://a:b@127.0.0.1:${port}/` })).rejects.toMatchObject(
      { code: 'invalid_address' },
    )
    await http.close()
    expect(requests).toBe(0)
    const allowing = createHttp({ connect: new Guard({ allowed: [`127.0.0.1:${port}`] }).connect })
    expect((await allowing.request({ method: 'GET', url })).status).toBe(200)
    await allowing.close()
  })
})

describe('what an address hands over (21)', () => {
  test('a gzip bomb is given up on long before it is unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MB))
    expect(bomb.length).toBeLessThan(MB)
    answer = (_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb)
    await expect(download(url, LOOPBACK, 100 * MB)).rejects.toThrow('packed tighter')
    await expect(download(url, LOOPBACK, MB)).rejects.toThrow('larger than 1 MB')
  })

  test('a bomb that is a file of its own stays packed', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * MB))
    answer = (_request, response) => response.setHeader('content-type', 'application/gzip').end(bomb)
    expect((await download(url, LOOPBACK)).mime).toBe('application/gzip')
  })

  test('honest compression is undone; an unknown one is refused', async () => {
    answer = (_request, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('hello'))
    expect((await download(url, LOOPBACK)).text).toBe('hello')
    answer = (_request, response) =>
      response.setHeader('content-encoding', 'gzip, gzip').end(gzipSync(gzipSync('hello')))
    await expect(download(url, LOOPBACK)).rejects.toThrow('not understood')
  })

  test('too large by its own word, and too large without a word', async () => {
    answer = (_request, response) =>
      response.setHeader('content-length', String(3 * MB)).end(Buffer.alloc(3 * MB))
    await expect(download(url, LOOPBACK)).rejects.toThrow('larger than 1 MB')
    answer = (_request, response) => {
      response.on('error', () => {})
      for (let part = 0; part < 3; part++) response.write(Buffer.alloc(MB))
    }
    await expect(download(url, LOOPBACK)).rejects.toThrow('larger than 1 MB')
  })

  test('drop by drop without end is cut off in time', async () => {
    answer = (_request, response) => {
      response.write('a')
      const drops = setInterval(() => response.write('a'), 20)
      response.on('close', () => clearInterval(drops))
    }
    await expect(download(url, LOOPBACK, MB, 200)).rejects.toThrow('in time')
  })

  test.each([404, 500, 206, 304])('status %i is said', async (status) => {
    answer = (_request, response) => response.writeHead(status).end()
    await expect(download(url, LOOPBACK)).rejects.toThrow(`status ${status}`)
  })
})
