import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createAdapter } from '@socket.io/redis-adapter'
import type { Router } from 'express'
import { Server } from 'socket.io'
import { createHttp } from '../adapters/http.ts'
import { adapterFor } from '../adapters/registry.ts'
import { Inbox } from '../models/inbox.ts'
import { Route } from '../models/route.ts'
import { Vault } from '../models/vault.ts'
import { createApp } from './app.ts'
import { SignIn } from './auth/sign-in.ts'
import { AccessTokens } from './auth/tokens.ts'
import type { Clock } from './clock.ts'
import { type Config, WrongSetting } from './config.ts'
import { Directory } from './directory.ts'
import { setWebhook } from './http/inboxes.ts'
import { Courtesies } from './inbound/courtesies.ts'
import { Ingest } from './inbound/ingest.ts'
import { Introductions } from './inbound/introductions.ts'
import { Poller } from './inbound/poller.ts'
import { ReceiptKeeper } from './inbound/receipts.ts'
import { InboundSweep } from './inbound/sweep.ts'
import type { Log } from './log.ts'
import { MediaFetcher } from './media/fetch.ts'
import { Library } from './media/library.ts'
import { DiskStorage } from './media/storage.ts'
import { Guard } from './net/guard.ts'
import { Metrics } from './observability/metrics.ts'
import { RouteHealthKeeper } from './observability/route-health.ts'
import { Deliver } from './outbox/deliver.ts'
import { Worker } from './outbox/worker.ts'
import type { NewInbox, Parts } from './parts.ts'
import { Providers } from './providers.ts'
import { Broadcasts, type Io } from './realtime/broadcasts.ts'
import { Gateway } from './realtime/gateway.ts'
import { LocalPresence, RedisPresence } from './realtime/presence.ts'
import { ReadMarks } from './realtime/read-marks.ts'
import { ContactTyping } from './realtime/typing.ts'
import { connectPublisher, connectRedis } from './redis/connection.ts'
import { keys } from './redis/keys.ts'
import { InOrder } from './routing/router.ts'

/** A running node: everything of ours in one process, but for the database it was given. */
export interface Node {
  /** Where it listens, without a slash at the end. */
  url: string
  parts: Parts
  worker: Worker
  ingest: Ingest
  media: MediaFetcher
  sweep: InboundSweep
  /** Starts what works by itself: recovery first, then the worker, the sweeps, the poller. */
  work(): Promise<void>
  /** Stops accepting, finishes or hands back what is under way, closes in order. Within 10 seconds; safe to call twice. */
  stop(): Promise<void>
}

interface Given {
  config: Config
  clock: Clock
  random: () => number
  log: Log
  /** The simulators, made once the node knows where it listens. */
  sandbox?: (url: string) => { router: Router; close(): Promise<void> }
}

/** The largest frame a client may send; the largest event of the protocol is far below. */
const MAX_FRAME = 64 * 1024
/** Requests under way get this long to end when the node stops. */
const DRAIN_MS = 2_000

/** Puts a node together and lets it listen. The database is open already. */
export async function createNode({ config, clock, random, log, sandbox }: Given): Promise<Node> {
  const http = createServer((request, response) => handler(request, response))
  let handler: RequestListener = (_request, response) => response.writeHead(503, { 'Retry-After': '1' }).end()
  // A client that sends its request drop by drop must not hold a socket for ever.
  http.requestTimeout = 60_000
  http.headersTimeout = 15_000
  http.keepAliveTimeout = 75_000
  await new Promise<void>((resolve, reject) => {
    http
      .once('error', (error) => reject(asWrongSetting(error, config)))
      .listen(config.port, config.host, () => resolve())
  })
  const { port } = http.address() as AddressInfo
  const url = `http://localhost:${port}`
  const publicUrl = () => config.publicUrl ?? url

  const metrics = new Metrics()
  const redis = config.redisUrl ? connectRedis(config.redisUrl, log, 'commands') : undefined
  const publisher = config.redisUrl ? connectPublisher(config.redisUrl, log) : undefined
  const subscriber = config.redisUrl ? connectRedis(config.redisUrl, log, 'subscriber') : undefined
  await Promise.all([redis, publisher, subscriber].map((each) => each?.connect().catch(() => {})))

  const io: Io = new Server(http, {
    transports: ['websocket'],
    maxHttpBufferSize: MAX_FRAME,
    serveClient: false,
    ...(publisher && subscriber
      ? { adapter: createAdapter(publisher, subscriber, { key: keys.sockets }) }
      : {}),
  })
  io.on('connection', (socket) => {
    metrics.sockets.inc()
    socket.on('disconnect', () => metrics.sockets.dec())
  })

  const vault = new Vault(config.secretKeys)
  const directory = new Directory(vault)
  const storage = new DiskStorage(join(config.dataDir, 'media'))
  await storage.prepare(clock.now())
  const library = new Library({ storage, clock, secrets: config.secretKeys, publicUrl })
  const guard = new Guard({
    loopback: !config.production,
    // The sandbox's providers are at our own address, and nowhere else.
    allowed: [...config.allowedHosts, ...(config.sandbox ? [new URL(url).host] : [])],
  })
  const outgoing = createHttp({ connect: guard.connect })
  const providers = new Providers({
    http: outgoing,
    media: library,
    publicUrl,
    reachable: config.publicUrl !== undefined,
  })
  const broadcasts = new Broadcasts(io)
  const signIn = new SignIn({ tokens: new AccessTokens(config.secretKeys, clock), clock, redis })
  const presence = redis ? new RedisPresence(redis, clock) : new LocalPresence(clock)
  const gateway = new Gateway({ io, signIn, presence, broadcasts, clock, log })
  const typing = new ContactTyping({ directory, providers, log, monotonic: () => clock.monotonic() })
  gateway.onTyping((conversation, workspace, replying) => {
    if (replying) void typing.show(workspace, conversation)
  })

  const media = new MediaFetcher({ clock, log, directory, providers, library, broadcasts })
  const courtesies = new Courtesies({ directory, providers, log })
  const introductions = new Introductions({ directory, providers, log })
  const ingest = new Ingest({
    clock,
    log,
    directory,
    broadcasts,
    media,
    metrics,
    courtesies,
    introductions,
  })
  const keeper = new ReceiptKeeper()
  const sweep = new InboundSweep({ clock, random, log, ingest, broadcasts })
  const poller = new Poller({ clock, log, directory, providers, keeper, ingest })
  const routeHealth = new RouteHealthKeeper({ clock, log })
  const deliver = new Deliver({
    clock,
    random,
    log,
    directory,
    providers,
    broadcasts,
    metrics,
    routeHealth,
    router: new InOrder(),
    onAccepted: (providerId) => ingest.arrived(providerId),
  })
  const worker = new Worker({ clock, random, log, deliver })

  const parts: Parts = {
    config,
    clock,
    log,
    metrics,
    routeHealth,
    redis,
    publicUrl,
    directory,
    providers,
    signIn,
    broadcasts,
    readMarks: new ReadMarks({ directory, providers, log }),
    keeper,
    ingest,
    worker,
    library,
    incoming: storage.incoming,
    connectInbox: (given) => connectInbox(given, vault, clock, directory),
  }
  const simulators = sandbox?.(url)
  handler = createApp(parts, simulators?.router)

  async function work(): Promise<void> {
    const resealed = await Route.resealAll(vault)
    if (resealed > 0)
      log.info({ event: 'vault.resealed', routes: resealed }, 'credentials were sealed with the new key')
    const recovered = await sweep.recover()
    if (recovered > 0)
      log.info({ event: 'inbound.recovered', receipts: recovered }, 'receipts of the last run were ingested')
    await worker.start(config.mongodbUri === undefined)
    media.start()
    sweep.start()
    poller.start()
    for (const { routes } of await directory.all())
      for (const open of routes) void setWebhook({ clock, log, providers }, open)
  }

  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= (async () => {
      sweep.stop()
      // Ours alone: without `local` the adapter would end every agent's socket on every node.
      io.local.disconnectSockets(true)
      await simulators?.close()
      const sent = worker.stop()
      await Promise.race([closed(http), clock.sleep(DRAIN_MS)])
      http.closeAllConnections()
      await Promise.all([
        sent,
        poller.stop(),
        media.stop(),
        Promise.race([ingest.idle(), clock.sleep(DRAIN_MS)]),
      ])
      await routeHealth.flush()
      await new Promise<void>((resolve) => void io.close(() => resolve()))
      await outgoing.close()
      for (const each of [redis, publisher, subscriber]) each?.disconnect()
    })()
    return stopping
  }
  return { url, parts, worker, ingest, media, sweep, work, stop }
}

async function connectInbox(given: NewInbox, vault: Vault, clock: Clock, directory: Directory) {
  const at = clock.now()
  const { workspace, name, channel, routes } = given
  const [first] = routes
  const window = first ? adapterFor(first.provider, channel).capabilities.window : null
  const inbox = await Inbox.connect({ workspace, name, channel, window, at })
  for (const { apiBase, ...route } of routes)
    await Route.open(
      { ...route, ...(apiBase ? { apiBase } : {}), workspace, inbox: inbox._id, channel, at },
      vault,
    )
  directory.forget(inbox._id)
  return inbox._id
}

/** A port that cannot be had is for a person to change, and starting again would not help. */
function asWrongSetting(error: NodeJS.ErrnoException, { port }: Config): Error {
  const reasons: Record<string, string> = {
    EADDRINUSE: `PORT: something else listens on ${port} already; stop it, or choose another port`,
    EACCES: `PORT: this user may not listen on ${port}; choose one above 1023`,
    EADDRNOTAVAIL: 'HOST: this machine has no such address; give one of its own, or none',
    ENOTFOUND: 'HOST: there is no such name; give an address of this machine, or none',
  }
  const reason = reasons[error.code ?? '']
  return reason ? new WrongSetting(reason) : error
}

/** Stops taking connections; resolves when the requests under way have ended. */
const closed = (server: HttpServer): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
