import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { documentOf, fieldsOf, get } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { isTruthy } from '../bson/values.ts'
import { REFUSED_OPTIONS } from '../commands/collections.ts'
import type { Engine } from '../engine.ts'
import { buildIndex } from '../indexes/build.ts'
import { parseIndex } from '../indexes/index-spec.ts'
import { refuseCollation } from '../query/parse-filter.ts'
import type { Collection } from '../storage/collection.ts'
import { readBsonFile } from './bson-file.ts'
import { type Metadata, readMetadata } from './metadata.ts'

const BYTES_PER_COMMIT = 1024 * 1024

/** One collection of a dump. */
interface Dumped {
  readonly database: string
  readonly name: string
  readonly path: string
  readonly metadata: Metadata | undefined
}

/**
 * Reads a dump as mongodump and `dump` write it. Everything it says is looked at before anything is written; a
 * collection that is there already is never added to.
 */
export async function restore(
  engine: Engine,
  directory: string,
  report: (line: string) => void,
): Promise<void> {
  const collections = await dumpedCollections(directory, report)
  if (collections.length === 0) {
    throw new Error(`${directory} holds no dump: there is no <database>/<collection>.bson in it`)
  }
  for (const dumped of collections) refuseUnknown(engine, dumped)
  for (const dumped of collections) {
    const documents = await restoreCollection(engine, dumped)
    report(`${dumped.database}.${dumped.name}: ${documents} documents`)
  }
}

async function dumpedCollections(directory: string, report: (line: string) => void): Promise<Dumped[]> {
  const found: Dumped[] = []
  for (const database of (await readdir(directory)).sort()) {
    const folder = join(directory, database)
    if (!(await stat(folder)).isDirectory()) continue
    for (const file of (await readdir(folder)).sort()) {
      const [, stem, gz = ''] = /^(.+)\.bson(\.gz)?$/.exec(file) ?? []
      if (stem === undefined) continue
      const metadata = await metadataOf(join(folder, `${stem}.metadata.json`), gz)
      const name = metadata?.name ?? decodeURIComponent(stem)
      if (name.startsWith('system.')) report(`${database}.${name} is left out: it is MongoDB's own`)
      else found.push({ database, name, path: join(folder, file), metadata })
    }
  }
  return found
}

async function metadataOf(path: string, gz: string): Promise<Metadata | undefined> {
  const bytes = await readFile(path + gz).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!bytes) return undefined
  return readMetadata((gz ? gunzipSync(bytes) : bytes).toString(), path + gz)
}

function refuseUnknown(engine: Engine, { database, name, metadata }: Dumped): void {
  const namespace = `${database}.${name}`
  if (engine.catalog.get(database, name)) {
    throw new Error(`${namespace} is there already: restore into a new directory, or drop it first`)
  }
  if (!metadata) return
  if (metadata.type !== 'collection')
    throw new Error(`${namespace} is a ${metadata.type}, which the embedded store does not have`)
  for (const option of REFUSED_OPTIONS) {
    const value = get(documentOf(metadata.options), option)
    if (value && isTruthy(value)) {
      throw new Error(`${namespace} has the option '${option}', which the embedded store does not have`)
    }
  }
  refuseCollation(get(documentOf(metadata.options), 'collation'))
  for (const specification of metadata.indexes) {
    try {
      parseIndex(0, documentOf(specification))
    } catch (error) {
      throw new Error(`an index of ${namespace} cannot be made: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
}

async function restoreCollection(
  engine: Engine,
  { database, name, path, metadata }: Dumped,
): Promise<number> {
  const { catalog, store } = engine
  const collection = metadata
    ? catalog.create(database, name, metadata.options, metadata.uuid)
    : catalog.ensure(database, name)
  let documents = 0
  let gathered = 0
  for await (const bytes of readBsonFile(path)) {
    collection.insert(bytes)
    documents++
    gathered += bytes.length
    if (gathered < BYTES_PER_COMMIT) continue
    gathered = 0
    await store.commit()
  }
  await store.commit()
  for (const specification of metadata?.indexes ?? []) await restoreIndex(engine, collection, specification)
  return documents
}

async function restoreIndex(engine: Engine, collection: Collection, specification: Buffer): Promise<void> {
  const key = get(documentOf(specification), 'key')
  const names = key?.type === T.object ? fieldsOf(key).map((field) => field.name) : []
  if (names.length === 1 && names[0] === '_id') return
  await buildIndex(engine, collection, engine.catalog.newIndex(documentOf(specification)))
}
