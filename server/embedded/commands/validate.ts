import { documentOf } from '../bson/raw.ts'
import type { Engine } from '../engine.ts'
import { indexKeys } from '../indexes/extract.ts'
import type { Index } from '../indexes/index-spec.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix, indexPrefix } from '../storage/keys.ts'
import { requireCollection } from './diagnostics.ts'
import { type Handler, ok, type Request } from './request.ts'

/** Compares every index with the documents, both ways. */
export const validate: Handler = {
  options: ['validate', 'full', 'repair', 'metadata', 'checkBSONConformance', 'background'],
  run: async (request: Request) => {
    const collection = requireCollection(request)
    const { nrecords, errors, keysPerIndex } = await validateCollection(request.engine, collection)
    return ok({
      ns: collection.namespace,
      nInvalidDocuments: 0,
      nrecords,
      nIndexes: collection.indexes.length + 1,
      keysPerIndex,
      valid: errors.length === 0,
      repaired: false,
      warnings: [],
      errors,
      extraIndexEntries: [],
      missingIndexEntries: [],
    })
  },
}

/** What a collection holds, and where its indexes disagree with it. */
export async function validateCollection(engine: Engine, collection: Collection) {
  await engine.store.commit()
  const snapshot = engine.store.snapshot()
  const { level } = engine.store
  const indexes = collection.indexes.filter((index) => !index.building)
  const expected = new Map<Index, Set<string>>(indexes.map((index) => [index, new Set()]))
  const errors: string[] = []
  let nrecords = 0
  try {
    const documents = { gte: collection.prefix, lt: afterPrefix(collection.prefix), snapshot }
    for await (const [key, bytes] of level.iterator(documents)) {
      nrecords++
      const idKey = key.subarray(collection.prefix.length)
      for (const [index, entries] of expected) {
        for (const entry of indexKeys(index, documentOf(bytes)).keys) {
          const name = collection.entryKey(index, entry.bytes, idKey).toString('latin1')
          if (entries.has(name)) errors.push(`two documents share a key of the unique index ${index.name}`)
          entries.add(name)
        }
      }
    }
    const keysPerIndex: Record<string, number> = { _id_: nrecords }
    for (const [index, entries] of expected) {
      const prefix = indexPrefix(collection.id, index.id)
      let found = 0
      for await (const key of level.keys({ gte: prefix, lt: afterPrefix(prefix), snapshot })) {
        found++
        if (!entries.delete(key.toString('latin1')))
          errors.push(`the index ${index.name} has an entry without a document`)
      }
      if (entries.size > 0) errors.push(`the index ${index.name} lacks ${entries.size} entries`)
      keysPerIndex[index.name] = found
    }
    return { nrecords, errors, keysPerIndex }
  } finally {
    await snapshot.close()
  }
}
