import { headOf } from '../aggregation/pipeline.ts'
import { parseStages } from '../aggregation/stages.ts'
import { encodeDocument, type Plain } from '../bson/plain.ts'
import { documentOf, fieldsOf, get, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { CommandError, failedToParse } from '../errors.ts'
import type { IndexPlan, Plan } from '../indexes/planner.ts'
import type { ScanCount } from '../query/scan.ts'
import { planSelection, type Selection, select } from '../query/select.ts'
import type { Collection } from '../storage/collection.ts'
import { pipelineContext, pipelineOf } from './aggregate.ts'
import { VERSION } from './diagnostics.ts'
import { findSelection } from './find.ts'
import { keyPatternOf } from './indexes.ts'
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
    const answer: Plain = {
      explainVersion: '1',
      queryPlanner: {
        namespace: explained.namespace,
        parsedQuery: {},
        indexFilterSet: false,
        winningPlan: collection
          ? describe(planSelection(collection, selection), selection)
          : { stage: 'EOF' },
        rejectedPlans: [],
      },
      command: inner,
      serverInfo: { version: VERSION },
    }
    if (verbosity !== 'queryPlanner') {
      answer.executionStats = collection ? await execute(request, collection, selection) : NOTHING_EXECUTED
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

/** What a command reads of its collection. */
function explainedSelection(request: Request): Selection {
  switch (request.command.name) {
    case 'find':
      return findSelection(request)
    case 'aggregate':
      return headOf(parseStages(pipelineOf(request)), pipelineContext(request)).selection
    case 'count':
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

function describe(plan: Plan, selection: Selection): Plain {
  const reading = describeReading(plan)
  const sorted =
    plan.sorted || selection.sort.length === 0
      ? reading
      : { stage: 'SORT', sortPattern: sortPattern(selection), memLimit: 104857600, inputStage: reading }
  const skipped =
    selection.skip > 0 ? { stage: 'SKIP', skipAmount: selection.skip, inputStage: sorted } : sorted
  return selection.limit > 0 ? { stage: 'LIMIT', limitAmount: selection.limit, inputStage: skipped } : skipped
}

const sortPattern = (selection: Selection): Plain =>
  Object.fromEntries(selection.sort.map((field) => [field.name, field.descending ? -1 : 1]))

function describeReading(plan: Plan): Plain {
  if (plan.kind === 'collection')
    return { stage: 'COLLSCAN', direction: plan.reverse ? 'backward' : 'forward' }
  if (plan.kind === 'union') {
    return { stage: 'FETCH', inputStage: { stage: 'OR', inputStages: plan.branches.map(describeIndex) } }
  }
  if (plan.index.id === 0 && plan.exact && plan.ranges.length === 1) return { stage: 'IDHACK' }
  const reading = describeIndex(plan)
  return {
    stage: 'FETCH',
    inputStage: plan.merge ? { stage: 'SORT_MERGE', inputStages: [reading] } : reading,
  }
}

const describeIndex = (plan: IndexPlan): Plain => ({
  stage: 'IXSCAN',
  keyPattern: keyPatternOf(plan.index),
  indexName: plan.index.name,
  isMultiKey: plan.index.multikey.size > 0,
  isUnique: plan.index.unique,
  isSparse: plan.index.sparse,
  isPartial: plan.index.partial !== undefined,
  direction: plan.reverse ? 'backward' : 'forward',
  ranges: plan.ranges.length,
})

async function execute(request: Request, collection: Collection, selection: Selection): Promise<Plain> {
  const count: ScanCount = { keys: 0, documents: 0 }
  const startedAt = Date.now()
  let nReturned = 0
  const plan = planSelection(collection, selection)
  for await (const batch of select(request.engine.store, collection, selection, plan, count))
    nReturned += batch.length
  return {
    executionSuccess: true,
    nReturned,
    executionTimeMillis: Date.now() - startedAt,
    totalKeysExamined: count.keys,
    totalDocsExamined: count.documents,
  }
}
