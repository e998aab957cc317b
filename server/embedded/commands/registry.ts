import { T } from '../bson/types.ts'
import type { Engine } from '../engine.ts'
import { CommandError } from '../errors.ts'
import { aggregate } from './aggregate.ts'
import { collMod } from './coll-mod.ts'
import * as collections from './collections.ts'
import { count, distinct } from './count.ts'
import { remove } from './delete.ts'
import * as diagnostics from './diagnostics.ts'
import { explain } from './explain.ts'
import { find, getMore, killCursors } from './find.ts'
import { findAndModify } from './find-and-modify.ts'
import * as indexes from './indexes.ts'
import { insert } from './insert.ts'
import * as probes from './probes.ts'
import { COMMON_OPTIONS, type Command, type Handler, Request } from './request.ts'
import { update } from './update.ts'
import { validate } from './validate.ts'

/** Every command that is served, by the name a client calls it. */
const HANDLERS = new Map<string, Handler>(
  Object.entries({
    hello: diagnostics.hello,
    isMaster: diagnostics.isMaster,
    ismaster: diagnostics.isMaster,
    ping: diagnostics.ping,
    buildInfo: diagnostics.buildInfo,
    buildinfo: diagnostics.buildInfo,
    getParameter: diagnostics.getParameter,
    getCmdLineOpts: probes.getCmdLineOpts,
    getLog: probes.getLog,
    whatsmyuri: probes.whatsmyuri,
    profile: probes.profile,
    killAllSessions: diagnostics.endSessions,
    connectionStatus: diagnostics.connectionStatus,
    hostInfo: diagnostics.hostInfo,
    serverStatus: diagnostics.serverStatus,
    startSession: diagnostics.endSessions,
    endSessions: diagnostics.endSessions,
    refreshSessions: diagnostics.endSessions,
    killSessions: diagnostics.endSessions,
    insert,
    update,
    delete: remove,
    find,
    getMore,
    killCursors,
    findAndModify,
    findandmodify: findAndModify,
    aggregate,
    count,
    distinct,
    create: collections.create,
    drop: collections.drop,
    dropDatabase: collections.dropDatabase,
    renameCollection: collections.renameCollection,
    listCollections: collections.listCollections,
    listDatabases: collections.listDatabases,
    createIndexes: indexes.createIndexes,
    dropIndexes: indexes.dropIndexes,
    deleteIndexes: indexes.dropIndexes,
    listIndexes: indexes.listIndexes,
    collMod,
    collStats: diagnostics.collStats,
    dbStats: diagnostics.dbStats,
    dbstats: diagnostics.dbStats,
    collstats: diagnostics.collStats,
    validate,
    explain,
  }),
)

const OPTIONS = new Map([...HANDLERS.values()].map((handler) => [handler, new Set(handler.options)]))

/** Runs a command; what it does not know it refuses by name. */
export async function runCommand(engine: Engine, command: Command): Promise<Buffer> {
  const handler = HANDLERS.get(command.name)
  if (!handler) throw new CommandError(59, `no such command: '${command.name}'`)
  const options = OPTIONS.get(handler)
  for (const name of command.fields.keys()) {
    if (COMMON_OPTIONS.has(name) || options?.has(name) || handler.anyOption) continue
    throw new CommandError(40415, `BSON field '${command.name}.${name}' is an unknown field.`)
  }
  for (const name of command.sequences.keys()) {
    if (!options?.has(name))
      throw new CommandError(40415, `BSON field '${command.name}.${name}' is an unknown field.`)
  }
  refuseTransactions(command)
  return handler.run(new Request(engine, command))
}

function refuseTransactions({ fields }: Command): void {
  const autocommit = fields.get('autocommit')
  if (
    fields.has('startTransaction') ||
    fields.has('txnNumber') ||
    (autocommit?.type === T.bool && autocommit.bytes[autocommit.start] === 0)
  ) {
    throw new CommandError(20, 'Transaction numbers are only allowed on a replica set member or mongos')
  }
}
