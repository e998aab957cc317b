import mongoose from 'mongoose'
import { Agent } from '../models/agent.ts'
import { ApiKey } from '../models/api-key.ts'
import { Contact } from '../models/contact.ts'
import { Conversation } from '../models/conversation.ts'
import { Identity } from '../models/identity.ts'
import { Inbox } from '../models/inbox.ts'
import { Lane } from '../models/lane.ts'
import { Merge } from '../models/merge.ts'
import { Message } from '../models/message.ts'
import { Participation } from '../models/participation.ts'
import { Receipt } from '../models/receipt.ts'
import { IdempotentRequest } from '../models/request.ts'
import { Route } from '../models/route.ts'
import { RouteHealth } from '../models/route-health.ts'
import { Session } from '../models/session.ts'
import { StoredFile } from '../models/stored-file.ts'
import { Workspace } from '../models/workspace.ts'

/** Every collection we keep. A test holds this list equal to the models there are. */
export const MODELS = [
  Workspace,
  Agent,
  Session,
  Inbox,
  Route,
  Contact,
  Identity,
  Conversation,
  Participation,
  Message,
  Receipt,
  Lane,
  StoredFile,
  ApiKey,
  IdempotentRequest,
  Merge,
  RouteHealth,
]

/** How long an operation looks for a server before it fails: short, so that a webhook is answered 503 and not left hanging. */
const SERVER_SELECTION_MS = 5_000
/** A server that takes a command and never answers is gone, as far as a waiting webhook is concerned. */
const SOCKET_TIMEOUT_MS = 30_000
const POOL = 50

/** Connects and makes sure of collections and indexes. Writes are acknowledged by a majority, journaled. */
export async function openDatabase(uri: string): Promise<void> {
  mongoose.set('strictQuery', 'throw')
  await mongoose.connect(uri, {
    serverSelectionTimeoutMS: SERVER_SELECTION_MS,
    socketTimeoutMS: SOCKET_TIMEOUT_MS,
    maxPoolSize: POOL,
    writeConcern: { w: 'majority', journal: true },
    autoIndex: false,
    autoCreate: false,
    bufferCommands: false,
    ignoreUndefined: true,
  })
  await Promise.all((MODELS as unknown as mongoose.Model<unknown>[]).map(prepare))
}

/** Makes a collection and those of its indexes that are missing: on a store in use it asks one question and builds nothing. */
async function prepare(model: mongoose.Model<unknown>): Promise<void> {
  await model.createCollection()
  const { toCreate } = await model.diffIndexes({ indexOptionsToCreate: true })
  const missing = toCreate as [Record<string, 1 | -1>, mongoose.mongo.CreateIndexesOptions][]
  if (missing.length > 0)
    await model.collection.createIndexes(missing.map(([key, options]) => ({ key, ...options })))
}

export async function closeDatabase(): Promise<void> {
  await mongoose.disconnect()
}

/** The database's own clock. */
export async function databaseNow(): Promise<Date> {
  const answer = await mongoose.connection.db?.admin().command({ hello: 1 })
  return answer?.localTime instanceof Date ? answer.localTime : new Date()
}

/** Resolves if the database answers within `ms`; throws otherwise. */
export async function pingDatabase(ms: number): Promise<void> {
  const db = mongoose.connection.db
  if (!db) throw new Error('not connected')
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error('no answer in time')), ms).unref(),
  )
  await Promise.race([db.command({ ping: 1 }), late])
}
