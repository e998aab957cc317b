import type { Plain } from '../bson/plain.ts'
import { get, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { isTruthy } from '../bson/values.ts'
import { CommandError, failedToParse } from '../errors.ts'
import { refuseCollation } from '../query/parse-filter.ts'
import { selectForWrite } from '../query/select-for-write.ts'
import type { Collection } from '../storage/collection.ts'
import { writeError } from './answers.ts'
import { prepareChange, requireFilter } from './change.ts'
import { checkBatch, idOf } from './insert.ts'
import { type Handler, ok, type Request } from './request.ts'
import { selectionOf } from './selection.ts'
import { refuseUnknownFields, statementVariables } from './statement.ts'

const STATEMENT_FIELDS = new Set([
  'q',
  'u',
  'c',
  'upsert',
  'multi',
  'hint',
  'collation',
  'arrayFilters',
  'sort',
])

interface Outcome {
  matched: number
  modified: number
  upserted: RawValue | undefined
}

export const update: Handler = {
  options: ['update', 'updates', 'ordered', 'let'],
  run: async (request: Request) => {
    const statements = request.documents('updates')
    checkBatch(statements.length)
    const ordered = request.boolean('ordered', true)
    const writeErrors: Plain[] = []
    const upserted: Plain[] = []
    let n = 0
    let nModified = 0
    for (let i = 0; i < statements.length; i++) {
      try {
        const outcome = await runStatement(request, statements[i] as RawValue)
        n += outcome.matched
        nModified += outcome.modified
        if (outcome.upserted) {
          n++
          upserted.push({ index: i, _id: outcome.upserted })
        }
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
        writeErrors.push(writeError(i, error))
        if (ordered) break
      }
    }
    await request.engine.store.commit()
    const answer: Plain = { n, nModified }
    if (upserted.length > 0) answer.upserted = upserted
    if (writeErrors.length > 0) answer.writeErrors = writeErrors
    return ok(answer)
  },
}

async function runStatement(request: Request, statement: RawValue): Promise<Outcome> {
  refuseUnknownFields('update.updates', statement, STATEMENT_FIELDS)
  refuseCollation(get(statement, 'collation'))
  const multi = flagged(statement, 'multi')
  const upsert = flagged(statement, 'upsert')
  const sort = get(statement, 'sort')
  if (sort) throw new CommandError(40415, "BSON field 'update.updates.sort' is an unknown field.")
  const document = get(statement, 'u')
  if (!document)
    throw new CommandError(40414, "BSON field 'update.updates.u' is missing but a required field")
  const variables = statementVariables(request, statement)
  const change = prepareChange(request.engine, document, get(statement, 'arrayFilters'), variables)
  if (multi && change.update.kind === 'replacement') {
    throw failedToParse('multi update is not supported for replacement-style update')
  }
  const selection = selectionOf({
    filter: requireFilter(get(statement, 'q')),
    hint: get(statement, 'hint'),
    deadline: request.deadline,
    variables,
  })
  const { catalog, store } = request.engine
  const outcome: Outcome = { matched: 0, modified: 0, upserted: undefined }
  const collection = upsert
    ? catalog.ensure(request.database, request.collectionName)
    : catalog.get(request.database, request.collectionName)
  if (!collection) return outcome
  await selectForWrite(store, collection, selection, multi, (chosen) => {
    if (chosen) {
      const after = change.apply(chosen)
      outcome.matched++
      if (after.equals(chosen.bytes)) return
      collection.replace(chosen.key, chosen.bytes, after, change.touched)
      outcome.modified++
    } else if (upsert) outcome.upserted = insertNew(collection, change.insert(selection.filter))
  })
  return outcome
}

function insertNew(collection: Collection, bytes: Buffer): RawValue | undefined {
  collection.insert(bytes)
  return idOf(bytes)
}

function flagged(statement: RawValue, name: string): boolean {
  const value = get(statement, name)
  return value !== undefined && value.type !== T.null && isTruthy(value)
}
