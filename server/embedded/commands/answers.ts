import { Double } from 'bson'
import { encodeDocument, type Plain } from '../bson/plain.ts'
import { documentOf } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { ByteWriter } from '../bson/writer.ts'
import { CommandError, DocumentValidationError, DuplicateKeyError } from '../errors.ts'
import type { Cursor, Cursors } from './cursors.ts'
import type { Request } from './request.ts'

const DEFAULT_BATCH = 101

/** The answer of a cursor: documents are copied as they are stored. */
function cursorAnswer(
  id: bigint,
  namespace: string,
  batchName: 'firstBatch' | 'nextBatch',
  batch: readonly Buffer[],
): Buffer {
  const size = batch.reduce((sum, bytes) => sum + bytes.length + 8, 128 + namespace.length)
  const writer = new ByteWriter(size)
  const answer = writer.beginDocument()
  writer.byte(T.object)
  writer.cstring('cursor')
  const cursor = writer.beginDocument()
  writer.byte(T.array)
  writer.cstring(batchName)
  const list = writer.beginDocument()
  for (let i = 0; i < batch.length; i++) {
    writer.byte(T.object)
    writer.cstring(String(i))
    writer.bytes(batch[i] as Buffer)
  }
  writer.endDocument(list)
  writer.byte(T.long)
  writer.cstring('id')
  writer.int64(id)
  writer.byte(T.string)
  writer.cstring('ns')
  writer.string(namespace)
  writer.endDocument(cursor)
  writer.byte(T.double)
  writer.cstring('ok')
  writer.double(1)
  writer.endDocument(answer)
  return writer.buffer.subarray(0, writer.length)
}

/** Answers documents that are all there. */
export const answerAll = (namespace: string, documents: readonly Buffer[]): Buffer =>
  cursorAnswer(0n, namespace, 'firstBatch', documents)

/** Answers the first documents of a cursor, and keeps it when there are more. */
export async function answerFirst(
  cursors: Cursors,
  cursor: Cursor,
  batchSize: number | undefined,
  singleBatch = false,
): Promise<Buffer> {
  const batch = await cursor.next(batchSize ?? DEFAULT_BATCH)
  if (cursor.done || singleBatch) {
    await cursor.close()
    return cursorAnswer(0n, cursor.namespace, 'firstBatch', batch)
  }
  return cursorAnswer(cursors.keep(cursor), cursor.namespace, 'firstBatch', batch)
}

/** Answers the next documents of a cursor. */
export async function answerNext(
  cursors: Cursors,
  id: bigint,
  namespace: string,
  batchSize: number,
): Promise<Buffer> {
  const cursor = cursors.get(id)
  if (cursor.namespace !== namespace) {
    throw new CommandError(
      13,
      `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
    )
  }
  try {
    const batch = await cursor.next(batchSize > 0 ? batchSize : Number.MAX_SAFE_INTEGER)
    if (cursor.done) await cursors.kill(id)
    return cursorAnswer(cursor.done ? 0n : id, namespace, 'nextBatch', batch)
  } catch (error) {
    await cursors.kill(id)
    throw error
  }
}

/** What an error says about itself inside an answer. */
export function describeError(error: CommandError): Plain {
  const described: Plain = { code: error.code, codeName: error.codeName, errmsg: error.message }
  if (error instanceof DuplicateKeyError) {
    described.keyPattern = documentOf(error.keyPattern)
    described.keyValue = documentOf(error.keyValue)
  }
  if (error instanceof DocumentValidationError) described.errInfo = documentOf(error.errInfo)
  return described
}

/** The answer to a command that failed. */
export function failure(error: unknown): Buffer {
  const known =
    error instanceof CommandError ? error : new CommandError(1, (error as Error)?.message ?? String(error))
  return encodeDocument({ ok: new Double(0), ...describeError(known) })
}

/** One failed write of several. */
export function writeError(index: number, error: CommandError): Plain {
  const { codeName: _codeName, ...described } = describeError(error)
  return { index, ...described }
}

/** The batch size of a `cursor` option or of a command, checked. */
export function batchSizeOf(request: Request): number | undefined {
  if (!request.has('batchSize')) return undefined
  const size = request.number('batchSize', DEFAULT_BATCH)
  if (size < 0)
    throw new CommandError(51024, `BSON field 'batchSize' value must be >= 0, actual value '${size}'`)
  return size
}
