import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { Binary, Double } from 'bson'
import { encodeDocument, type Plain } from '../../bson/plain.ts'
import {
  bytesOf,
  documentFrom,
  documentOf,
  fieldsOf,
  get,
  itemsOf,
  NULL,
  type RawValue,
} from '../../bson/raw.ts'
import { isNumberType, T } from '../../bson/types.ts'
import { numberIn } from '../../bson/values.ts'
import { CommandError, failedToParse, namespaceNotFound } from '../../errors.ts'
import type { Documents } from '../../query/select.ts'
import type { Collection } from '../../storage/collection.ts'
import { afterPrefix, allIndexesPrefix } from '../../storage/keys.ts'
import type { PipelineContext } from '../context.ts'
import { type Compiler, scopeOf, typeOf } from '../expressions/expression.ts'
import { inPortions } from './stage.ts'

/** The documents that `$documents` brings. */
export function documentsSource(operand: RawValue, compiler: Compiler): Documents {
  const value = compiler.compile(operand)(scopeOf(documentOf(documentFrom([]))))
  if (value?.type !== T.array)
    throw new CommandError(5858203, `an array is expected: $documents was ${typeOf(value)}`)
  const documents = itemsOf(value).map((item) => {
    if (item.type !== T.object)
      throw new CommandError(40228, `$documents needs documents, found ${typeOf(item)}`)
    return Buffer.from(bytesOf(item))
  })
  return inPortions(documents)
}

/** The digest MongoDB gives to sessions of nobody: nothing was hashed. */
const NOBODY = createHash('sha256').digest()

/** The sessions `$listLocalSessions` knows of: the one that asks, as none is kept. */
export function localSessions({ engine, session }: PipelineContext): Documents {
  const id = session?.type === T.object ? get(session, 'id') : undefined
  const lastUse = new Date(engine.clock.now())
  return inPortions(id ? [encodeDocument({ _id: { id, uid: new Binary(NOBODY) }, lastUse })] : [])
}

/** What `$collStats` says of a collection. */
export async function* collectionStatistics(
  context: PipelineContext,
  name: string,
  operand: RawValue,
): Documents {
  if (operand.type !== T.object)
    throw new CommandError(5447000, `$collStats must take a nested object but found: ${typeOf(operand)}`)
  for (const field of fieldsOf(operand)) {
    if (!['count', 'storageStats', 'latencyStats', 'queryExecStats'].includes(field.name))
      throw new CommandError(40415, `BSON field '$collStats.${field.name}' is an unknown field.`)
    if (field.value.type !== T.object)
      throw new CommandError(14, `BSON field '$collStats.${field.name}' is the wrong type`)
  }
  const { engine, database } = context
  const collection = engine.catalog.get(database, name)
  const made: Plain = {
    ns: `${database}.${name}`,
    host: hostname(),
    localTime: new Date(engine.clock.now()),
  }
  const storage = get(operand, 'storageStats')
  if ((storage || get(operand, 'count')) && !collection)
    throw namespaceNotFound(
      `Unable to retrieve storageStats in $collStats stage :: caused by :: Collection [${database}.${name}] not found.`,
    )
  if (collection && (storage || get(operand, 'count'))) {
    const { count, size } = await measure(context, collection)
    if (get(operand, 'count')) made.count = count
    if (storage) made.storageStats = await storageStatistics(context, collection, storage, count, size)
  }
  if (get(operand, 'latencyStats')) {
    const none = { latency: 0n, ops: 0n }
    made.latencyStats = { reads: none, writes: none, commands: none, transactions: none }
  }
  if (get(operand, 'queryExecStats'))
    made.queryExecStats = { collectionScans: { total: 0n, nonTailable: 0n } }
  yield [encodeDocument(made)]
}

async function measure(
  { engine }: PipelineContext,
  { prefix }: Collection,
): Promise<{ count: number; size: number }> {
  let count = 0
  let size = 0
  for await (const value of engine.store.level.values({ gte: prefix, lt: afterPrefix(prefix) })) {
    count++
    size += value.length
  }
  return { count, size }
}

async function storageStatistics(
  { engine }: PipelineContext,
  collection: Collection,
  options: RawValue,
  count: number,
  size: number,
): Promise<Plain> {
  const given = get(options, 'scale')
  if (given && !isNumberType(given.type)) throw failedToParse('the scale has to be a number')
  const scale = given ? Math.max(1, Math.trunc(Number(numberIn(given)))) : 1
  const { level } = engine.store
  const indexes = allIndexesPrefix(collection.id)
  const storageSize = await level.approximateSize(collection.prefix, afterPrefix(collection.prefix))
  const totalIndexSize = await level.approximateSize(indexes, afterPrefix(indexes))
  return {
    size: Math.floor(size / scale),
    count,
    ...(count > 0 ? { avgObjSize: Math.floor(size / count) } : {}),
    numOrphanDocs: 0,
    storageSize: Math.floor(storageSize / scale),
    freeStorageSize: 0,
    capped: false,
    nindexes: collection.indexes.length + 1,
    indexDetails: {},
    indexBuilds: [...collection.building.keys()],
    totalIndexSize: Math.floor(totalIndexSize / scale),
    totalSize: Math.floor((storageSize + totalIndexSize) / scale),
    indexSizes: Object.fromEntries(
      ['_id_', ...collection.indexes.map((index) => index.name)].map((name) => [name, 0]),
    ),
    scaleFactor: new Double(scale),
  }
}

/** What `$indexStats` says of a collection's indexes; nobody counts how often they are used. */
export function indexStatistics(context: PipelineContext, name: string, operand: RawValue): Documents {
  if (operand.type !== T.object || operand.end - operand.start !== 5)
    throw new CommandError(28803, 'The $indexStats stage specification must be an empty object')
  const { engine, database } = context
  const collection = engine.catalog.get(database, name)
  const since = new Date(engine.startedAt)
  const described = (indexName: string, key: unknown, spec: unknown): Buffer =>
    encodeDocument({ name: indexName, key, host: hostname(), accesses: { ops: 0n, since }, spec })
  const all = collection
    ? [
        described('_id_', { _id: 1 }, { v: 2, key: { _id: 1 }, name: '_id_' }),
        ...collection.indexes.map(({ name: indexName, specification }) => {
          const spec = documentOf(specification)
          return described(indexName, get(spec, 'key') ?? NULL, spec)
        }),
      ]
    : []
  return inPortions(all)
}
