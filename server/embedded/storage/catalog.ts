import { randomUUID } from 'node:crypto'
import { decodeDocument, encodeDocument } from '../bson/plain.ts'
import { documentOf, EMPTY_DOCUMENT, type RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import { type Index, parseIndex } from '../indexes/index-spec.ts'
import { Collection } from './collection.ts'
import {
  ALL_COLLECTIONS,
  ALL_DROPPED,
  afterPrefix,
  allIndexesPrefix,
  collectionKey,
  documentPrefix,
  droppedKey,
  indexPrefix,
  NEXT_KEY,
} from './keys.ts'
import type { Store } from './store.ts'

interface StoredCollection {
  id: number
  database: string
  name: string
  uuid: Buffer
  options: Buffer
  indexes: Array<{ id: number; specification: Buffer; multikey: number[]; building: boolean }>
}

const prefixRange = (prefix: Buffer) => ({ gte: prefix, lt: afterPrefix(prefix) })

/** Which collections and indexes there are: in memory, and in the store in the same batch as what they concern. */
export class Catalog {
  readonly #store: Store
  readonly #collections = new Map<string, Collection>()
  #next = 1

  constructor(store: Store) {
    this.#store = store
  }

  /** Reads the catalog; of an index whose building a crash interrupted nothing is kept. */
  async load(): Promise<void> {
    await this.reload()
    for (const collection of this.#collections.values()) {
      for (const index of collection.indexes.filter((each) => each.building)) {
        this.dropIndex(collection, index)
      }
    }
    await this.#store.commit()
  }

  /** Takes over what is on disk, at once: nobody sees a catalog that is half read. */
  async reload(): Promise<void> {
    const next = await this.#store.level.get(NEXT_KEY)
    const stored: StoredCollection[] = []
    for await (const [, value] of this.#store.level.iterator(prefixRange(ALL_COLLECTIONS))) {
      stored.push(readStored(value))
    }
    const known = new Map([...this.#collections.values()].map((collection) => [collection.id, collection]))
    this.#collections.clear()
    for (const each of stored) {
      const restored = this.#restore(each)
      const existing = known.get(each.id)
      const kept = existing?.namespace === restored.namespace ? existing : restored
      kept.indexes = restored.indexes
      this.#collections.set(kept.namespace, kept)
    }
    // Numbers are never given twice, not even those of a batch that failed.
    this.#next = Math.max(this.#next, next ? next.readUInt32BE(0) : 1)
  }

  #restore(stored: StoredCollection): Collection {
    const indexes = stored.indexes.map(({ id, specification, multikey, building }): Index => {
      const index = parseIndex(id, documentOf(specification))
      index.multikey = new Set(multikey)
      index.building = building
      return index
    })
    return new Collection({ ...stored, indexes }, this.#store, (changed) => this.save(changed))
  }

  get(database: string, name: string): Collection | undefined {
    return this.#collections.get(`${database}.${name}`)
  }

  require(database: string, name: string): Collection {
    const collection = this.get(database, name)
    if (!collection) throw new CommandError(26, `ns does not exist: ${database}.${name}`)
    return collection
  }

  /** The collection, made on the spot when it is not there, as MongoDB does for a first write. */
  ensure(database: string, name: string): Collection {
    return this.get(database, name) ?? this.create(database, name, EMPTY_DOCUMENT)
  }

  create(database: string, name: string, options: Buffer, uuid = newUuid()): Collection {
    this.#store.requireWritable()
    checkName(database, name)
    const collection = new Collection(
      { id: this.#number(), database, name, uuid, options, indexes: [] },
      this.#store,
      (changed) => this.save(changed),
    )
    this.#collections.set(collection.namespace, collection)
    this.save(collection)
    return collection
  }

  /** Forgets a collection; what it held is cleared afterwards by `clearDropped`. */
  drop(collection: Collection): void {
    this.#store.requireWritable()
    this.#collections.delete(collection.namespace)
    this.#store.remove(collectionKey(collection.id))
    this.#store.put(droppedKey(collection.id), Buffer.alloc(0))
  }

  rename(collection: Collection, database: string, name: string): void {
    this.#store.requireWritable()
    checkName(database, name)
    const { id, uuid, options, indexes } = collection
    const renamed = new Collection({ id, database, name, uuid, options, indexes }, this.#store, (changed) =>
      this.save(changed),
    )
    this.#collections.delete(collection.namespace)
    this.#collections.set(renamed.namespace, renamed)
    this.save(renamed)
  }

  /** Reads a new index specification and gives it a number. */
  newIndex(specification: RawValue): Index {
    return parseIndex(this.#number(), specification)
  }

  addIndex(collection: Collection, index: Index): void {
    this.#store.requireWritable()
    collection.indexes = [...collection.indexes, index]
    this.save(collection)
  }

  dropIndex(collection: Collection, index: Index): void {
    this.#store.requireWritable()
    collection.indexes = collection.indexes.filter((other) => other !== index)
    this.save(collection)
    this.#store.put(droppedKey(collection.id, index.id), Buffer.alloc(0))
  }

  /** Removes the documents and entries of what was dropped. */
  async clearDropped(): Promise<void> {
    for await (const [key] of this.#store.level.iterator(prefixRange(ALL_DROPPED))) {
      const collection = key.readUInt32BE(2)
      const prefixes =
        key.length > 6
          ? [indexPrefix(collection, key.readUInt32BE(6))]
          : [documentPrefix(collection), allIndexesPrefix(collection)]
      for (const prefix of prefixes) if (!(await this.#store.clear(prefixRange(prefix)))) return
      this.#store.remove(key)
      await this.#store.commit()
    }
  }

  save(collection: Collection): void {
    if (this.get(collection.database, collection.name) !== collection) return
    const { id, database, name, uuid, options } = collection
    const indexes = collection.indexes.map((index) => ({
      id: index.id,
      specification: index.specification,
      multikey: [...index.multikey],
      building: index.building,
    }))
    this.#store.put(collectionKey(id), encodeDocument({ id, database, name, uuid, options, indexes }))
  }

  collectionsOf(database: string): Collection[] {
    return [...this.#collections.values()].filter((collection) => collection.database === database)
  }

  all(): Collection[] {
    return [...this.#collections.values()]
  }

  #number(): number {
    const number = this.#next++
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(this.#next)
    this.#store.put(NEXT_KEY, bytes)
    return number
  }
}

const newUuid = (): Buffer => Buffer.from(randomUUID().replaceAll('-', ''), 'hex')

function readStored(bytes: Buffer): StoredCollection {
  const plain = decodeDocument(bytes) as {
    id: number
    database: string
    name: string
    uuid: { buffer: Uint8Array }
    options: { buffer: Uint8Array }
    indexes: Array<{
      id: number
      specification: { buffer: Uint8Array }
      multikey: number[]
      building: boolean
    }>
  }
  return {
    ...plain,
    uuid: Buffer.from(plain.uuid.buffer),
    options: Buffer.from(plain.options.buffer),
    indexes: plain.indexes.map((index) => ({
      ...index,
      specification: Buffer.from(index.specification.buffer),
    })),
  }
}

function checkName(database: string, name: string): void {
  const refuse = (why: string) =>
    new CommandError(73, `Invalid namespace specified '${database}.${name}': ${why}`)
  if (database === '' || /[/\\. "$*<>:|?\0]/.test(database) || database.length > 63)
    throw refuse('database name')
  if (name === '' || name.startsWith('.') || name.includes('$') || name.includes('\0'))
    throw refuse('collection name')
  if (name.startsWith('system.')) throw refuse('system collections are not served')
}
