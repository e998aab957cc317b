import type { Plain } from '../bson/plain.ts'
import { documentFrom, documentOf, fieldsOf, get, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { newObjectId } from '../bson/values.ts'
import { CommandError } from '../errors.ts'
import { ownBytes } from '../storage/collection.ts'
import type { Store } from '../storage/store.ts'
import { checkId } from '../update/apply.ts'
import { writeError } from './answers.ts'
import { type Handler, ok, type Request } from './request.ts'
import { validation } from './validation.ts'

const MAX_BATCH = 100_000

/** Checks how many writes a command carries. */
export function checkBatch(count: number): void {
  if (count < 1 || count > MAX_BATCH) {
    throw new CommandError(
      16,
      `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${count} operations.`,
    )
  }
}

export const insert: Handler = {
  options: ['insert', 'documents', 'ordered'],
  run: async (request: Request) => {
    const documents = request.documents('documents')
    checkBatch(documents.length)
    const ordered = request.boolean('ordered', true)
    const { store, catalog } = request.engine
    const collection = catalog.ensure(request.database, request.collectionName)
    const valid = validation(request, collection)
    const writeErrors: Plain[] = []
    let n = 0
    for (let i = 0; i < documents.length; i++) {
      try {
        const bytes = prepared(documents[i] as RawValue, store)
        valid?.(bytes)
        collection.insert(bytes)
        n++
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
        writeErrors.push(writeError(i, error))
        if (ordered) break
      }
    }
    await store.commit()
    return ok(writeErrors.length > 0 ? { n, writeErrors } : { n })
  },
}

/** The bytes to store: `_id` first and of a kind that serves, and empty timestamps given the time. */
function prepared(document: RawValue, store: Store): Buffer {
  const firstIsId = document.bytes.toString('latin1', document.start + 5, document.start + 9) === '_id\0'
  const id = get(document, '_id')
  if (id) checkId(id)
  const fields = fieldsOf(document)
  const empty = fields.some((field) => isEmptyTimestamp(field.value))
  if (firstIsId && !empty) return ownBytes(document)
  const filled = fields.map((field) =>
    field.name !== '_id' && isEmptyTimestamp(field.value)
      ? { name: field.name, value: store.timestamp() }
      : field,
  )
  return documentFrom([
    { name: '_id', value: id ?? newObjectId() },
    ...filled.filter((field) => field.name !== '_id'),
  ])
}

const isEmptyTimestamp = (value: RawValue): boolean =>
  value.type === T.timestamp &&
  value.bytes.readUInt32LE(value.start) === 0 &&
  value.bytes.readUInt32LE(value.start + 4) === 0

/** The `_id` of a stored document. */
export const idOf = (bytes: Buffer): RawValue | undefined => get(documentOf(bytes), '_id')
