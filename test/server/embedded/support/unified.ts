import {
  type AnyBulkWriteOperation,
  type Collection,
  type CommandStartedEvent,
  type Db,
  type Document,
  MongoClient,
  MongoServerError,
} from 'mongodb'
import { mismatch } from './unified-match.ts'

interface Requirement {
  minServerVersion?: string
  maxServerVersion?: string
  topologies?: string[]
  serverless?: string
  auth?: boolean
}

interface CollectionData {
  collectionName: string
  databaseName: string
  documents: Document[]
}

interface Operation {
  name: string
  object: string
  arguments?: Document
  expectResult?: unknown
  expectError?: {
    isError?: boolean
    isClientError?: boolean
    errorContains?: string
    errorCode?: number
    expectResult?: unknown
  }
}

export interface UnifiedTest {
  description: string
  runOnRequirements?: Requirement[]
  operations: Operation[]
  expectEvents?: { client: string; events: { commandStartedEvent: Document }[] }[]
  outcome?: CollectionData[]
}

/** A file of the unified test format, as far as the CRUD specification uses it. */
export interface UnifiedFile {
  description: string
  runOnRequirements?: Requirement[]
  createEntities: Record<'client' | 'database' | 'collection', Document>[]
  initialData?: CollectionData[]
  tests: UnifiedTest[]
}

const SERVER = [7, 0, 0]

const compare = (version: string): number => {
  const parts = version.split('.').map(Number)
  for (const [i, part] of SERVER.entries()) if (part !== (parts[i] ?? 0)) return part - (parts[i] ?? 0)
  return 0
}

const holds = ({ minServerVersion, maxServerVersion, topologies, auth }: Requirement): boolean =>
  (!minServerVersion || compare(minServerVersion) >= 0) &&
  (!maxServerVersion || compare(maxServerVersion) <= 0) &&
  (!topologies || topologies.includes('single')) &&
  auth !== true

/** Why a test is not one for a standalone server of version 7.0, or nothing. */
export function whyNot(file: UnifiedFile, test: UnifiedTest): string | undefined {
  for (const requirements of [file.runOnRequirements, test.runOnRequirements]) {
    if (requirements && !requirements.some(holds)) return `needs ${JSON.stringify(requirements)}`
  }
  return test.operations.some((operation) => operation.name === 'failPoint')
    ? 'needs fail points, which a server has only in its own tests'
    : undefined
}

/** Runs one test; throws where the server, as the driver shows it, is not what the specification expects. */
export async function runUnified(uri: string, file: UnifiedFile, test: UnifiedTest): Promise<void> {
  const clients = new Map<string, { client: MongoClient; events: CommandStartedEvent[] }>()
  const databases = new Map<string, Db>()
  const collections = new Map<string, Collection>()
  const direct = await new MongoClient(uri).connect()
  try {
    for (const data of file.initialData ?? []) await prepare(direct, data)
    for (const { client, database, collection } of file.createEntities) {
      if (client) clients.set(client.id, await observedClient(uri, client))
      if (database) {
        const owner = clients.get(database.client)?.client
        if (owner) databases.set(database.id, owner.db(database.databaseName, database.databaseOptions))
      }
      if (collection) {
        const owner = databases.get(collection.database)
        if (owner)
          collections.set(
            collection.id,
            owner.collection(collection.collectionName, collection.collectionOptions),
          )
      }
    }
    for (const operation of test.operations) {
      const collection = collections.get(operation.object)
      const database = databases.get(operation.object)
      const call = collection ? COLLECTION_CALLS[operation.name] : undefined
      const databaseCall = database ? DATABASE_CALLS[operation.name] : undefined
      if (collection && call) await check(operation, () => call(collection, operation.arguments ?? {}))
      else if (database && databaseCall)
        await check(operation, () => databaseCall(database, operation.arguments ?? {}))
      else throw new Error(`this runner does not know ${operation.name} of ${operation.object}`)
    }
    for (const { client, events } of test.expectEvents ?? []) {
      const actual = (clients.get(client)?.events ?? []).map(({ command, commandName, databaseName }) => ({
        commandStartedEvent: { command, commandName, databaseName },
      }))
      refuse(eventsMismatch(actual, events))
    }
    for (const { databaseName, collectionName, documents } of test.outcome ?? []) {
      const found = await direct.db(databaseName).collection(collectionName).find().sort({ _id: 1 }).toArray()
      refuse(mismatch({ documents: found }, { documents }, false, 'outcome'))
    }
  } finally {
    await Promise.all([direct.close(), ...[...clients.values()].map(({ client }) => client.close())])
  }
}

const refuse = (wrong: string | undefined): void => {
  if (wrong) throw new Error(wrong)
}

function eventsMismatch(
  actual: { commandStartedEvent: Document }[],
  expected: { commandStartedEvent: Document }[],
) {
  if (actual.length !== expected.length) {
    const names = actual.map((event) => event.commandStartedEvent.commandName)
    return `${actual.length} commands were sent (${names.join(', ')}), not ${expected.length}`
  }
  return expected
    .map(({ commandStartedEvent: wanted }, i) => {
      const sent = actual[i]?.commandStartedEvent ?? {}
      return (
        mismatch(sent.command, wanted.command, true, `command ${i}`) ??
        mismatch(sent.commandName, wanted.commandName ?? sent.commandName) ??
        mismatch(sent.databaseName, wanted.databaseName ?? sent.databaseName)
      )
    })
    .find((each) => each !== undefined)
}

async function prepare(client: MongoClient, { databaseName, collectionName, documents }: CollectionData) {
  const collection = client.db(databaseName).collection(collectionName)
  await collection.drop().catch(() => undefined)
  if (documents.length > 0)
    await collection.insertMany(documents.map((document) => structuredClone(document)))
  else await client.db(databaseName).createCollection(collectionName)
}

async function observedClient(uri: string, { uriOptions }: Document) {
  const client = new MongoClient(uri, { ...uriOptions, monitorCommands: true })
  const events: CommandStartedEvent[] = []
  client.on('commandStarted', (event) => events.push(event))
  await client.connect()
  return { client, events }
}

async function check(
  { name, expectResult, expectError }: Operation,
  call: () => Promise<unknown>,
): Promise<void> {
  let result: unknown
  try {
    result = await call()
  } catch (error) {
    if (!expectError) throw error
    const { code, message, result: partial } = error as MongoServerError & { result?: unknown }
    if (
      expectError.isClientError !== undefined &&
      expectError.isClientError === error instanceof MongoServerError
    )
      throw new Error(
        `the ${expectError.isClientError ? 'driver' : 'server'} should have refused: ${message}`,
      )
    if (expectError.errorContains && !message.toLowerCase().includes(expectError.errorContains.toLowerCase()))
      throw new Error(`the error says '${message}', not '${expectError.errorContains}'`)
    refuse(expectError.errorCode === undefined ? undefined : mismatch(code, expectError.errorCode))
    refuse(expectError.expectResult === undefined ? undefined : mismatch(partial, expectError.expectResult))
    return
  }
  if (expectError) throw new Error(`${name} should have been refused`)
  if (expectResult !== undefined) refuse(mismatch(result, expectResult, true, 'result'))
}

const DATABASE_CALLS: Record<string, (database: Db, given: Document) => Promise<unknown>> = {
  aggregate: (database, { pipeline, ...options }) => database.aggregate(pipeline, options).toArray(),
  createCollection: (database, { collection, ...options }) => database.createCollection(collection, options),
  dropCollection: (database, { collection }) => database.dropCollection(collection),
}

const COLLECTION_CALLS: Record<string, (collection: Collection, given: Document) => Promise<unknown>> = {
  aggregate: (collection, { pipeline, ...options }) => collection.aggregate(pipeline, options).toArray(),
  bulkWrite: (collection, { requests, ...options }) =>
    collection.bulkWrite((requests as Document[]).map(bulkWrite), options),
  countDocuments: (collection, { filter, ...options }) => collection.countDocuments(filter, options),
  estimatedDocumentCount: (collection, options) => collection.estimatedDocumentCount(options),
  deleteMany: (collection, { filter, ...options }) => collection.deleteMany(filter, options),
  deleteOne: (collection, { filter, ...options }) => collection.deleteOne(filter, options),
  find: (collection, { filter, ...options }) => collection.find(filter, options).toArray(),
  findOneAndDelete: (collection, { filter, ...options }) => collection.findOneAndDelete(filter, options),
  findOneAndReplace: (collection, { filter, replacement, ...options }) =>
    collection.findOneAndReplace(filter, replacement, returning(options)),
  findOneAndUpdate: (collection, { filter, update, ...options }) =>
    collection.findOneAndUpdate(filter, update, returning(options)),
  insertMany: (collection, { documents, ...options }) => collection.insertMany(documents, options),
  insertOne: (collection, { document, ...options }) => collection.insertOne(document, options),
  replaceOne: (collection, { filter, replacement, ...options }) =>
    collection.replaceOne(filter, replacement, options),
  updateMany: (collection, { filter, update, ...options }) => collection.updateMany(filter, update, options),
  updateOne: (collection, { filter, update, ...options }) => collection.updateOne(filter, update, options),
}

const returning = ({ returnDocument, ...options }: Document): Document =>
  returnDocument ? { ...options, returnDocument: String(returnDocument).toLowerCase() } : options

/** A request of a bulk write, which the driver names as the specification does. */
const bulkWrite = (request: Document): AnyBulkWriteOperation => request as unknown as AnyBulkWriteOperation
