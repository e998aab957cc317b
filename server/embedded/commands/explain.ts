import { countingOf } from '../aggregation/counting.ts'
import { headOf } from '../aggregation/head.ts'
import { parseStages } from '../aggregation/stages/stage.ts'
import { encodeDocument, type Plain } from '../bson/plain.ts'
import { documentOf, fieldsOf, get, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { CommandError, failedToParse } from '../errors.ts'
import type { Decided } from '../indexes/decide.ts'
import { countSelection } from '../query/count.ts'
import type { ScanCount } from '../query/scan.ts'
import { planSelection, type Selection, select } from '../query/select.ts'
import type { Collection } from '../storage/collection.ts'
import type { Store } from '../storage/store.ts'
import { pipelineContext, pipelineOf } from './aggregate.ts'
import { describePlan } from './describe-plan.ts'
import { VERSION } from './diagnostics.ts'
import { findSelection } from './find.ts'
import { type Handler, ok, Request } from './request.ts'
import { selectionOf } from './selection.ts'

export const explain: Handler = {
  options: ['explain', 'verbosity'],
  run: async (request: Request) => {
    const inner = request.document('explain')
    if (!inner) throw failedToParse('explain needs a command')
    const explained = innerRequest(request, inner)
    const selection = explainedSelection(explained)
    const collection = request.engine.catalog.get(request.database, explained.collectionName)
    const verbosity = request.string('verbosity') ?? 'allPlansExecution'
    const counts = explained.command.name === 'count' || countsAll(explained)
    const decided = collection && (await planSelection(request.engine.store, collection, selection))
    const answer: Plain = {
      explainVersion: '1',
      queryPlanner: {
        namespace: explained.namespace,
        parsedQuery: {},
        indexFilterSet: false,
        winningPlan: decided ? describePlan(decided.plan, selection, counts) : { stage: 'EOF' },
        rejectedPlans: (decided?.rejected ?? []).map((plan) => describePlan(plan, selection, counts)),
      },
      command: inner,
      serverInfo: { version: VERSION },
    }
    if (verbosity !== 'queryPlanner') {
      answer.executionStats =
        collection && decided
          ? await execute(request.engine.store, collection, selection, decided, counts)
          : NOTHING_EXECUTED
    }
    return ok(answer)
  },
}

const NOTHING_EXECUTED = {
  executionSuccess: true,
  nReturned: 0,
  executionTimeMillis: 0,
  totalKeysExamined: 0,
  totalDocsExamined: 0,
}

function innerRequest(request: Request, inner: RawValue): Request {
  const fields = new Map(fieldsOf(inner).map(({ name, value }) => [name, value]))
  const name = [...fields.keys()][0] ?? ''
  return new Request(request.engine, {
    name,
    database: request.database,
    body: documentOf(encodeDocument({})),
    fields,
    sequences: new Map(),
  })
}

/** `countDocuments` is a pipeline that counts what its `$match` finds. */
const countsAll = (request: Request): boolean => {
  if (request.command.name !== 'aggregate') return false
  const stages = parseStages(pipelineOf(request))
  const next = stages[headOf(stages, pipelineContext(request)).used]
  return next !== undefined && countingOf(next) !== undefined
}

/** What a command reads of its collection. */
function explainedSelection(request: Request): Selection {
  switch (request.command.name) {
    case 'find':
      return findSelection(request)
    case 'aggregate':
      return headOf(parseStages(pipelineOf(request)), pipelineContext(request)).selection
    case 'count':
      return selectionOf({
        filter: request.document('query'),
        skip: request.number('skip', 0),
        limit: request.number('limit', 0),
        hint: request.value('hint'),
      })
    case 'distinct':
      return selectionOf({ filter: request.document('query'), hint: request.value('hint') })
    case 'findAndModify':
    case 'findandmodify':
      return selectionOf({
        filter: request.document('query'),
        sort: request.document('sort'),
        limit: 1,
        hint: request.value('hint'),
      })
    case 'update':
    case 'delete': {
      const list = request.value(request.command.name === 'update' ? 'updates' : 'deletes')
      const [statement] = list?.type === T.array ? itemsOf(list) : []
      if (!statement) throw failedToParse('explain needs one statement')
      return selectionOf({ filter: get(statement, 'q'), hint: get(statement, 'hint') })
    }
    default:
      throw new CommandError(59, `Explain failed due to unknown command: ${request.command.name}`)
  }
}

/** Runs what is explained, and tells what it looked at. */
async function execute(
  store: Store,
  collection: Collection,
  selection: Selection,
  decided: Decided,
  counts: boolean,
): Promise<Plain> {
  const count: ScanCount = { keys: 0, documents: 0 }
  const startedAt = Date.now()
  let nReturned = 0
  if (counts) nReturned = await countSelection(store, collection, selection, count)
  else
    for await (const batch of select(store, collection, selection, decided, count)) nReturned += batch.length
  return {
    executionSuccess: true,
    nReturned,
    executionTimeMillis: Date.now() - startedAt,
    totalKeysExamined: count.keys,
    totalDocsExamined: count.documents,
    executionStages: describePlan(decided.plan, selection, counts, { ...count, returned: nReturned }),
  }
}
