import { checkStages } from '../aggregation/compile-stages.ts'
import type { PipelineContext } from '../aggregation/context.ts'
import { runPipeline } from '../aggregation/pipeline.ts'
import { parseStages } from '../aggregation/stages/stage.ts'
import { get, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { numberIn } from '../bson/values.ts'
import { failedToParse, typeMismatch } from '../errors.ts'
import { refuseCollation } from '../query/parse-filter.ts'
import { answerFirst } from './answers.ts'
import { Cursor } from './cursors.ts'
import type { Handler, Request } from './request.ts'

/** The pipeline of a command, checked. */
export function pipelineOf(request: Request): RawValue[] {
  const pipeline = request.value('pipeline')
  if (pipeline?.type !== T.array) throw typeMismatch("'pipeline' option must be specified as an array")
  const stages = itemsOf(pipeline)
  checkStages(parseStages(stages))
  return stages
}

/** Where a command's pipeline runs. */
export function pipelineContext(request: Request): PipelineContext {
  const { engine, database, deadline } = request
  const variables = request.variables()
  return {
    engine,
    database,
    deadline,
    variables,
    hint: request.value('hint'),
    session: request.value('lsid'),
  }
}

export const aggregate: Handler = {
  options: [
    'aggregate',
    'pipeline',
    'cursor',
    'explain',
    'hint',
    'collation',
    'let',
    'allowDiskUse',
    'fromRouter',
  ],
  run: async (request: Request) => {
    refuseCollation(request.value('collation'))
    const stages = pipelineOf(request)
    const options = request.document('cursor')
    if (!options)
      throw failedToParse("The 'cursor' option is required, except for aggregate with the explain argument")
    const size = get(options, 'batchSize')
    // `{ aggregate: 1 }` is a pipeline that brings its own documents.
    const named = request.value('aggregate')?.type === T.string
    const collection = named ? request.collectionName : undefined
    const source = runPipeline(pipelineContext(request), collection, stages)
    const cursor = new Cursor(named ? request.namespace : `${request.database}.$cmd.aggregate`, source)
    return answerFirst(request.engine.cursors, cursor, size ? Number(numberIn(size)) : undefined)
  },
}
