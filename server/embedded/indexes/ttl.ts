import { documentOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { dateValue, readLong } from '../bson/values.ts'
import { ByteWriter } from '../bson/writer.ts'
import type { Engine } from '../engine.ts'
import type { Collection } from '../storage/collection.ts'
import { indexPrefix } from '../storage/keys.ts'
import { valuesAtPath } from './extract.ts'
import type { Index } from './index-spec.ts'
import { encodeDescending, encodeKey } from './key-encoding.ts'

const DOCUMENTS_PER_TURN = 500

/** Removes the documents whose time has passed, by every TTL index. */
export async function expireDocuments(engine: Engine): Promise<number> {
  let removed = 0
  for (const collection of engine.catalog.all()) {
    for (const index of collection.indexes) {
      if (index.expireAfterSeconds === undefined || index.building) continue
      removed += await expireBy(engine, collection, index, index.expireAfterSeconds)
    }
  }
  return removed
}

async function expireBy(
  engine: Engine,
  collection: Collection,
  index: Index,
  seconds: number,
): Promise<number> {
  const limit = engine.clock.now() - seconds * 1000
  const iterator = engine.store.level.iterator(expiredRange(collection, index, limit))
  let removed = 0
  try {
    while (true) {
      const entries = await iterator.nextv(DOCUMENTS_PER_TURN)
      if (entries.length === 0) return removed
      for (const [, id] of entries) {
        const key = Buffer.concat([collection.prefix, id])
        const bytes = collection.latest(key)
        if (!bytes || !isExpired(index, documentOf(bytes), limit)) continue
        collection.remove(key, bytes)
        removed++
      }
      await engine.store.commit()
    }
  } finally {
    await iterator.close()
  }
}

/** Dates from the oldest up to the limit. */
function expiredRange(collection: Collection, index: Index, limit: number) {
  const descending = index.fields[0]?.descending ?? false
  const bound = (milliseconds: bigint): Buffer => {
    const writer = new ByteWriter(16)
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64LE(milliseconds)
    const date = milliseconds === OLDEST ? rawDate(bytes) : dateValue(Number(milliseconds))
    if (descending) encodeDescending(writer, date)
    else encodeKey(writer, date)
    return Buffer.concat([indexPrefix(collection.id, index.id), writer.take()])
  }
  const oldest = bound(OLDEST)
  const newest = bound(BigInt(Math.floor(limit)) + 1n)
  return descending
    ? { gt: newest, lte: Buffer.concat([oldest, Buffer.alloc(1, 0xff)]) }
    : { gte: oldest, lt: newest }
}

const OLDEST = -(2n ** 63n)
const rawDate = (bytes: Buffer): RawValue => ({ type: T.date, bytes, start: 0, end: 8 })

/** The earliest date of the field decides. */
function isExpired(index: Index, document: RawValue, limit: number): boolean {
  const field = index.fields[0]
  if (!field || (index.partial && !index.partial.matches(document))) return false
  return valuesAtPath(document, field.path).some(
    (value) => value.type === T.date && readLong(value.bytes, value.start) <= limit,
  )
}
