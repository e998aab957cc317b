import { Aggregator } from 'mingo/aggregator'
import { Context } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import * as pipeline from 'mingo/operators/pipeline'
import * as projections from 'mingo/operators/projection'
import * as queries from 'mingo/operators/query'
import * as windows from 'mingo/operators/window'
import type { Plain } from '../bson/plain.ts'
import { asCommandError, optionsFor } from './expressions.ts'

export const stageContext = Context.init({
  accumulator: { ...accumulators },
  expression: { ...expressions },
  pipeline: { ...pipeline },
  projection: { ...projections },
  query: { ...queries },
  window: { ...windows },
} as Parameters<typeof Context.init>[0])

/** Runs pipeline stages over documents in memory. */
export function runStages(
  documents: Plain[],
  stages: readonly Plain[],
  variables: Plain,
  _now: number,
): Plain[] {
  try {
    return new Aggregator([...stages], optionsFor(variables, stageContext)).run(documents) as Plain[]
  } catch (error) {
    throw asCommandError(error)
  }
}
