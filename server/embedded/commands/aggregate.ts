import { runStages } from '../aggregation/stages.ts'
import { decode, decodeDocument, encodeDocument, type Plain } from '../bson/plain.ts'
import { fieldsOf, get, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { numberIn } from '../bson/values.ts'
import { failedToParse, typeMismatch } from '../errors.ts'
import { type Documents, planSelection, select } from '../query/select.ts'
import { answerFirst } from './answers.ts'
import { Cursor } from './cursors.ts'
import type { Handler, Request } from './request.ts'
import { selectionOf } from './selection.ts'

export const aggregate: Handler = {
  options: ['aggregate', 'pipeline', 'cursor', 'explain', 'hint', 'collation', 'let', 'allowDiskUse'],
  run: async (request: Request) => {
    const pipeline = request.value('pipeline')
    if (pipeline?.type !== T.array) throw typeMismatch("'pipeline' option must be specified as an array")
    const cursorOptions = request.document('cursor')
    if (!cursorOptions)
      throw failedToParse("The 'cursor' option is required, except for aggregate with the explain argument")
    const size = get(cursorOptions, 'batchSize')
    const stages = itemsOf(pipeline)
    const source = run(request, stages)
    return answerFirst(
      request.engine.cursors,
      new Cursor(request.namespace, source),
      size ? Number(numberIn(size)) : undefined,
    )
  },
}

async function* run(request: Request, stages: RawValue[]): Documents {
  const first = stages[0] && fieldsOf(stages[0])[0]
  const filter = first?.name === '$match' ? first.value : undefined
  const { catalog, store } = request.engine
  const collection = catalog.get(request.database, request.collectionName)
  const documents: Plain[] = []
  if (collection) {
    const selection = selectionOf({
      filter,
      hint: request.value('hint'),
      expected: 1000,
      variables: request.variables(),
    })
    for await (const batch of select(store, collection, selection, planSelection(collection, selection))) {
      for (const bytes of batch) documents.push(decodeDocument(bytes))
    }
  }
  const rest = stages.slice(filter ? 1 : 0).map(decode) as Plain[]
  yield runStages(documents, rest, request.variables(), request.engine.clock.now()).map(encodeDocument)
}
