import type { Plain } from '../../bson/plain.ts'
import { arrayFrom, documentOf, fieldsOf, itemsOf, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { stringIn } from '../../bson/values.ts'
import { CommandError, failedToParse } from '../../errors.ts'
import { parsePath } from '../../query/path.ts'
import type { Surroundings } from '../context.ts'
import { type Compiler, type Expression, scopeOf, typeOf } from '../expressions/expression.ts'
import { splitPath } from '../expressions/field-path.ts'
import { checkVariableName } from '../expressions/variable-name.ts'
import { findJoined, joinKey, joinKeys, localValues } from './join.ts'
import { inPortions, parseStages, type Transform } from './stage.ts'
import { withValue } from './unwind.ts'

interface Lookup {
  readonly from: string | undefined
  readonly as: readonly string[]
  readonly local: string | undefined
  readonly foreign: string | undefined
  readonly variables: readonly { readonly name: string; readonly value: Expression }[]
  readonly stages: readonly RawValue[] | undefined
}

/** How many documents are joined by one query. */
const BATCH = 250

const LOOKUP_FIELDS = ['from', 'localField', 'foreignField', 'let', 'pipeline', 'as']

function parse(operand: RawValue, compiler: Compiler): Lookup {
  if (operand.type !== T.object)
    throw failedToParse(`the $lookup stage specification must be an object, but found ${typeOf(operand)}`)
  const given = new Map(fieldsOf(operand).map(({ name, value }) => [name, value]))
  for (const [name, value] of given) {
    if (!LOOKUP_FIELDS.includes(name)) throw failedToParse(`unknown argument to $lookup: ${name}`)
    const wanted = name === 'pipeline' ? T.array : name === 'let' ? T.object : T.string
    if (value.type !== wanted)
      throw name === 'pipeline'
        ? new CommandError(14, `'pipeline' option must be specified as an array`)
        : failedToParse(
            `$lookup argument '${name}' must be a ${name === 'let' ? 'document' : 'string'}, found ${typeOf(value)}`,
          )
  }
  const text = (name: string) => {
    const value = given.get(name)
    return value && stringIn(value)
  }
  const as = text('as')
  if (as === undefined) throw failedToParse("must specify 'as' field for a $lookup")
  const pipeline = given.get('pipeline')
  const stages = pipeline && itemsOf(pipeline)
  const from = text('from')
  const bringsOwn = stages && parseStages(stages)[0]?.name === '$documents'
  if (from === undefined && !bringsOwn)
    throw failedToParse("missing 'from' option to $lookup stage specification")
  const [local, foreign] = [text('localField'), text('foreignField')]
  if ((local === undefined) !== (foreign === undefined))
    throw failedToParse("$lookup requires both or neither of 'localField' and 'foreignField' to be specified")
  if (local === undefined && !stages)
    throw failedToParse(
      "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
    )
  if (given.has('let') && !stages)
    throw failedToParse("$lookup with a 'let' argument must also specify 'pipeline'")
  for (const { name } of stages ? parseStages(stages) : []) {
    if (name === '$out' || name === '$merge')
      throw new CommandError(51047, `${name} is not allowed within a $lookup's sub-pipeline`)
  }
  const bound = given.get('let')
  const variables = (bound ? fieldsOf(bound) : []).map(({ name, value }) => {
    checkVariableName(name)
    return { name, value: compiler.compile(value) }
  })
  if (local !== undefined) splitPath(local)
  if (foreign !== undefined) splitPath(foreign)
  return { from, as: splitPath(as), local, foreign, variables, stages }
}

/** Compiles `$lookup`. */
export function compileLookup(operand: RawValue, compiler: Compiler, surroundings: Surroundings): Transform {
  const lookup = parse(operand, compiler)
  const join = lookup.foreign === undefined ? byPipeline(lookup, surroundings) : byField(lookup, surroundings)
  return async function* (source) {
    for await (const batch of source) {
      for (let at = 0; at < batch.length; at += BATCH) {
        const documents = batch.slice(at, at + BATCH)
        const joined = await join(documents)
        yield documents.map((bytes, i) =>
          withValue(bytes, lookup.as, arrayFrom((joined[i] ?? []).map(documentOf))),
        )
      }
    }
  }
}

/** Finds what each of several documents is joined with. */
type Join = (documents: readonly Buffer[]) => Promise<Buffer[][]>

/** One query finds what all documents of a batch are joined with; each takes its own from what was found. */
function byField(lookup: Lookup, surroundings: Surroundings): Join {
  const localPath = splitPath(lookup.local ?? '')
  const foreignField = lookup.foreign ?? ''
  const foreignPath = parsePath(foreignField)
  return async (documents) => {
    const wanted = documents.map((bytes) => localValues(documentOf(bytes), localPath))
    const distinct = new Map(wanted.flat().map((value) => [joinKey(value), value]))
    const found = await findJoined(surroundings.context, lookup.from ?? '', foreignField, [
      ...distinct.values(),
    ])
    const byKey = new Map<string, { bytes: Buffer; position: number }[]>()
    found.forEach((bytes, position) => {
      for (const key of joinKeys(documentOf(bytes), foreignPath)) {
        const list = byKey.get(key)
        if (list) list.push({ bytes, position })
        else byKey.set(key, [{ bytes, position }])
      }
    })
    const joined = wanted.map((values) => {
      const own = new Map<number, Buffer>()
      for (const value of values)
        for (const { bytes, position } of byKey.get(joinKey(value)) ?? []) own.set(position, bytes)
      return [...own].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)
    })
    if (!lookup.stages) return joined
    return Promise.all(documents.map((bytes, i) => throughOwn(lookup, surroundings, bytes, joined[i] ?? [])))
  }
}

async function throughOwn(
  lookup: Lookup,
  surroundings: Surroundings,
  bytes: Buffer,
  joined: readonly Buffer[],
): Promise<Buffer[]> {
  const context = {
    ...surroundings.context,
    variables: variablesOf(lookup, surroundings, bytes),
    hint: undefined,
  }
  const transform = surroundings.through(context, parseStages(lookup.stages ?? []))
  return collect(transform(inPortions(joined)))
}

function variablesOf(lookup: Lookup, { context }: Surroundings, bytes: Buffer): Plain {
  const scope = scopeOf(documentOf(bytes))
  const variables: Plain = { ...context.variables }
  for (const { name, value } of lookup.variables) variables[name] = value(scope)
  return variables
}

async function collect(source: AsyncIterable<Buffer[]>): Promise<Buffer[]> {
  const all: Buffer[] = []
  for await (const batch of source) all.push(...batch)
  return all
}

/** A pipeline without variables finds the same for every document, and runs once. */
function byPipeline(lookup: Lookup, surroundings: Surroundings): Join {
  const { context } = surroundings
  const find = (variables: Plain) =>
    collect(surroundings.run({ ...context, variables, hint: undefined }, lookup.from, lookup.stages ?? []))
  if (lookup.variables.length === 0) {
    let shared: Promise<Buffer[]> | undefined
    return async (documents) => {
      shared ??= find(context.variables)
      const found = await shared
      return documents.map(() => found)
    }
  }
  return async (documents) => {
    const joined: Buffer[][] = []
    for (const bytes of documents) joined.push(await find(variablesOf(lookup, surroundings, bytes)))
    return joined
  }
}
