import { bytesOf, documentFrom, documentOf, get, RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { ByteWriter } from '../bson/writer.ts'
import { CommandError, DuplicateKeyError } from '../errors.ts'
import { Decisions } from '../indexes/decisions.ts'
import { type IndexKey, indexKeys } from '../indexes/extract.ts'
import type { Index } from '../indexes/index-spec.ts'
import { encodeKey } from '../indexes/key-encoding.ts'
import { describeValue } from './describe-value.ts'
import { documentPrefix, writeIndexPrefix } from './keys.ts'
import type { Store } from './store.ts'

/** MongoDB's limit for one document. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

const scratch = new ByteWriter(256)

/**
 * A collection's documents and their index entries. Every method decides and writes in one turn, against the
 * newest state; nothing is on disk before `store.commit()`.
 */
export class Collection {
  readonly id: number
  readonly database: string
  readonly name: string
  readonly uuid: Buffer
  /** The options it was made with, as `listCollections` answers them. */
  options: Buffer
  readonly prefix: Buffer
  indexes: Index[]
  /** Index builds under way, by name. */
  readonly building = new Map<string, Promise<void>>()
  /** Which index serves which questions. */
  readonly decisions = new Decisions()
  readonly #watches = new Set<Map<string, Buffer>>()
  readonly #store: Store
  readonly #onMultikey: (collection: Collection) => void

  constructor(
    described: {
      id: number
      database: string
      name: string
      uuid: Buffer
      options: Buffer
      indexes: Index[]
    },
    store: Store,
    onMultikey: (collection: Collection) => void,
  ) {
    this.id = described.id
    this.database = described.database
    this.name = described.name
    this.uuid = described.uuid
    this.options = described.options
    this.indexes = described.indexes
    this.prefix = documentPrefix(described.id)
    this.#store = store
    this.#onMultikey = onMultikey
  }

  get namespace(): string {
    return `${this.database}.${this.name}`
  }

  /** Where the document with this `_id` lies. */
  documentKey(id: RawValue): Buffer {
    scratch.clear()
    scratch.bytes(this.prefix)
    encodeKey(scratch, id)
    return scratch.take()
  }

  /** The newest version of a document, acknowledged or not. */
  latest(key: Buffer): Buffer | undefined {
    return this.#store.latest(key)
  }

  /** The keys written from now on, and those not yet on disk: what a scan of the disk cannot see. */
  watch(): Map<string, Buffer> {
    const watch = new Map<string, Buffer>()
    for (const [name, { key }] of this.#store.unsettled(this.prefix)) watch.set(name, key)
    this.#watches.add(watch)
    return watch
  }

  unwatch(watch: Map<string, Buffer>): void {
    this.#watches.delete(watch)
  }

  #note(key: Buffer): void {
    for (const watch of this.#watches) watch.set(key.toString('latin1'), key)
  }

  #write(key: Buffer, bytes: Buffer): void {
    this.#note(key)
    this.#store.put(key, bytes)
  }

  /** Stores a new document, or refuses it as a duplicate. */
  insert(bytes: Buffer): void {
    const document = documentOf(bytes)
    const id = get(document, '_id')
    if (!id) throw new CommandError(53, 'The _id field is missing')
    checkSize(bytes)
    const key = this.documentKey(id)
    if (this.#store.latest(key)) throw this.#duplicate('_id_', ['_id'], [id], [1])
    const idKey = key.subarray(this.prefix.length)
    const planned = this.indexes.map((index) => this.#newEntries(index, document, idKey, undefined))
    this.#write(key, bytes)
    for (const { put } of planned) for (const [entry, value] of put) this.#store.put(entry, value)
  }

  /** Replaces a document; `touched` names the top-level fields that may differ, when that is known. */
  replace(key: Buffer, before: Buffer, after: Buffer, touched?: ReadonlySet<string>): void {
    checkSize(after)
    const idKey = key.subarray(this.prefix.length)
    const planned = []
    for (const index of this.indexes) {
      if (touched && !intersects(index.roots, touched)) continue
      planned.push(this.#newEntries(index, documentOf(after), idKey, documentOf(before)))
    }
    this.#write(key, after)
    for (const { remove, put } of planned) {
      for (const entry of remove) this.#store.remove(entry)
      for (const [entry, value] of put) this.#store.put(entry, value)
    }
  }

  remove(key: Buffer, before: Buffer): void {
    const idKey = key.subarray(this.prefix.length)
    this.#note(key)
    this.#store.remove(key)
    for (const index of this.indexes) {
      for (const { bytes } of indexKeys(index, documentOf(before)).keys) {
        const entry = this.entryKey(index, bytes, idKey)
        // While a unique index is built, an entry may belong to the other document of a clash.
        if (!index.unique || this.#store.latest(entry)?.equals(idKey)) this.#store.remove(entry)
      }
    }
  }

  /** Adds the entries of a document, as it is now, to an index that is being built. */
  addToIndex(index: Index, key: Buffer, bytes: Buffer): void {
    const { put } = this.#newEntries(index, documentOf(bytes), key.subarray(this.prefix.length), undefined)
    for (const [entry, value] of put) this.#store.put(entry, value)
  }

  entryKey(index: Index, keyBytes: Buffer, idKey: Buffer): Buffer {
    scratch.clear()
    writeIndexPrefix(scratch, this.id, index.id)
    scratch.bytes(keyBytes)
    if (!index.unique) scratch.bytes(idKey)
    return scratch.take()
  }

  /** What changes in an index when `before` becomes `after`; throws for a duplicate before anything is written. */
  #newEntries(index: Index, after: RawValue, idKey: Buffer, before: RawValue | undefined) {
    const wanted = indexKeys(index, after)
    for (const position of wanted.multikey) {
      if (index.multikey.has(position)) continue
      index.multikey = new Set([...index.multikey, ...wanted.multikey])
      this.#onMultikey(this)
      break
    }
    const old = before ? indexKeys(index, before).keys : []
    const [one] = old
    const [other] = wanted.keys
    // An update mostly leaves the one entry as it is.
    if (old.length === 1 && wanted.keys.length === 1 && one && other?.bytes.equals(one.bytes))
      return UNCHANGED
    const gone = new Map(old.map(({ bytes }) => [bytes.toString('latin1'), bytes]))
    const put: Array<[Buffer, Buffer]> = []
    for (const key of wanted.keys) {
      if (gone.size > 0 && gone.delete(key.bytes.toString('latin1'))) continue
      const entry = this.entryKey(index, key.bytes, idKey)
      if (index.unique) this.#refuseDuplicate(index, key, entry, idKey)
      put.push([entry, idKey])
    }
    return { put, remove: [...gone.values()].map((bytes) => this.entryKey(index, bytes, idKey)) }
  }

  #refuseDuplicate(index: Index, key: IndexKey, entry: Buffer, idKey: Buffer): void {
    const owner = this.#store.latest(entry)
    if (!owner || owner.equals(idKey)) return
    throw this.#duplicate(
      index.name,
      index.fields.map((field) => field.name),
      key.values,
      index.fields.map((field) => (field.descending ? -1 : 1)),
    )
  }

  #duplicate(
    index: string,
    names: string[],
    values: readonly RawValue[],
    directions: number[],
  ): DuplicateKeyError {
    const shown = names.map((name, i) => `${name}: ${describeValue(values[i])}`).join(', ')
    return new DuplicateKeyError(
      `E11000 duplicate key error collection: ${this.namespace} index: ${index} dup key: { ${shown} }`,
      documentFrom(
        directions.map((direction, i) => {
          const bytes = Buffer.allocUnsafe(4)
          bytes.writeInt32LE(direction)
          return { name: names[i] ?? '', value: new RawValue(T.int, bytes, 0, 4) }
        }),
      ),
      documentFrom(values.map((value, i) => ({ name: names[i] ?? '', value }))),
    )
  }
}

const UNCHANGED: { put: Array<[Buffer, Buffer]>; remove: Buffer[] } = { put: [], remove: [] }

const intersects = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => {
  for (const item of b) if (a.has(item)) return true
  return false
}

function checkSize(bytes: Buffer): void {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new CommandError(
      10334,
      `BSONObj size: ${bytes.length} (0x${bytes.length.toString(16).toUpperCase()}) is invalid. Size must be between 0 and ${MAX_DOCUMENT_BYTES}(16MB)`,
    )
  }
}

/** The document's own bytes without what else its message carried. */
export const ownBytes = (document: RawValue): Buffer => Buffer.from(bytesOf(document))
