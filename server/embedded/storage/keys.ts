import type { ByteWriter } from '../bson/writer.ts'

/**
 * The layout of the key-value store:
 *
 *     00 "format"                           version of this layout
 *     00 "time"                             the last timestamp given out
 *     00 "next"                             the next collection or index number
 *     00 "batch"                            the number of the last batch; every batch begins with it
 *     00 "upgrade"                          how far an upgrade of this layout is, while it runs
 *     00 "c" collection                     what a collection is and which indexes it has
 *     00 "d" collection [index]             what was dropped and is not yet cleared
 *     01 collection key(_id)                a document, as it came
 *     02 collection index key(fields) key(_id)   one index entry; a unique index leaves the _id out
 *
 * Numbers are four bytes, big end first. Keys are in the order of MongoDB's values (`indexes/key-encoding.ts`).
 */
export const FORMAT_VERSION = 1

export const FORMAT_KEY = Buffer.from('\0format')
export const CLOCK_KEY = Buffer.from('\0time')
export const NEXT_KEY = Buffer.from('\0next')
export const BATCH_KEY = Buffer.from('\0batch')
export const UPGRADE_KEY = Buffer.from('\0upgrade')

const COLLECTION = Buffer.from('\0c')
const DROPPED = Buffer.from('\0d')

const numbered = (prefix: Buffer | number, ...numbers: number[]): Buffer => {
  const head = typeof prefix === 'number' ? Buffer.from([prefix]) : prefix
  const key = Buffer.alloc(head.length + numbers.length * 4)
  head.copy(key)
  numbers.forEach((number, i) => {
    key.writeUInt32BE(number, head.length + i * 4)
  })
  return key
}

export const collectionKey = (collection: number): Buffer => numbered(COLLECTION, collection)
export const droppedKey = (...numbers: number[]): Buffer => numbered(DROPPED, ...numbers)
export const documentPrefix = (collection: number): Buffer => numbered(1, collection)
export const indexPrefix = (collection: number, index: number): Buffer => numbered(2, collection, index)
/** The same, into a key that is being written. */
export function writeIndexPrefix(writer: ByteWriter, collection: number, index: number): void {
  writer.byte(2)
  writer.uint32BE(collection)
  writer.uint32BE(index)
}

export const allIndexesPrefix = (collection: number): Buffer => numbered(2, collection)

export const ALL_COLLECTIONS = COLLECTION
export const ALL_DROPPED = DROPPED

/** The first key after every key with this prefix. */
export function afterPrefix(prefix: Uint8Array): Buffer {
  const end = Buffer.from(prefix)
  for (let i = end.length - 1; i >= 0; i--) {
    const byte = end[i] as number
    if (byte < 0xff) {
      end[i] = byte + 1
      return end.subarray(0, i + 1)
    }
  }
  return Buffer.from([0xff, 0xff])
}
