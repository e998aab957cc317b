import type { RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import { countSelection } from '../query/count.ts'
import { type Documents, planSelection, type Selection, select } from '../query/select.ts'
import { MAX_DOCUMENT_BYTES } from '../storage/collection.ts'
import { checkStages, compileStages, SOURCES } from './compile-stages.ts'
import type { PipelineContext, Surroundings } from './context.ts'
import { type Counting, countingOf } from './counting.ts'
import { compilerFor } from './expressions/compile.ts'
import { headOf } from './head.ts'
import { collectionStatistics, documentsSource, indexStatistics, localSessions } from './stages/sources.ts'
import { parseStages, type Stage } from './stages/stage.ts'

/** What is made along the way may be a little greater than what may be stored. */
const MAX_RESULT_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024

/** Runs a pipeline over a collection; `collection` is undefined for a pipeline over the database. */
export async function* runPipeline(
  context: PipelineContext,
  collection: string | undefined,
  rawStages: readonly RawValue[],
): Documents {
  const stages = parseStages(rawStages)
  checkStages(stages)
  const { source, used } = sourceOf(context, collection, stages)
  const made = compileStages(stages.slice(used), surroundingsOf(context))(source)
  try {
    for await (const batch of made) {
      checkTime(context)
      for (const bytes of batch) checkSize(bytes)
      yield batch
    }
  } finally {
    await source.return(undefined)
  }
}

const surroundingsOf = (context: PipelineContext): Surroundings => ({
  context,
  run: runPipeline,
  through: (inner, stages) => compileStages(stages, surroundingsOf(inner)),
})

/** Where the documents come from, and how many stages were taken for it. */
function sourceOf(
  context: PipelineContext,
  name: string | undefined,
  stages: readonly Stage[],
): { source: Documents; used: number } {
  const [first] = stages
  if (first && SOURCES.has(first.name)) {
    if (first.name === '$documents') {
      return { source: documentsSource(first.operand, compilerFor(context.variables)), used: 1 }
    }
    if (first.name === '$listLocalSessions') return { source: localSessions(context), used: 1 }
    if (name !== undefined) {
      const describe = first.name === '$collStats' ? collectionStatistics : indexStatistics
      return { source: describe(context, name, first.operand), used: 1 }
    }
  }
  if (name === undefined)
    throw new CommandError(73, '{aggregate: 1} is not valid for a pipeline that needs a collection')
  const { selection, used } = headOf(stages, context)
  const counting = stages[used] && countingOf(stages[used])
  return counting
    ? { source: counted(context, name, selection, counting), used: used + 1 }
    : { source: selected(context, name, selection), used }
}

async function* counted(
  { engine, database }: PipelineContext,
  name: string,
  selection: Selection,
  counting: Counting,
): Documents {
  const collection = engine.catalog.get(database, name)
  yield counting(collection ? await countSelection(engine.store, collection, selection) : 0)
}

async function* selected(
  { engine, database }: PipelineContext,
  name: string,
  selection: Selection,
): Documents {
  const collection = engine.catalog.get(database, name)
  if (!collection) return
  yield* select(engine.store, collection, selection, await planSelection(engine.store, collection, selection))
}

function checkTime({ deadline }: PipelineContext): void {
  if (deadline > 0 && Date.now() > deadline) throw new CommandError(50, 'operation exceeded time limit')
}

function checkSize(bytes: Buffer): void {
  if (bytes.length > MAX_RESULT_BYTES) {
    throw new CommandError(
      10334,
      `BSONObj size: ${bytes.length} is invalid. Size must be between 0 and ${MAX_RESULT_BYTES}`,
    )
  }
}
