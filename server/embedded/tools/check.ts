import { documentOf, get, type RawValue } from '../bson/raw.ts'
import { validateDocument } from '../bson/validate.ts'
import type { Engine } from '../engine.ts'
import { indexKeys } from '../indexes/extract.ts'
import type { Index } from '../indexes/index-spec.ts'
import { type Collection, MAX_DOCUMENT_BYTES } from '../storage/collection.ts'
import { describeValue } from '../storage/describe-value.ts'
import { ALL_DROPPED, afterPrefix, documentPrefix, indexPrefix, NEXT_KEY } from '../storage/keys.ts'
import type { Level } from '../storage/store.ts'

const ENTRIES_PER_TURN = 2000
const BYTES_PER_TURN = 1024 * 1024
const DOCUMENTS = 1
const ENTRIES = 2

/** What was looked at. */
export interface Checked {
  collections: number
  documents: number
  entries: number
}

/**
 * Compares everything a store holds: each document is BSON under its own key, has the index entries it should
 * have, and no entry is without its document; numbers are given once, and nothing lies where nobody looks for it.
 * Calls `report` with a sentence for each thing that is wrong. Memory does not grow with the store.
 */
export async function checkStore(engine: Engine, report: (wrong: string) => void): Promise<Checked> {
  await engine.store.commit()
  const checked = { collections: 0, documents: 0, entries: 0 }
  await checkCatalog(engine, report)
  await findStrays(engine, report)
  for (const collection of engine.catalog.all()) {
    const { documents, entries } = await checkCollection(engine, collection, report)
    checked.collections++
    checked.documents += documents
    checked.entries += entries
  }
  return checked
}

/** Names and numbers of the catalog: each is given once, and the next is beyond them. */
async function checkCatalog(engine: Engine, report: (wrong: string) => void): Promise<void> {
  const stored = await engine.store.level.get(NEXT_KEY)
  const next = stored?.readUInt32BE(0) ?? 1
  const owners = new Map<number, string>()
  for (const collection of engine.catalog.all()) {
    const names = new Set(['_id_'])
    const numbered: [number, string][] = [[collection.id, collection.namespace]]
    for (const index of collection.indexes) {
      numbered.push([index.id, `the index ${index.name} of ${collection.namespace}`])
      if (names.has(index.name)) report(`${collection.namespace} has two indexes named ${index.name}`)
      names.add(index.name)
    }
    for (const [number, owner] of numbered) {
      const other = owners.get(number)
      if (other) report(`${other} and ${owner} have the same number ${number}`)
      if (number >= next) report(`${owner} has the number ${number}, but the next to be given is ${next}`)
      owners.set(number, owner)
    }
  }
}

/** Documents and entries of collections and indexes that are not in the catalog. */
async function findStrays({ store, catalog }: Engine, report: (wrong: string) => void): Promise<void> {
  const { level } = store
  const dropped = new Set<string>()
  for await (const key of level.keys({ gte: ALL_DROPPED, lt: afterPrefix(ALL_DROPPED) })) {
    dropped.add(key.subarray(ALL_DROPPED.length).toString('hex'))
  }
  const collections = new Map(catalog.all().map((collection) => [collection.id, collection]))
  const isExpected = (collection: number, index?: number) => {
    const known = collections.get(collection)
    if (index === undefined ? known : known?.indexes.some((each) => each.id === index)) return true
    const name = collection.toString(16).padStart(8, '0')
    return (
      dropped.has(name) || (index !== undefined && dropped.has(name + index.toString(16).padStart(8, '0')))
    )
  }
  for (let at: Buffer = Buffer.from([DOCUMENTS]); ; ) {
    const key = await firstKey(level, at, DOCUMENTS)
    if (!key) break
    const collection = key.readUInt32BE(1)
    if (!isExpected(collection))
      report(`there are documents of the collection number ${collection}, which is not in the catalog`)
    at = afterPrefix(documentPrefix(collection))
  }
  for (let at: Buffer = Buffer.from([ENTRIES]); ; ) {
    const key = await firstKey(level, at, ENTRIES)
    if (!key) break
    const [collection, index] = [key.readUInt32BE(1), key.readUInt32BE(5)]
    if (!isExpected(collection, index)) {
      report(
        `there are entries of the index number ${index} of collection number ${collection}, which are not in the catalog`,
      )
    }
    at = afterPrefix(indexPrefix(collection, index))
  }
  for await (const key of level.keys({ gt: Buffer.from([ENTRIES + 1]), limit: 1 })) {
    report(`there is a key that begins with ${key[0]}, which nothing writes`)
  }
}

async function firstKey(level: Level, from: Buffer, kind: number): Promise<Buffer | undefined> {
  const [key] = await level.keys({ gte: from, lt: Buffer.from([kind + 1]), limit: 1 }).all()
  return key
}

/** Checks the documents of a collection and all its indexes, both ways. */
export async function checkCollection(
  engine: Engine,
  collection: Collection,
  report: (wrong: string) => void,
): Promise<{ documents: number; entries: number; keysPerIndex: Record<string, number> }> {
  const indexes = collection.indexes.filter((index) => !index.building)
  const found = new Map<Index, number>(indexes.map((index) => [index, 0]))
  const snapshot = engine.store.snapshot()
  const inTurns = { fillCache: false, highWaterMarkBytes: BYTES_PER_TURN, snapshot }
  const say = (wrong: string) => report(`${collection.namespace}: ${wrong}`)
  const lookUp = (key: Buffer) => engine.store.committed(key, snapshot)
  let documents = 0
  try {
    const range = { gte: collection.prefix, lt: afterPrefix(collection.prefix) }
    await inBatches(engine.store.level.iterator({ ...range, ...inTurns }), (entries) => {
      documents += entries.length
      for (const [key, bytes] of entries) checkDocument(collection, key, bytes, found, lookUp, say)
    })
    const keysPerIndex: Record<string, number> = { _id_: documents }
    for (const [index, owned] of found) {
      const prefix = indexPrefix(collection.id, index.id)
      const entries = { gte: prefix, lt: afterPrefix(prefix), ...inTurns }
      let total = 0
      await inBatches(engine.store.level.keys(entries), (keys) => {
        total += keys.length
      })
      keysPerIndex[index.name] = total
      // What documents own was counted: more than that are entries without a document.
      if (total > owned) {
        await inBatches(engine.store.level.iterator(entries), (some) => {
          for (const [entry, owner] of some) checkEntry(collection, index, entry, owner, lookUp, say)
        })
      }
    }
    const entries = Object.values(keysPerIndex).reduce((sum, keys) => sum + keys, -documents)
    return { documents, entries, keysPerIndex }
  } finally {
    await snapshot.close()
  }
}

/** A document is BSON, lies under its `_id`, and has an entry for each of its keys. */
function checkDocument(
  collection: Collection,
  key: Buffer,
  bytes: Buffer,
  found: Map<Index, number>,
  lookUp: (key: Buffer) => Buffer | undefined,
  say: (wrong: string) => void,
): void {
  const wrong = brokenBson(bytes)
  if (wrong) {
    say(`the document under ${key.toString('hex')} is broken: ${wrong}`)
    return
  }
  const document = documentOf(bytes)
  const id = get(document, '_id')
  if (!id || !collection.documentKey(id).equals(key)) {
    say(`the document with the _id ${describeValue(id)} lies under the key of another`)
    return
  }
  const idKey = key.subarray(collection.prefix.length)
  for (const index of found.keys()) {
    const keys = keysOf(index, document)
    if (!keys) {
      say(`the document with the _id ${describeValue(id)} cannot be in the index ${index.name}`)
      continue
    }
    for (const position of keys.multikey) {
      if (!index.multikey.has(position)) say(`the index ${index.name} does not know that it holds arrays`)
    }
    for (const each of keys.keys) {
      const owner = lookUp(collection.entryKey(index, each.bytes, idKey))
      if (owner?.equals(idKey)) {
        found.set(index, (found.get(index) ?? 0) + 1)
        continue
      }
      say(
        owner
          ? `two documents share a key of the unique index ${index.name}, one with the _id ${describeValue(id)}`
          : `the index ${index.name} lacks an entry of the document with the _id ${describeValue(id)}`,
      )
    }
  }
}

/** An entry belongs to a document that has this key. */
function checkEntry(
  collection: Collection,
  index: Index,
  entry: Buffer,
  idKey: Buffer,
  lookUp: (key: Buffer) => Buffer | undefined,
  say: (wrong: string) => void,
): void {
  const bytes = lookUp(Buffer.concat([collection.prefix, idKey]))
  const document = bytes && !brokenBson(bytes) ? documentOf(bytes) : undefined
  const keys = document ? (keysOf(index, document)?.keys ?? []) : []
  if (keys.some((each) => collection.entryKey(index, each.bytes, idKey).equals(entry))) return
  say(
    document
      ? `the index ${index.name} has an entry that the document with the _id ${describeValue(get(document, '_id'))} should not have`
      : `the index ${index.name} has an entry without a document`,
  )
}

function brokenBson(bytes: Buffer): string | undefined {
  if (bytes.length > MAX_DOCUMENT_BYTES) return `it has ${bytes.length} bytes`
  try {
    return validateDocument(bytes, 0, bytes.length) === bytes.length ? undefined : 'bytes follow it'
  } catch (error) {
    return (error as Error).message
  }
}

function keysOf(index: Index, document: RawValue) {
  try {
    return indexKeys(index, document)
  } catch {
    return undefined
  }
}

async function inBatches<Entry>(
  iterator: { nextv(size: number): Promise<Entry[]>; close(): Promise<void> },
  look: (entries: Entry[]) => void,
): Promise<void> {
  try {
    while (true) {
      const entries = await iterator.nextv(ENTRIES_PER_TURN)
      if (entries.length === 0) return
      look(entries)
    }
  } finally {
    await iterator.close()
  }
}
