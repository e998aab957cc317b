import type { Engine } from '../engine.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix } from '../storage/keys.ts'
import type { Store } from '../storage/store.ts'
import type { Index } from './index-spec.ts'

/** Few enough that other commands are served between them. */
const DOCUMENTS_PER_TURN = 200
const BYTES_PER_TURN = 256 * 1024
/** A commit waits for the disk, so it is not waited for after every turn; what is not committed yet is in memory. */
const TURNS_PER_COMMIT = 8

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
    await addAll(store, collection, index)
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

/** Adds what is on disk; of what was written since the reading began, the newest version counts. */
async function addAll(store: Store, collection: Collection, index: Index): Promise<void> {
  const written = collection.watch()
  const iterator = store.level.iterator({
    gte: collection.prefix,
    lt: afterPrefix(collection.prefix),
    fillCache: false,
    highWaterMarkBytes: BYTES_PER_TURN,
  })
  try {
    for (let turn = 1; ; turn++) {
      const entries = await iterator.nextv(DOCUMENTS_PER_TURN)
      if (entries.length === 0) return
      for (const [key, bytes] of entries) {
        const isStale = written.size > 0 && written.has(key.toString('latin1'))
        const newest = isStale ? collection.latest(key) : bytes
        if (newest) collection.addToIndex(index, key, newest)
      }
      if (turn % TURNS_PER_COMMIT === 0) await store.commit()
    }
  } finally {
    collection.unwatch(written)
    await iterator.close()
  }
}
