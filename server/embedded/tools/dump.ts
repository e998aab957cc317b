import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../engine.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix } from '../storage/keys.ts'
import { writeMetadata } from './metadata.ts'

const BYTES_PER_WRITE = 1024 * 1024

/**
 * Writes every collection as mongodump does: `<database>/<collection>.bson` with the documents as they are stored,
 * and `.metadata.json` with options, indexes and uuid. The directory may not hold anything yet.
 */
export async function dump(engine: Engine, directory: string, report: (line: string) => void): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if ((await readdir(directory)).length > 0) {
    throw new Error(`${directory} is not empty: name a directory that a dump may have for itself`)
  }
  for (const collection of engine.catalog.all()) {
    const folder = join(directory, collection.database)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, escaped(collection.name))
    const documents = await dumpDocuments(engine, collection, `${path}.bson`)
    await writeFile(`${path}.metadata.json`, writeMetadata(collection), { mode: 0o600 })
    report(`${collection.namespace}: ${documents} documents, ${collection.indexes.length + 1} indexes`)
  }
}

/** A collection's name as the name of a file; mongorestore reads it back. */
const escaped = (name: string): string => encodeURIComponent(name)

async function dumpDocuments(engine: Engine, collection: Collection, path: string): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  const values = engine.store.level.values({
    gte: collection.prefix,
    lt: afterPrefix(collection.prefix),
    fillCache: false,
    highWaterMarkBytes: BYTES_PER_WRITE,
  })
  let documents = 0
  try {
    while (true) {
      const some = await values.nextv(10_000)
      if (some.length === 0) break
      await file.writev(some)
      documents += some.length
    }
    await file.sync()
    return documents
  } finally {
    await values.close()
    await file.close()
  }
}
