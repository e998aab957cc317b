import type { Plain } from '../bson/plain.ts'
import type { RawValue } from '../bson/raw.ts'
import { boolIn } from '../bson/values.ts'
import { CommandError, failedToParse } from '../errors.ts'
import { refuseCollation } from '../query/parse-filter.ts'
import { selectForWrite } from '../query/select-for-write.ts'
import { writeError } from './answers.ts'
import { prepareChange, refuseExpressions } from './change.ts'
import { checkBatch, idOf } from './insert.ts'
import { type Handler, ok, type Request } from './request.ts'
import { selectionOf } from './selection.ts'
import { type Statement, type StatementShape, statementsOf, statementVariables } from './statement.ts'
import { validation } from './validation.ts'

const STATEMENT: StatementShape = {
  q: { type: 'object', required: true },
  u: { type: 'any', required: true },
  c: { type: 'object' },
  upsert: { type: 'bool' },
  multi: { type: 'bool' },
  hint: { type: 'hint' },
  collation: { type: 'object' },
  arrayFilters: { type: 'array' },
}

interface Outcome {
  matched: number
  modified: number
  upserted: RawValue | undefined
}

export const update: Handler = {
  options: ['update', 'updates', 'ordered', 'let'],
  run: async (request: Request) => {
    const statements = statementsOf(request, 'updates', STATEMENT)
    checkBatch(statements.length)
    const ordered = request.boolean('ordered', true)
    const writeErrors: Plain[] = []
    const upserted: Plain[] = []
    let n = 0
    let nModified = 0
    for (let i = 0; i < statements.length; i++) {
      try {
        const outcome = await runStatement(request, statements[i] as Statement)
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

async function runStatement(request: Request, statement: Statement): Promise<Outcome> {
  refuseCollation(statement.get('collation'))
  const multi = flagged(statement, 'multi')
  const upsert = flagged(statement, 'upsert')
  const variables = statementVariables(request, statement)
  const change = prepareChange(
    request.engine,
    statement.get('u') as RawValue,
    statement.get('arrayFilters'),
    variables,
  )
  if (multi && change.update.kind === 'replacement') {
    throw failedToParse('multi update is not supported for replacement-style update')
  }
  const selection = selectionOf({
    filter: statement.get('q'),
    hint: statement.get('hint'),
    deadline: request.deadline,
    variables,
  })
  if (upsert) refuseExpressions(selection.filter)
  const { catalog, store } = request.engine
  const outcome: Outcome = { matched: 0, modified: 0, upserted: undefined }
  const collection = upsert
    ? catalog.ensure(request.database, request.collectionName)
    : catalog.get(request.database, request.collectionName)
  if (!collection) return outcome
  const valid = validation(request, collection)
  await selectForWrite(store, collection, selection, multi, (chosen) => {
    if (chosen) {
      const after = change.apply(chosen)
      outcome.matched++
      if (after.equals(chosen.bytes)) return
      valid?.(after, chosen.bytes)
      collection.replace(chosen.key, chosen.bytes, after, change.touched)
      outcome.modified++
    } else if (upsert) {
      const inserted = change.insert(selection.filter)
      valid?.(inserted)
      collection.insert(inserted)
      outcome.upserted = idOf(inserted)
    }
  })
  return outcome
}

function flagged(statement: Statement, name: string): boolean {
  const value = statement.get(name)
  return value !== undefined && boolIn(value)
}
