import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { Agent, type Dispatcher, request } from 'undici'
import { ForbiddenAddress, type Guard } from './guard.ts'

const TIMEOUT_MS = 30_000
const MAX_REDIRECTS = 5
/** What is fetched for others is on a web server's port; another one is a way to make us talk to something else. */
const PORTS = new Set(['', '80', '443', '8080', '8443'])
/** Compressed answers may grow so much; text seldom shrinks below a twentieth. */
const MAX_RATIO = 100
/** Below this much nobody is harmed, whatever the ratio. */
const RATIO_FROM = 1_048_576

export interface Downloaded {
  mime: string | undefined
  /** What the address calls it. */
  name: string | undefined
}

/** Why nothing was fetched. The message is for the person who gave the address. */
export class DownloadFailed extends Error {
  override name = 'DownloadFailed'
}

interface DownloaderOptions {
  guard: Guard
  /** Any port, for development. */
  anyPort?: boolean
}

/** Fetches addresses that somebody else chose, to disk. */
export class Downloader {
  readonly #agent: Agent
  readonly #anyPort: boolean

  constructor({ guard, anyPort = false }: DownloaderOptions) {
    this.#anyPort = anyPort
    this.#agent = new Agent({
      connect: guard.connect,
      allowH2: false,
      connections: 16,
      maxHeaderSize: 16_384,
    })
  }

  /** Writes what is at the address into a new file, or throws {@link DownloadFailed} and leaves none. */
  async toFile(
    address: string,
    path: string,
    { maxBytes, timeoutMs = TIMEOUT_MS }: { maxBytes: number; timeoutMs?: number },
  ): Promise<Downloaded> {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      const { url, answer } = await this.#follow(address, signal)
      await save(answer, path, maxBytes, signal)
      const mime = headerOf(answer, 'content-type')?.split(';', 1)[0]?.trim()
      return { mime, name: nameIn(url) }
    } catch (error) {
      await rm(path, { force: true })
      if (error instanceof DownloadFailed) throw error
      if (signal.aborted) throw new DownloadFailed('The address did not hand the file over in time.')
      if (error instanceof ForbiddenAddress) throw new DownloadFailed('The address is not a public one.')
      if (isLocal(error)) throw error
      throw new DownloadFailed('The address could not be reached, or broke off.')
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #follow(address: string, signal: AbortSignal) {
    let url = this.#permitted(address)
    for (let hop = 0; ; hop++) {
      const answer = await request(url, {
        dispatcher: this.#agent,
        signal,
        headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'nexus-inbox' },
      })
      const location = headerOf(answer, 'location')
      if (answer.statusCode < 300 || answer.statusCode > 399 || location === undefined) {
        if (answer.statusCode === 200) return { url, answer }
        letGo(answer.body)
        throw new DownloadFailed(`The address answered with status ${answer.statusCode}.`)
      }
      letGo(answer.body)
      if (hop === MAX_REDIRECTS) throw new DownloadFailed('The address redirects too often.')
      url = this.#permitted(URL.canParse(location, url.href) ? new URL(location, url).href : location)
    }
  }

  #permitted(address: string): URL {
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
      throw new DownloadFailed('Only http and https addresses are fetched.')
    if (url.username || url.password)
      throw new DownloadFailed('An address with a user name in it is not fetched.')
    if (!this.#anyPort && !PORTS.has(url.port))
      throw new DownloadFailed(`An address with port ${url.port} is not fetched.`)
    return url
  }
}

async function save(
  { body, headers }: Dispatcher.ResponseData,
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const tooLarge = () => new DownloadFailed(`The file is larger than ${Math.floor(maxBytes / 1_048_576)} MB.`)
  if (Number(headers['content-length']) > maxBytes) {
    letGo(body)
    throw tooLarge()
  }
  let packed = 0
  let unpacked = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      packed += chunk.length
      done(packed > maxBytes ? tooLarge() : null, chunk)
    },
  })
  const bound = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      unpacked += chunk.length
      if (unpacked > maxBytes) done(tooLarge())
      else if (unpacked > RATIO_FROM && unpacked > packed * MAX_RATIO)
        done(new DownloadFailed('The file is packed tighter than any honest one.'))
      else done(null, chunk)
    },
  })
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  const unpack = decoderOf(headers['content-encoding'])
  const steps = unpack ? [body, count, unpack, bound, file] : [body, count, bound, file]
  await pipeline(steps as [Readable, Transform, typeof file], { signal })
}

/** We ask for the plain bytes; a server that packs them all the same is understood where it says how, once. */
function decoderOf(encoding: string | string[] | undefined): Transform | undefined {
  switch (String(encoding ?? 'identity').toLowerCase()) {
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    case 'br':
      return createBrotliDecompress()
    default:
      throw new DownloadFailed('The file is packed in a way that is not understood.')
  }
}

function letGo(body: Readable): void {
  body.on('error', () => {}).destroy()
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

function nameIn(url: URL): string | undefined {
  const last = url.pathname.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(last) || undefined
  } catch {
    return last || undefined
  }
}

/** A full disk is no fault of the address. */
const isLocal = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  ['ENOSPC', 'EACCES', 'EROFS', 'EMFILE'].includes(String(error.code))
