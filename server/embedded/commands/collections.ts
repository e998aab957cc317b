import { Binary } from 'bson'
import { expressionFilter } from '../aggregation/expressions.ts'
import { decodeDocument, encodeDocument, type Plain } from '../bson/plain.ts'
import { documentFrom, documentOf, type Field, get as field, get, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { numberIn, stringIn } from '../bson/values.ts'
import { CommandError, namespaceNotFound, notSupported } from '../errors.ts'
import { ID_INDEX_SPECIFICATION } from '../indexes/index-spec.ts'
import { compileFilter, type Matcher } from '../query/matcher.ts'
import { parseFilter, refuseCollation } from '../query/parse-filter.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix, allIndexesPrefix } from '../storage/keys.ts'
import { answerAll, answerFirst } from './answers.ts'
import { Cursor } from './cursors.ts'
import { type Handler, ok, type Request } from './request.ts'
import { validatorOptions } from './validation.ts'

/** Options of a collection that the embedded store does not have. */
export const REFUSED_OPTIONS = [
  'capped',
  'timeseries',
  'viewOn',
  'storageEngine',
  'expireAfterSeconds',
  'clusteredIndex',
  'changeStreamPreAndPostImages',
  'encryptedFields',
]

export const create: Handler = {
  options: [
    'create',
    'capped',
    'size',
    'max',
    'autoIndexId',
    'storageEngine',
    'validator',
    'validationLevel',
    'validationAction',
    'indexOptionDefaults',
    'viewOn',
    'pipeline',
    'collation',
    'timeseries',
    'expireAfterSeconds',
    'clusteredIndex',
    'changeStreamPreAndPostImages',
    'encryptedFields',
    'idIndex',
  ],
  run: async (request: Request) => {
    for (const name of REFUSED_OPTIONS) {
      const value = request.value(name)
      if (value && !(value.type === T.bool && !request.boolean(name, false))) {
        throw notSupported(`the option '${name}' of create`)
      }
    }
    refuseCollation(request.value('collation'))
    if (request.has('size') || request.has('max')) {
      throw new CommandError(
        72,
        "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
      )
    }
    const options = documentFrom(validatorOptions(request))
    const { catalog, store } = request.engine
    if (catalog.get(request.database, request.collectionName)) {
      throw new CommandError(48, `Collection ${request.namespace} already exists.`)
    }
    catalog.create(request.database, request.collectionName, options)
    await store.commit()
    return ok()
  },
}

async function dropAll(request: Request, collections: readonly Collection[]): Promise<void> {
  const { catalog, store } = request.engine
  for (const collection of collections) catalog.drop(collection)
  await store.commit()
  // What is dropped is gone already; its bytes may take their time.
  request.engine.clearDropped()
}

export const drop: Handler = {
  options: ['drop'],
  run: async (request: Request) => {
    const collection = request.engine.catalog.get(request.database, request.collectionName)
    if (!collection) return ok()
    await dropAll(request, [collection])
    return ok({ nIndexesWas: collection.indexes.length + 1, ns: collection.namespace })
  },
}

export const dropDatabase: Handler = {
  options: ['dropDatabase'],
  run: async (request: Request) => {
    const collections = request.engine.catalog.collectionsOf(request.database)
    await dropAll(request, collections)
    return collections.length === 0 ? ok() : ok({ dropped: request.database })
  },
}

function splitNamespace(namespace: string | undefined): [string, string] {
  const dot = namespace?.indexOf('.') ?? -1
  if (!namespace || dot < 1) throw new CommandError(73, `Invalid namespace specified '${namespace}'`)
  return [namespace.slice(0, dot), namespace.slice(dot + 1)]
}

/** Some commands are about more than one database. */
function refuseOutsideAdmin({ command, database }: Request): void {
  if (database !== 'admin')
    throw new CommandError(13, `${command.name} may only be run against the admin database.`)
}

export const renameCollection: Handler = {
  options: ['renameCollection', 'to', 'dropTarget', 'stayTemp'],
  run: async (request: Request) => {
    refuseOutsideAdmin(request)
    const [database, name] = splitNamespace(request.string('renameCollection'))
    const [toDatabase, toName] = splitNamespace(request.string('to'))
    const { catalog, store } = request.engine
    const collection = catalog.get(database, name)
    if (!collection) throw namespaceNotFound(`Source collection ${database}.${name} does not exist`)
    const target = catalog.get(toDatabase, toName)
    if (target === collection) throw new CommandError(20, "Can't rename a collection to itself")
    if (target && !request.boolean('dropTarget', false)) throw new CommandError(48, 'target namespace exists')
    if (target) catalog.drop(target)
    catalog.rename(collection, toDatabase, toName)
    await store.commit()
    return ok()
  },
}

/** The answer of a listing, filtered as its command asks. */
function listing(request: Request, namespace: string, documents: Buffer[]): Promise<Buffer> | Buffer {
  const filter = request.document('filter')
  const matches: Matcher = filter ? compileFilter(parseFilter(filter), expressionFilter()) : () => true
  const found = documents.filter((bytes) => matches(documentOf(bytes)))
  const cursorOptions = request.document('cursor')
  const size = cursorOptions && field(cursorOptions, 'batchSize')
  if (!size || found.length <= Number(numberIn(size))) return answerAll(namespace, found)
  return answerFirst(request.engine.cursors, new Cursor(namespace, none(), found), Number(numberIn(size)))
}

/** A source of nothing, for cursors whose documents are ready. */
async function* none(): AsyncGenerator<Buffer[]> {}

export const listCollections: Handler = {
  options: ['listCollections', 'filter', 'nameOnly', 'authorizedCollections', 'cursor'],
  run: (request: Request) => {
    const nameOnly = request.boolean('nameOnly', false)
    const documents = request.engine.catalog.collectionsOf(request.database).map((collection) => {
      const described: Plain = { name: collection.name, type: 'collection' }
      if (!nameOnly) {
        described.options = documentOf(collection.options)
        described.info = { readOnly: false, uuid: new Binary(collection.uuid, 4) }
        described.idIndex = documentOf(ID_INDEX_SPECIFICATION)
      }
      return encodeDocument(described)
    })
    return listing(request, `${request.database}.$cmd.listCollections`, documents)
  },
}

export const listDatabases: Handler = {
  options: ['listDatabases', 'filter', 'nameOnly', 'authorizedDatabases'],
  run: async (request: Request) => {
    refuseOutsideAdmin(request)
    const names = new Set(request.engine.catalog.all().map((collection) => collection.database))
    const nameOnly = request.boolean('nameOnly', false)
    const filter = request.document('filter')
    const matches: Matcher = filter ? compileFilter(parseFilter(filter), expressionFilter()) : () => true
    const databases: Plain[] = []
    let totalSize = 0
    for (const name of [...names].sort()) {
      const sizeOnDisk = nameOnly ? 0 : await databaseSize(request, name)
      totalSize += sizeOnDisk
      const described = nameOnly ? { name } : { name, sizeOnDisk, empty: false }
      if (matches(documentOf(encodeDocument(described)))) databases.push(described)
    }
    return ok(
      nameOnly ? { databases } : { databases, totalSize, totalSizeMb: Math.floor(totalSize / 1048576) },
    )
  },
}

async function databaseSize(request: Request, database: string): Promise<number> {
  let size = 0
  for (const collection of request.engine.catalog.collectionsOf(database)) {
    const sizes = await collectionSizes(request, collection)
    size += sizes.storage + sizes.indexes
  }
  return size
}

/** Bytes on disk, as near as the key-value store knows them. */
export async function collectionSizes(request: Request, collection: Collection) {
  const { level } = request.engine.store
  const indexes = allIndexesPrefix(collection.id)
  return {
    storage: await level.approximateSize(collection.prefix, afterPrefix(collection.prefix)),
    indexes: await level.approximateSize(indexes, afterPrefix(indexes)),
  }
}

/** The name in a field of an index specification. */
export function nameIn(specification: RawValue): string | undefined {
  const value = get(specification, 'name')
  return value?.type === T.string ? stringIn(value) : undefined
}

/** A document with one field more. */
export const withField = (bytes: Buffer, extra: Field): Plain => ({
  ...decodeDocument(bytes),
  [extra.name]: extra.value,
})
