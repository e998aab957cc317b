import { Aggregator } from 'mingo/aggregator'
import { decode, decodeDocument, encode, encodeDocument, type Plain } from '../bson/plain.ts'
import { arrayFrom, documentFrom, documentOf, fieldsOf, get, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { stringIn } from '../bson/values.ts'
import { selectionOf } from '../commands/selection.ts'
import type { Engine } from '../engine.ts'
import { CommandError, failedToParse, notSupported } from '../errors.ts'
import { valuesAtPath } from '../indexes/extract.ts'
import { countSelection } from '../query/count.ts'
import { parsePath } from '../query/path.ts'
import { type Documents, planSelection, type Selection, select } from '../query/select.ts'
import { asCommandError, evaluate, optionsFor, plainOptions } from './expressions.ts'
import { writeOutput } from './output.ts'
import { bytesIn, type Flow, isPure, parseStages, plainIn, runPure, type Stage, withValue } from './stages.ts'

/** Where a pipeline runs. */
export interface PipelineContext {
  readonly engine: Engine
  readonly database: string
  readonly variables: Plain
  readonly deadline: number
  readonly hint?: RawValue | undefined
}

const REFUSED = new Set([
  '$geoNear',
  '$search',
  '$searchMeta',
  '$vectorSearch',
  '$indexStats',
  '$planCacheStats',
  '$listSessions',
  '$listLocalSessions',
  '$currentOp',
  '$shardedDataDistribution',
  '$queryStats',
])
const WITH_STORE = new Set([
  '$lookup',
  '$unionWith',
  '$facet',
  '$graphLookup',
  '$merge',
  '$out',
  '$collStats',
])

/** Refuses what cannot be run, before anything is. */
export function checkStages(stages: readonly Stage[]): void {
  stages.forEach(({ name }, i) => {
    if (name === '$changeStream') {
      throw new CommandError(40573, 'The $changeStream stage is only supported on replica sets')
    }
    if (REFUSED.has(name)) throw notSupported(`the stage ${name}`)
    if (!isPure(name) && !WITH_STORE.has(name)) {
      throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`)
    }
    if ((name === '$out' || name === '$merge') && i !== stages.length - 1) {
      throw new CommandError(40601, `${name} can only be the final stage in the pipeline`)
    }
    if ((name === '$collStats' || name === '$documents') && i !== 0) {
      throw new CommandError(40602, `${name} is only valid as the first stage in a pipeline`)
    }
  })
}

/** The part of a pipeline that a selection does: it may use an index. */
export interface Head {
  readonly selection: Selection
  readonly used: number
}

/** Takes the stages a selection can do from the front of a pipeline. */
export function headOf(stages: readonly Stage[], context: PipelineContext): Head {
  let used = 0
  const filters: RawValue[] = []
  while (stages[used]?.name === '$match') {
    const operand = stages[used]?.operand
    if (operand?.type !== T.object)
      throw new CommandError(15959, 'the match filter must be an expression in an object')
    filters.push(operand)
    used++
  }
  const sort = stages[used]?.name === '$sort' ? stages[used++]?.operand : undefined
  const numberAt = (name: string): number => {
    const stage = stages[used]
    const value = stage?.name === name ? decode(stage.operand) : undefined
    if (typeof value !== 'number' || !Number.isInteger(value) || value < (name === '$limit' ? 1 : 0)) return 0
    used++
    return value
  }
  const skip = numberAt('$skip')
  const limit = numberAt('$limit')
  const filter =
    filters.length <= 1 ? filters[0] : documentOf(documentFrom([{ name: '$and', value: arrayFrom(filters) }]))
  const selection = selectionOf({
    filter,
    sort,
    skip,
    limit,
    hint: context.hint,
    deadline: context.deadline,
    variables: context.variables,
    expected: 1000,
  })
  return { selection, used }
}

/** Runs a pipeline over a collection; `collection` is undefined for a pipeline over the database. */
export async function* runPipeline(
  context: PipelineContext,
  collectionName: string | undefined,
  rawStages: readonly RawValue[],
): Documents {
  const stages = parseStages(rawStages)
  checkStages(stages)
  if (collectionName === undefined) {
    if (stages[0]?.name !== '$documents')
      throw new CommandError(73, '{aggregate: 1} is not valid for a pipeline that needs a collection')
    yield bytesIn(await runRest(context, stages, { plain: [] }))
    return
  }
  if (stages[0]?.name === '$collStats') {
    const flow = { plain: [await collectionStatistics(context, collectionName, stages[0].operand)] }
    yield bytesIn(await runRest(context, stages.slice(1), flow))
    return
  }
  const { selection, used } = headOf(stages, context)
  const { catalog, store } = context.engine
  const collection = catalog.get(context.database, collectionName)
  const rest = stages.slice(used)
  const counted = rest[0] && countField(rest[0])
  if (counted !== undefined) {
    const n = collection ? await countSelection(store, collection, selection) : 0
    const flow = { plain: n === 0 ? [] : [{ _id: counted.id, [counted.name]: n }] }
    yield bytesIn(await runRest(context, rest.slice(1), flow))
    return
  }
  const found = collection
    ? select(store, collection, selection, await planSelection(store, collection, selection))
    : nothing()
  if (rest.length === 0) {
    yield* found
    return
  }
  const bytes: Buffer[] = []
  for await (const batch of found) bytes.push(...batch)
  yield bytesIn(await runRest(context, rest, { bytes }))
}

/** `countDocuments` sends a group of everything that adds up ones: nothing has to be decoded for it. */
export function countField({ name, operand }: Stage): { id: unknown; name: string } | undefined {
  if (name !== '$group' || operand.type !== T.object) return undefined
  const [id, sum, ...others] = Object.entries(decode(operand) as Plain)
  if (!id || !sum || others.length > 0 || id[0] !== '_id') return undefined
  if (id[1] !== null && typeof id[1] !== 'number') return undefined
  return JSON.stringify(sum[1]) === '{"$sum":1}' ? { id: id[1], name: sum[0] } : undefined
}

async function* nothing(): Documents {}

async function runRest(context: PipelineContext, stages: readonly Stage[], start: Flow): Promise<Flow> {
  let flow = start
  for (const stage of stages) {
    flow = isPure(stage.name)
      ? runPure(flow, stage, context.variables)
      : await runWithStore(context, flow, stage)
    if (context.deadline > 0 && Date.now() > context.deadline) {
      throw new CommandError(50, 'operation exceeded time limit')
    }
  }
  return flow
}

async function runWithStore(context: PipelineContext, flow: Flow, stage: Stage): Promise<Flow> {
  const { name, operand } = stage
  switch (name) {
    case '$lookup':
      return { plain: await lookup(context, plainIn(flow), operand) }
    case '$unionWith':
      return { bytes: [...bytesIn(flow), ...(await union(context, operand))] }
    case '$facet':
      return { plain: [await facet(context, bytesIn(flow), operand)] }
    case '$graphLookup':
      return { plain: await graphLookup(context, plainIn(flow), operand) }
    case '$merge':
    case '$out':
      await writeOutput(context, bytesIn(flow), stage)
      return { bytes: [] }
    default:
      throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`)
  }
}

async function collect(
  context: PipelineContext,
  collection: string,
  stages: readonly RawValue[],
): Promise<Buffer[]> {
  const found: Buffer[] = []
  for await (const batch of runPipeline(context, collection, stages)) found.push(...batch)
  return found
}

const LOOKUP_FIELDS = new Set(['from', 'localField', 'foreignField', 'let', 'pipeline', 'as'])

async function lookup(context: PipelineContext, documents: Plain[], operand: RawValue): Promise<Plain[]> {
  const spec = readSpec('$lookup', operand, LOOKUP_FIELDS)
  const { from, as } = spec
  const pipeline = get(operand, 'pipeline')
  if (typeof as !== 'string') throw failedToParse("must specify 'as' field for a $lookup")
  if (typeof from !== 'string') throw failedToParse("missing 'from' option to $lookup stage specification")
  const joined = typeof spec.localField === 'string' && typeof spec.foreignField === 'string'
  if (!joined && !pipeline)
    throw failedToParse(
      "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
    )
  const stages = pipeline ? itemsOf(pipeline) : []
  const made: Plain[] = []
  for (const document of documents) {
    const variables = { ...context.variables }
    for (const [name, expression] of Object.entries((spec.let as Plain | undefined) ?? {})) {
      variables[name] = evaluate(document, expression, optionsFor(context.variables)) ?? null
    }
    const head = joined ? [joinStage(document, String(spec.localField), String(spec.foreignField))] : []
    const found = await collect({ ...context, variables, hint: undefined }, from, [...head, ...stages])
    made.push(
      withValue(
        document,
        as.split('.'),
        found.map((bytes) => decodeDocument(bytes)),
      ),
    )
  }
  return made
}

/** The `$match` that finds what a document is joined with; an index on the foreign field serves it. */
function joinStage(document: Plain, localField: string, foreignField: string): RawValue {
  const values = valuesAtPath(documentOf(encodeDocument(document)), parsePath(localField))
    .filter((value) => value.type !== T.undefined)
    .map(decode)
  return encode({ $match: { [foreignField]: { $in: values } } })
}

async function union(context: PipelineContext, operand: RawValue): Promise<Buffer[]> {
  if (operand.type === T.string) return collect(context, stringIn(operand), [])
  const spec = readSpec('$unionWith', operand, new Set(['coll', 'pipeline']))
  const pipeline = get(operand, 'pipeline')
  const stages = pipeline ? itemsOf(pipeline) : []
  if (typeof spec.coll === 'string') return collect(context, spec.coll, stages)
  return bytesIn(await runRest(context, parseStages(stages), { plain: [] }))
}

async function facet(context: PipelineContext, documents: Buffer[], operand: RawValue): Promise<Plain> {
  if (operand.type !== T.object)
    throw new CommandError(40169, 'the $facet specification must be a non-empty object')
  const made: Plain = {}
  for (const { name, value } of fieldsOf(operand)) {
    if (value.type !== T.array)
      throw new CommandError(40170, `arguments to $facet must be arrays, ${name} is not`)
    const stages = parseStages(itemsOf(value))
    checkStages(stages)
    for (const stage of stages) {
      if (['$facet', '$out', '$merge', '$collStats'].includes(stage.name)) {
        throw new CommandError(40600, `${stage.name} is not allowed to be used within a $facet stage`)
      }
    }
    made[name] = plainIn(await runRest(context, stages, { bytes: documents }))
  }
  return made
}

const GRAPH_FIELDS = new Set([
  'from',
  'startWith',
  'connectFromField',
  'connectToField',
  'as',
  'maxDepth',
  'depthField',
  'restrictSearchWithMatch',
])

async function graphLookup(
  context: PipelineContext,
  documents: Plain[],
  operand: RawValue,
): Promise<Plain[]> {
  const spec = readSpec('$graphLookup', operand, GRAPH_FIELDS)
  if (typeof spec.from !== 'string') throw failedToParse("missing 'from' option to $graphLookup")
  const foreign = (await collect(context, spec.from, [])).map((bytes) => decodeDocument(bytes))
  try {
    const options = plainOptions({ variables: context.variables, collectionResolver: () => foreign })
    return new Aggregator([{ $graphLookup: spec }], options).run(documents) as Plain[]
  } catch (error) {
    throw asCommandError(error)
  }
}

async function collectionStatistics(
  context: PipelineContext,
  name: string,
  operand: RawValue,
): Promise<Plain> {
  const spec = readSpec('$collStats', operand, new Set(['count', 'storageStats', 'latencyStats']))
  if ('latencyStats' in spec || 'storageStats' in spec)
    throw notSupported('$collStats with anything but count')
  const { catalog, store } = context.engine
  const collection = catalog.get(context.database, name)
  const count = collection ? await countSelection(store, collection, selectionOf({})) : 0
  return { ns: `${context.database}.${name}`, localTime: new Date(), ...('count' in spec ? { count } : {}) }
}

/** The operand of a stage; fields it does not know are refused by name. */
export function readSpec(stage: string, operand: RawValue, known: ReadonlySet<string>): Plain {
  if (operand.type !== T.object) throw failedToParse(`the ${stage} stage specification must be an object`)
  for (const { name } of fieldsOf(operand)) {
    if (!known.has(name)) throw failedToParse(`unknown argument to ${stage}: ${name}`)
  }
  return decode(operand) as Plain
}
