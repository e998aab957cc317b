import mongoose from 'mongoose'
import { Agent } from '../models/agent.ts'
import { Contact } from '../models/contact.ts'
import { Conversation } from '../models/conversation.ts'
import { Identity } from '../models/identity.ts'
import { Inbox } from '../models/inbox.ts'
import { Lane } from '../models/lane.ts'
import { Message } from '../models/message.ts'
import { Participation } from '../models/participation.ts'
import { Receipt } from '../models/receipt.ts'
import { Route } from '../models/route.ts'
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
  for (const model of MODELS as unknown as mongoose.Model<unknown>[]) {
    await model.createCollection()
    // Only what is missing: on a store in use this asks one question a collection, and builds nothing.
    const { toCreate } = await model.diffIndexes({ indexOptionsToCreate: true })
    for (const [fields, options] of toCreate as [
      mongoose.mongo.IndexSpecification,
      mongoose.mongo.CreateIndexesOptions,
    ][])
      await model.collection.createIndex(fields, options)
  }
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
