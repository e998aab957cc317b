import type { Plain } from '../bson/plain.ts'
import type { RawValue } from '../bson/raw.ts'
import { numberIn } from '../bson/values.ts'
import { CommandError, failedToParse } from '../errors.ts'
import { refuseCollation } from '../query/parse-filter.ts'
import { selectForWrite } from '../query/select-for-write.ts'
import { writeError } from './answers.ts'
import { checkBatch } from './insert.ts'
import { type Handler, ok, type Request } from './request.ts'
import { selectionOf } from './selection.ts'
import { type Statement, type StatementShape, statementsOf } from './statement.ts'

const STATEMENT: StatementShape = {
  q: { type: 'object', required: true },
  limit: { type: 'number', required: true },
  hint: { type: 'hint' },
  collation: { type: 'object' },
}

export const remove: Handler = {
  options: ['delete', 'deletes', 'ordered', 'let'],
  run: async (request: Request) => {
    const statements = statementsOf(request, 'deletes', STATEMENT)
    checkBatch(statements.length)
    const ordered = request.boolean('ordered', true)
    const writeErrors: Plain[] = []
    let n = 0
    for (let i = 0; i < statements.length; i++) {
      try {
        n += await runStatement(request, statements[i] as Statement)
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
        writeErrors.push(writeError(i, error))
        if (ordered) break
      }
    }
    await request.engine.store.commit()
    return ok(writeErrors.length > 0 ? { n, writeErrors } : { n })
  },
}

async function runStatement(request: Request, statement: Statement): Promise<number> {
  refuseCollation(statement.get('collation'))
  const count = Number(numberIn(statement.get('limit') as RawValue))
  if (count !== 0 && count !== 1)
    throw failedToParse(`The limit field in delete objects must be 0 or 1. Got ${count}`)
  const selection = selectionOf({
    filter: statement.get('q'),
    hint: statement.get('hint'),
    deadline: request.deadline,
    variables: request.variables(),
  })
  const { catalog, store } = request.engine
  const collection = catalog.get(request.database, request.collectionName)
  if (!collection) return 0
  let removed = 0
  await selectForWrite(store, collection, selection, count === 0, (chosen) => {
    if (!chosen) return
    collection.remove(chosen.key, chosen.bytes)
    removed++
  })
  return removed
}
