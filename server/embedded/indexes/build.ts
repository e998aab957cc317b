import type { Engine } from '../engine.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix } from '../storage/keys.ts'
import type { Index } from './index-spec.ts'

const DOCUMENTS_PER_TURN = 200

/**
 * Builds an index while the collection is read and written: writers keep it up to date from the start, the build
 * adds what was there before, and readers see it when it is whole. A build that fails leaves nothing.
 */
export function buildIndex(engine: Engine, collection: Collection, index: Index): Promise<void> {
  const built = build(engine, collection, index).finally(() => collection.building.delete(index.name))
  collection.building.set(index.name, built)
  return built
}

async function build(engine: Engine, collection: Collection, index: Index): Promise<void> {
  const { store, catalog } = engine
  index.building = true
  catalog.addIndex(collection, index)
  try {
    await store.commit()
    const iterator = store.level.iterator({
      gte: collection.prefix,
      lt: afterPrefix(collection.prefix),
      fillCache: false,
    })
    try {
      while (true) {
        const entries = await iterator.nextv(DOCUMENTS_PER_TURN)
        if (entries.length === 0) break
        for (const [key] of entries) collection.addToIndex(index, key)
        await store.commit()
      }
    } finally {
      await iterator.close()
    }
    index.building = false
    catalog.save(collection)
    await store.commit()
  } catch (error) {
    catalog.dropIndex(collection, index)
    await store.commit()
    await catalog.clearDropped()
    throw error
  }
}
