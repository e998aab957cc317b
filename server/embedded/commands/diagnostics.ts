import { hostname, totalmem } from 'node:os'
import type { Plain } from '../bson/plain.ts'
import { CommandError, namespaceNotFound } from '../errors.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix } from '../storage/keys.ts'
import { collectionSizes } from './collections.ts'
import { type Handler, ok, type Request } from './request.ts'

export const VERSION = '7.0.0'
let connections = 0

/**
 * What a server says of itself when a driver connects: a standalone of one machine. It names no topologyVersion, since that
 * would promise to stream changes of it.
 */
export function helloAnswer(legacy: boolean): Plain {
  return {
    ...(legacy ? { ismaster: true } : { isWritablePrimary: true }),
    helloOk: true,
    maxBsonObjectSize: 16777216,
    maxMessageSizeBytes: 48000000,
    maxWriteBatchSize: 100000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: ++connections,
    minWireVersion: 0,
    maxWireVersion: 21,
    readOnly: false,
  }
}

const HELLO_OPTIONS = [
  'hello',
  'isMaster',
  'ismaster',
  'helloOk',
  'client',
  'compression',
  'loadBalanced',
  'saslSupportedMechs',
  'speculativeAuthenticate',
  'topologyVersion',
  'maxAwaitTimeMS',
  'backpressure',
]

export const hello: Handler = { options: HELLO_OPTIONS, run: () => ok(helloAnswer(false)) }
export const isMaster: Handler = { options: HELLO_OPTIONS, run: () => ok(helloAnswer(true)) }
export const ping: Handler = { options: ['ping'], run: () => ok() }
export const endSessions: Handler = {
  options: ['endSessions', 'startSession', 'refreshSessions', 'killSessions', 'killAllSessions'],
  run: () => ok(),
}

export const buildInfo: Handler = {
  options: ['buildInfo', 'buildinfo'],
  run: () =>
    ok({
      version: VERSION,
      gitVersion: 'embedded',
      versionArray: [7, 0, 0, 0],
      modules: [],
      storageEngines: ['embedded'],
      bits: 64,
      debug: false,
      maxBsonObjectSize: 16777216,
      javascriptEngine: 'none',
    }),
}

export const connectionStatus: Handler = {
  options: ['connectionStatus', 'showPrivileges'],
  run: () =>
    ok({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [], authenticatedUserPrivileges: [] } }),
}

export const hostInfo: Handler = {
  options: ['hostInfo'],
  run: () =>
    ok({
      system: { currentTime: new Date(), hostname: hostname(), memSizeMB: Math.floor(totalmem() / 1048576) },
      os: { type: process.platform, name: process.platform, version: process.version },
      extra: {},
    }),
}

export const getParameter: Handler = {
  options: ['getParameter'],
  anyOption: true,
  run: (request: Request) => {
    const answer: Plain = {}
    if (request.has('featureCompatibilityVersion')) answer.featureCompatibilityVersion = { version: '7.0' }
    if (request.has('authenticationMechanisms')) answer.authenticationMechanisms = []
    if (Object.keys(answer).length === 0) throw new CommandError(72, 'no option found to get')
    return ok(answer)
  },
}

export const serverStatus: Handler = {
  options: ['serverStatus', 'repl', 'metrics', 'locks'],
  run: ({ engine }: Request) => {
    const memory = process.memoryUsage()
    return ok({
      host: hostname(),
      version: VERSION,
      process: 'embedded',
      pid: BigInt(process.pid),
      uptime: Math.floor((engine.clock.now() - engine.startedAt) / 1000),
      localTime: new Date(engine.clock.now()),
      connections: { current: connections },
      mem: { bits: 64, resident: Math.floor(memory.rss / 1048576), supported: true },
      metrics: { cursor: { open: { total: BigInt(engine.cursors.count) } } },
      storageEngine: { name: 'embedded', persistent: true },
    })
  },
}

async function countDocuments(
  request: Request,
  collection: Collection,
): Promise<{ count: number; size: number }> {
  let count = 0
  let size = 0
  const range = { gte: collection.prefix, lt: afterPrefix(collection.prefix) }
  for await (const value of request.engine.store.level.values(range)) {
    count++
    size += value.length
  }
  return { count, size }
}

export const collStats: Handler = {
  options: ['collStats', 'collstats', 'scale'],
  run: async (request: Request) => {
    const scale = Math.max(1, request.number('scale', 1))
    const collection = request.engine.catalog.get(request.database, request.collectionName)
    if (!collection)
      return ok({
        ns: request.namespace,
        size: 0,
        count: 0,
        storageSize: 0,
        nindexes: 0,
        totalIndexSize: 0,
        indexSizes: {},
      })
    const { count, size } = await countDocuments(request, collection)
    const sizes = await collectionSizes(request, collection)
    return ok({
      ns: collection.namespace,
      size: Math.floor(size / scale),
      count,
      avgObjSize: count === 0 ? 0 : Math.floor(size / count),
      storageSize: Math.floor(sizes.storage / scale),
      capped: false,
      nindexes: collection.indexes.length + 1,
      totalIndexSize: Math.floor(sizes.indexes / scale),
      totalSize: Math.floor((sizes.storage + sizes.indexes) / scale),
      indexSizes: Object.fromEntries(
        ['_id_', ...collection.indexes.map((index) => index.name)].map((name) => [name, 0]),
      ),
      scaleFactor: scale,
    })
  },
}

export const dbStats: Handler = {
  options: ['dbStats', 'dbstats', 'scale', 'freeStorage'],
  run: async (request: Request) => {
    const scale = Math.max(1, request.number('scale', 1))
    const totals = { objects: 0, dataSize: 0, storageSize: 0, indexSize: 0, indexes: 0 }
    const collections = request.engine.catalog.collectionsOf(request.database)
    for (const collection of collections) {
      const { count, size } = await countDocuments(request, collection)
      const sizes = await collectionSizes(request, collection)
      totals.objects += count
      totals.dataSize += size
      totals.storageSize += sizes.storage
      totals.indexSize += sizes.indexes
      totals.indexes += collection.indexes.length + 1
    }
    return ok({
      db: request.database,
      collections: collections.length,
      views: 0,
      objects: totals.objects,
      avgObjSize: totals.objects === 0 ? 0 : totals.dataSize / totals.objects,
      dataSize: totals.dataSize / scale,
      storageSize: totals.storageSize / scale,
      indexes: totals.indexes,
      indexSize: totals.indexSize / scale,
      totalSize: (totals.storageSize + totals.indexSize) / scale,
      scaleFactor: scale,
    })
  },
}

/** The collection a diagnostic is about. */
export function requireCollection(request: Request): Collection {
  const collection = request.engine.catalog.get(request.database, request.collectionName)
  if (!collection) throw namespaceNotFound(`Collection '${request.namespace}' does not exist to validate.`)
  return collection
}
