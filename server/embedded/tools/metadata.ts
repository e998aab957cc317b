import { deserialize, EJSON, serialize } from 'bson'
import { ID_INDEX_SPECIFICATION } from '../indexes/index-spec.ts'
import type { Collection } from '../storage/collection.ts'

/** What lies beside a collection's documents in a dump. */
export interface Metadata {
  readonly name: string | undefined
  readonly type: string
  readonly uuid: Buffer | undefined
  /** BSON, as the other side stores it. */
  readonly options: Buffer
  readonly indexes: readonly Buffer[]
}

/** Keeps every number's type, which canonical Extended JSON can say. */
const KEEP_TYPES = { promoteValues: false, bsonRegExp: true } as const

/** The metadata file of a collection, as mongodump writes it. */
export function writeMetadata(collection: Collection): string {
  const indexes = collection.indexes.filter((index) => !index.building)
  return EJSON.stringify(
    {
      options: deserialize(collection.options, KEEP_TYPES),
      indexes: [ID_INDEX_SPECIFICATION, ...indexes.map((index) => index.specification)].map((bytes) =>
        deserialize(bytes, KEEP_TYPES),
      ),
      uuid: collection.uuid.toString('hex'),
      collectionName: collection.name,
      type: 'collection',
    },
    { relaxed: false },
  )
}

/** Reads a metadata file; `where` is named when it makes no sense. */
export function readMetadata(text: string, where: string): Metadata {
  let parsed: Record<string, unknown>
  try {
    parsed = EJSON.parse(text, { relaxed: false })
  } catch (error) {
    throw new Error(`${where} is no Extended JSON: ${(error as Error).message}`, { cause: error })
  }
  const { options = {}, indexes = [], uuid, collectionName, type = 'collection' } = parsed
  if (!isObject(options) || !Array.isArray(indexes) || !indexes.every(isObject)) {
    throw new Error(`${where} is no metadata of a collection: options or indexes are missing`)
  }
  return {
    name: typeof collectionName === 'string' ? collectionName : undefined,
    type: String(type),
    uuid: typeof uuid === 'string' && /^[0-9a-f]{32}$/i.test(uuid) ? Buffer.from(uuid, 'hex') : undefined,
    options: Buffer.from(serialize(options)),
    indexes: indexes.map((index) => Buffer.from(serialize(index))),
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
