import { Aggregator } from 'mingo/aggregator'
import type { Options } from 'mingo/types'
import { decode, decodeDocument, encodeDocument, encodeLike, type Plain } from '../bson/plain.ts'
import { documentOf, fieldsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { CommandError } from '../errors.ts'
import { compileFilter } from '../query/matcher.ts'
import { parseFilter } from '../query/parse-filter.ts'
import { compileProjection } from '../query/projection.ts'
import { parseSort, Sorter } from '../query/sort.ts'
import { asCommandError, checkExpression, evaluate, expressionFilter, optionsFor } from './expressions.ts'
import { plainKey } from './operators.ts'

/** A stage of a pipeline: its name and its operand. */
export interface Stage {
  readonly name: string
  readonly operand: RawValue
}

/** Documents between two stages: as bytes or decoded, whichever the last stage made. */
export type Flow = { readonly bytes: Buffer[] } | { readonly plain: Plain[] }

export const bytesIn = (flow: Flow): Buffer[] =>
  'bytes' in flow ? flow.bytes : flow.plain.map(encodeDocument)
export const plainIn = (flow: Flow): Plain[] =>
  'plain' in flow ? flow.plain : flow.bytes.map((bytes) => decodeDocument(bytes))

/** The stages that mingo runs as they are. */
const BY_MINGO = new Set([
  '$addFields',
  '$set',
  '$replaceRoot',
  '$replaceWith',
  '$redact',
  '$bucket',
  '$bucketAuto',
  '$sortByCount',
  '$setWindowFields',
  '$densify',
  '$fill',
  '$documents',
])

/** The stages that need nothing but the documents before them. */
const PURE = new Set([
  ...BY_MINGO,
  '$match',
  '$project',
  '$unset',
  '$sort',
  '$skip',
  '$limit',
  '$count',
  '$group',
  '$unwind',
  '$sample',
])

export const isPure = (name: string): boolean => PURE.has(name)

/** Splits a pipeline into stages. */
export function parseStages(stages: readonly RawValue[]): Stage[] {
  return stages.map((stage) => {
    if (stage.type !== T.object) {
      throw new CommandError(14, "Each element of the 'pipeline' array must be an object")
    }
    const [first, ...others] = fieldsOf(stage)
    if (!first || others.length > 0) {
      throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.')
    }
    return { name: first.name, operand: first.value }
  })
}

/** Runs one stage that needs nothing but the documents before it. */
export function runPure(flow: Flow, { name, operand }: Stage, variables: Plain): Flow {
  switch (name) {
    case '$match': {
      if (operand.type !== T.object)
        throw new CommandError(15959, 'the match filter must be an expression in an object')
      const matches = compileFilter(parseFilter(operand), expressionFilter(variables))
      if ('plain' in flow)
        return { plain: flow.plain.filter((each) => matches(documentOf(encodeDocument(each)))) }
      return { bytes: flow.bytes.filter((bytes) => matches(documentOf(bytes))) }
    }
    case '$project':
      if (operand.type !== T.object || operand.end - operand.start === 5) {
        throw new CommandError(
          51272,
          'Invalid $project :: caused by :: projection specification must have at least one field',
        )
      }
      return { bytes: bytesIn(flow).map(compileProjection(operand, undefined, variables)) }
    case '$unset':
      return unset(flow, operand)
    case '$sort':
      return sort(flow, operand)
    case '$skip':
    case '$limit':
      return slice(flow, name, operand)
    case '$count':
      return count(flow, operand)
    case '$sample':
      return sample(flow, operand)
    case '$group':
      return { plain: group(plainIn(flow), operand, variables) }
    case '$unwind':
      return { plain: unwind(plainIn(flow), operand) }
    case '$addFields':
    case '$set': {
      const before = bytesIn(flow)
      const after = byMingo(plainIn({ bytes: before }), name, operand, variables)
      return { bytes: after.map((plain, i) => encodeLike(plain, before[i] as Buffer)) }
    }
    default:
      return { plain: byMingo(plainIn(flow), name, operand, variables) }
  }
}

function byMingo(documents: Plain[], name: string, operand: RawValue, variables: Plain): Plain[] {
  const stage = decode(operand)
  if (name !== '$densify' && name !== '$fill' && name !== '$setWindowFields') checkExpression(stage)
  try {
    return new Aggregator([{ [name]: stage }], optionsFor(variables)).run(documents) as Plain[]
  } catch (error) {
    throw asCommandError(error)
  }
}

const wholeNumber = (operand: RawValue): number => {
  const value = decode(operand)
  return typeof value === 'number' && Number.isInteger(value) ? value : Number.NaN
}

function slice(flow: Flow, name: string, operand: RawValue): Flow {
  const number = wholeNumber(operand)
  if (name === '$limit' && !(number > 0)) throw new CommandError(15958, 'the limit must be positive')
  if (name === '$skip' && !(number >= 0))
    throw new CommandError(5107200, 'invalid argument to $skip stage: Expected a non-negative number')
  const range = name === '$limit' ? ([0, number] as const) : ([number, undefined] as const)
  return 'plain' in flow ? { plain: flow.plain.slice(...range) } : { bytes: flow.bytes.slice(...range) }
}

function sort(flow: Flow, operand: RawValue): Flow {
  const fields = parseSort(operand)
  if (fields.length === 0) throw new CommandError(15976, '$sort stage must have at least one sort key')
  const bytes = new Sorter<Buffer>(fields, 0, documentOf)
  for (const each of bytesIn(flow)) bytes.add(each)
  return { bytes: bytes.sorted() }
}

function unset(flow: Flow, operand: RawValue): Flow {
  const names = [decode(operand)].flat()
  if (
    names.length === 0 ||
    names.some((name) => typeof name !== 'string' || name === '' || name.startsWith('$'))
  ) {
    throw new CommandError(31002, '$unset specification must be a string or an array of strings')
  }
  const spec = documentOf(encodeDocument(Object.fromEntries(names.map((name) => [name, 0]))))
  return { bytes: bytesIn(flow).map(compileProjection(spec, undefined, {})) }
}

function count(flow: Flow, operand: RawValue): Flow {
  const name = decode(operand)
  if (typeof name !== 'string' || name === '' || name.startsWith('$') || name.includes('.')) {
    throw new CommandError(
      40156,
      'the count field must be a non-empty string, not starting with $ and without dots',
    )
  }
  const length = 'plain' in flow ? flow.plain.length : flow.bytes.length
  return { plain: length === 0 ? [] : [{ [name]: length }] }
}

function sample(flow: Flow, operand: RawValue): Flow {
  const size = (decode(operand) as { size?: unknown })?.size
  if (typeof size !== 'number' || !(size > 0))
    throw new CommandError(28747, 'size argument to $sample must be a positive number')
  const items = [...bytesIn(flow)]
  for (let i = 0; i < Math.min(size, items.length); i++) {
    const other = i + Math.floor(Math.random() * (items.length - i))
    ;[items[i], items[other]] = [items[other] as Buffer, items[i] as Buffer]
  }
  return { bytes: items.slice(0, size) }
}

function group(documents: Plain[], operand: RawValue, variables: Plain): Plain[] {
  if (operand.type !== T.object)
    throw new CommandError(15947, "a group's fields must be specified in an object")
  const spec = decode(operand) as Plain
  if (!Object.hasOwn(spec, '_id')) throw new CommandError(15955, 'a group specification must include an _id')
  checkExpression(spec._id)
  const accumulators = Object.entries(spec).filter(([name]) => name !== '_id')
  for (const [name, accumulator] of accumulators) checkAccumulator(name, accumulator)
  const options = optionsFor(variables)
  const groups = new Map<string, { id: unknown; members: Plain[] }>()
  for (const document of documents) {
    const id = evaluate(document, spec._id, options)
    const key = plainKey(id)
    const existing = groups.get(key)
    if (existing) existing.members.push(document)
    else groups.set(key, { id: id ?? null, members: [document] })
  }
  return [...groups.values()].map(({ id, members }) => {
    const made: Plain = { _id: id }
    for (const [name, accumulator] of accumulators) made[name] = accumulate(members, accumulator, options)
    return made
  })
}

function checkAccumulator(name: string, accumulator: unknown): void {
  if (name.includes('.')) throw new CommandError(40235, `The field name '${name}' cannot contain '.'`)
  const names = accumulator && typeof accumulator === 'object' ? Object.keys(accumulator) : []
  if (names.length !== 1) throw new CommandError(40234, `The field '${name}' must be an accumulator object`)
  if (names[0]?.startsWith('$') !== true)
    throw new CommandError(40234, `The field '${name}' must be an accumulator object`)
  checkExpression(accumulator)
}

function accumulate(members: Plain[], accumulator: unknown, options: Options): unknown {
  const value = evaluate(members, accumulator, options)
  return value === undefined ? null : value
}

interface Unwind {
  path: string
  includeArrayIndex?: string
  preserveNullAndEmptyArrays?: boolean
}

function unwind(documents: Plain[], operand: RawValue): Plain[] {
  const given = decode(operand)
  const spec = (typeof given === 'string' ? { path: given } : given) as Unwind
  if (typeof spec?.path !== 'string') throw new CommandError(28812, 'no path specified to $unwind stage')
  if (!spec.path.startsWith('$')) {
    throw new CommandError(28818, `path option to $unwind stage should be prefixed with a '$': ${spec.path}`)
  }
  const path = spec.path.slice(1).split('.')
  const index = spec.includeArrayIndex
  const made: Plain[] = []
  for (const document of documents) {
    const value = path.reduce<unknown>((at, name) => (isDocument(at) ? at[name] : undefined), document)
    if (Array.isArray(value) && value.length > 0) {
      value.forEach((item, i) => {
        const copy = withValue(document, path, item)
        made.push(index ? withValue(copy, index.split('.'), i) : copy)
      })
    } else if (
      spec.preserveNullAndEmptyArrays ||
      (!Array.isArray(value) && value !== null && value !== undefined)
    ) {
      const copy = Array.isArray(value) ? withValue(document, path, undefined) : document
      made.push(index ? withValue(copy, index.split('.'), null) : copy)
    }
  }
  return made
}

const isDocument = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && value.constructor === Object

/** A copy with another value at a path; undefined takes it away. */
export function withValue(document: Plain, path: readonly string[], value: unknown): Plain {
  const [name = '', ...rest] = path
  const copy = { ...document }
  if (rest.length > 0) {
    const child = copy[name]
    copy[name] = withValue(isDocument(child) ? child : {}, rest, value)
  } else if (value === undefined) delete copy[name]
  else copy[name] = value
  return copy
}
