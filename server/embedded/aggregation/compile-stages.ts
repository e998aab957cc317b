import { documentOf, NULL } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { CommandError, notSupported } from '../errors.ts'
import { compileFilter } from '../query/matcher.ts'
import { parseFilter } from '../query/parse-filter.ts'
import type { Surroundings } from './context.ts'
import { compilerFor } from './expressions/compile.ts'
import type { Compiler } from './expressions/expression.ts'
import { expressionFilter } from './expressions.ts'
import { writeOutput } from './output.ts'
import { compileBucket, compileBucketAuto } from './stages/bucket.ts'
import { compileFacet, compileUnionWith } from './stages/combining.ts'
import { compileDensify } from './stages/densify.ts'
import { compileFill } from './stages/fill.ts'
import { compileGraphLookup } from './stages/graph-lookup.ts'
import { compileGroup, compileSortByCount } from './stages/group.ts'
import { compileLookup } from './stages/lookup.ts'
import {
  compileCount,
  compileLimit,
  compileSample,
  compileSkip,
  compileSort,
  limitIn,
  skipIn,
} from './stages/ordering.ts'
import { reshapeNamed } from './stages/project.ts'
import { compileRedact, REDACT_VARIABLES } from './stages/redact.ts'
import { compileSetWindowFields } from './stages/set-window-fields.ts'
import { perDocument, type Stage, type Transform } from './stages/stage.ts'
import { compileUnwind } from './stages/unwind.ts'

/** What a MongoDB server has and this store has not. */
const REFUSED = new Set([
  '$changeStreamSplitLargeEvent',
  '$currentOp',
  '$geoNear',
  '$listSampledQueries',
  '$listSearchIndexes',
  '$listSessions',
  '$planCacheStats',
  '$queryStats',
  '$search',
  '$searchMeta',
  '$shardedDataDistribution',
  '$vectorSearch',
])

/** Stages that bring documents, and so come first. */
export const SOURCES: ReadonlySet<string> = new Set([
  '$documents',
  '$listLocalSessions',
  '$collStats',
  '$indexStats',
])
const OUTPUTS = new Set(['$out', '$merge'])

type StageCompiler = (stage: Stage, compiler: Compiler, surroundings: Surroundings) => Transform

const COMPILERS: Readonly<Record<string, StageCompiler>> = {
  $match: compileMatch,
  $unwind: ({ operand }) => compileUnwind(operand),
  $group: ({ operand }, compiler) => compileGroup(operand, compiler),
  $bucket: ({ operand }, compiler) => compileBucket(operand, compiler),
  $bucketAuto: ({ operand }, compiler) => compileBucketAuto(operand, compiler),
  $sortByCount: ({ operand }, compiler) => compileSortByCount(operand, compiler),
  $sort: ({ operand }) => compileSort(operand),
  $limit: ({ operand }) => compileLimit(operand),
  $skip: ({ operand }) => compileSkip(operand),
  $count: ({ operand }) => compileCount(operand),
  $sample: ({ operand }) => compileSample(operand),
  $redact: ({ operand }, _compiler, { context }) =>
    compileRedact(operand, compilerFor({ ...context.variables, ...REDACT_VARIABLES })),
  $setWindowFields: ({ operand }, compiler) => compileSetWindowFields(operand, compiler),
  $densify: ({ operand }) => compileDensify(operand),
  $fill: ({ operand }, compiler) => compileFill(operand, compiler),
  $lookup: ({ operand }, compiler, surroundings) => compileLookup(operand, compiler, surroundings),
  $graphLookup: ({ operand }, compiler, surroundings) => compileGraphLookup(operand, compiler, surroundings),
  $unionWith: ({ operand }, _compiler, surroundings) => compileUnionWith(operand, surroundings),
  $facet: ({ operand }, _compiler, surroundings) => compileFacet(operand, surroundings),
  $out: output,
  $merge: output,
}

function compileMatch({ operand }: Stage, _compiler: Compiler, { context }: Surroundings): Transform {
  if (operand.type !== T.object)
    throw new CommandError(15959, 'the match filter must be an expression in an object')
  const matches = compileFilter(parseFilter(operand), expressionFilter(context.variables))
  return perDocument((bytes) => (matches(documentOf(bytes)) ? bytes : undefined))
}

function output(stage: Stage, _compiler: Compiler, { context }: Surroundings): Transform {
  return (source) => writeOutput(context, source, stage)
}

const isKnown = (name: string): boolean =>
  Object.hasOwn(COMPILERS, name) || reshapeNamed(name) !== undefined || SOURCES.has(name)

/** Refuses what cannot be run, before anything is. */
export function checkStages(stages: readonly Stage[]): void {
  stages.forEach(({ name }, i) => {
    if (name === '$changeStream') {
      throw new CommandError(40573, 'The $changeStream stage is only supported on replica sets')
    }
    if (REFUSED.has(name)) throw notSupported(`the stage ${name}`)
    if (!isKnown(name)) throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`)
    if (OUTPUTS.has(name) && i !== stages.length - 1) {
      throw new CommandError(40601, `${name} can only be the final stage in the pipeline`)
    }
    if (SOURCES.has(name) && i !== 0) {
      throw new CommandError(40602, `${name} is only valid as the first stage in a pipeline`)
    }
  })
}

/** Compiles stages that are given their documents, one after the other. */
export function compileStages(stages: readonly Stage[], surroundings: Surroundings): Transform {
  checkStages(stages)
  const compiler = compilerFor(surroundings.context.variables)
  const transforms = stages.map((stage, i) => {
    if (stage.name === '$sort') return compileSort(stage.operand, keptBehind(stages, i + 1))
    const reshape = reshapeNamed(stage.name)
    if (reshape) return perDocument(reshape(stage.operand, compiler, stage.name))
    const compile = COMPILERS[stage.name]
    if (!compile)
      throw new CommandError(40602, `${stage.name} is only valid as the first stage in a pipeline`)
    return compile(stage, compiler, surroundings)
  })
  return (source) => transforms.reduce((documents, transform) => transform(documents), source)
}

/** How many documents of a sort are asked for by the stages behind it; zero for all. */
function keptBehind(stages: readonly Stage[], from: number): number {
  let skipped = 0
  for (let i = from; i < stages.length; i++) {
    const { name, operand } = stages[i] ?? { name: '', operand: NULL }
    if (name === '$skip') skipped += skipIn(operand)
    else return name === '$limit' ? skipped + limitIn(operand) : 0
  }
  return 0
}
