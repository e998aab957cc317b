import type { Plain } from '../bson/plain.ts'
import type { RawValue } from '../bson/raw.ts'
import type { Engine } from '../engine.ts'
import type { Documents } from '../query/select.ts'
import type { Stage, Transform } from './stages/stage.ts'

/** Where a pipeline runs. */
export interface PipelineContext {
  readonly engine: Engine
  readonly database: string
  /** The variables of `let`, as BSON values or what encodes to them. */
  readonly variables: Plain
  readonly deadline: number
  readonly hint?: RawValue | undefined
  /** The session that asks, when it has one. */
  readonly session?: RawValue | undefined
}

/** What stages with pipelines of their own need, and are given, as they do not know how pipelines are run. */
export interface Surroundings {
  readonly context: PipelineContext
  /** Runs a pipeline from its beginning; without a collection it has to bring its own documents. */
  run(context: PipelineContext, collection: string | undefined, stages: readonly RawValue[]): Documents
  /** Compiles stages that are given their documents. */
  through(context: PipelineContext, stages: readonly Stage[]): Transform
}
