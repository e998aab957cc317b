import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { Engine, type Log } from './engine.ts'
import { expireDocuments } from './indexes/ttl.ts'
import { Connection } from './protocol/connection.ts'
import { privateSocketPath } from './socket-path.ts'
import { Scrub } from './storage/scrub.ts'

/** Where to listen: a Unix socket only its owner can reach, or a port of this machine. */
export type Listen =
  | { readonly socket: string }
  | { readonly host: '127.0.0.1' | 'localhost' | '::1'; readonly port: number }

export interface ServeOptions {
  /** Where the data lies; made when it is not there. */
  readonly directory: string
  readonly listen?: Listen
  readonly log?: Log
  /** The machine's time in milliseconds, for tests. */
  readonly now?: () => number
  /** How often documents of TTL indexes are looked for, in milliseconds. */
  readonly sweepEveryMs?: number
  /** How long a client may be silent in the middle of a message, in milliseconds. */
  readonly halfFrameMs?: number
}

export interface Serving {
  /** What a driver connects to. */
  readonly uri: string
  readonly engine: Engine
  close(): Promise<void>
}

const SWEEP_EVERY_MS = 60_000
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1'])

/** Opens the store and serves it in this thread. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const engine = await Engine.open(options)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    new Connection(engine, socket, options.halfFrameMs)
  })
  let uri: string
  try {
    uri = await listen(server, options)
  } catch (error) {
    await engine.close()
    throw error
  }
  const scrub = new Scrub(
    options.directory,
    () => engine.clock.now(),
    (damage) => {
      engine.log({ level: 'error', message: `${damage}. Stop, and restore the directory from a backup` })
    },
  )
  const sweeper = setInterval(() => {
    scrub.turn().catch((error: Error) => {
      engine.log({ level: 'warn', message: 'the tables could not be looked through', error: error.message })
    })
    engine.store
      .use(() => expireDocuments(engine))
      .catch((error: Error) => {
        engine.log({ level: 'warn', message: 'the sweep of expired documents failed', error: error.message })
      })
    void engine.cursors.expire()
  }, options.sweepEveryMs ?? SWEEP_EVERY_MS)
  sweeper.unref()
  return {
    uri,
    engine,
    close: async () => {
      clearInterval(sweeper)
      scrub.stop()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
      await engine.close()
    },
  }
}

async function listen(server: Server, { directory, listen: where }: ServeOptions): Promise<string> {
  if (where && 'port' in where) {
    if (!LOOPBACK.has(where.host))
      throw new Error(`the embedded store listens on loopback only, not on ${where.host}`)
    await listening(server, { host: where.host, port: where.port })
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : where.port
    return `mongodb://${where.host === '::1' ? '[::1]' : where.host}:${port}/nexus?directConnection=true`
  }
  const path = where?.socket ?? (await privateSocketPath(directory))
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // The data directory is locked by now, so a socket that is left there belongs to nobody.
  await rm(path, { force: true })
  await listening(server, { path })
  await chmod(path, 0o600)
  return `mongodb://${encodeURIComponent(path)}/nexus?directConnection=true`
}

function listening(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
