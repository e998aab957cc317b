import {
  documentFrom,
  documentOf,
  type Field,
  fieldsOf,
  itemsOf,
  NULL,
  type RawValue,
} from '../../bson/raw.ts'
import { T, typeRank } from '../../bson/types.ts'
import { doubleValue, stringIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { exceeded, Meter } from '../accumulators/accumulator.ts'
import { type AccumulatedField, compileAccumulator } from '../accumulators/compile.ts'
import { type Compiler, constantOf, type Expression, scopeOf, typeOf } from '../expressions/expression.ts'
import { compare } from '../expressions/order.ts'
import { doubleOf, int32Of, isNumeric } from '../numbers.ts'
import { countField, groupBy } from './group.ts'
import { roundDown, roundUp, type Series, seriesNamed } from './preferred-numbers.ts'
import { inPortions, type Transform } from './stage.ts'

function outputFields(output: RawValue | undefined, compiler: Compiler, code: number): AccumulatedField[] {
  if (!output) return [countField(compiler)]
  if (output.type !== T.object)
    throw new CommandError(code, `the 'output' field must be an object, but found type: ${typeOf(output)}`)
  return fieldsOf(output).map(({ name, value }) => compileAccumulator(name, value, compiler))
}

function groupByIn(value: RawValue | undefined, compiler: Compiler, code: number): Expression {
  const isPath = value?.type === T.string && stringIn(value).startsWith('$')
  const isExpression = value?.type === T.object && fieldsOf(value)[0]?.name.startsWith('$')
  if (!value || (!isPath && !isExpression))
    throw new CommandError(code, `The 'groupBy' field must be defined as a $-prefixed path or an expression`)
  return compiler.compile(value)
}

/** Compiles `$bucket`: groups by the bounds between which a value lies. */
export function compileBucket(operand: RawValue, compiler: Compiler): Transform {
  if (operand.type !== T.object)
    throw new CommandError(
      40201,
      `Argument to $bucket stage must be an object, but found type: ${typeOf(operand)}`,
    )
  const given = new Map(fieldsOf(operand).map(({ name, value }) => [name, value]))
  for (const name of given.keys()) {
    if (!['groupBy', 'boundaries', 'default', 'output'].includes(name))
      throw new CommandError(40197, `Unrecognized option to $bucket: ${name}.`)
  }
  if (!given.has('groupBy') || !given.has('boundaries'))
    throw new CommandError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.")
  const value = groupByIn(given.get('groupBy'), compiler, 40202)
  const bounds = boundsIn(given.get('boundaries') ?? NULL, compiler)
  const least = bounds[0] as RawValue
  const greatest = bounds.at(-1) as RawValue
  const otherwise = defaultIn(given.get('default'), compiler)
  if (otherwise && compare(otherwise, least) >= 0 && compare(otherwise, greatest) < 0)
    throw new CommandError(
      40199,
      "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
    )
  const fields = outputFields(given.get('output'), compiler, 40196)
  const bucketOf: Expression = (scope) => {
    const at = value(scope)
    if (at !== undefined && compare(at, least) >= 0 && compare(at, greatest) < 0) {
      let low = 0
      for (let high = bounds.length - 1; high - low > 1; ) {
        const middle = (low + high) >> 1
        if (compare(at, bounds[middle]) >= 0) low = middle
        else high = middle
      }
      return bounds[low]
    }
    if (otherwise) return otherwise
    throw new CommandError(
      40066,
      '$switch could not find a matching branch for an input, and no default was specified.',
    )
  }
  return sortedById(groupBy(bucketOf, fields))
}

function defaultIn(value: RawValue | undefined, compiler: Compiler): RawValue | undefined {
  if (!value) return undefined
  const found = constantOf(compiler.compile(value))
  if (!found) throw new CommandError(40195, "The $bucket 'default' field must be a constant expression.")
  return found.value ?? NULL
}

function boundsIn(value: RawValue, compiler: Compiler): RawValue[] {
  if (value.type !== T.array)
    throw new CommandError(
      40200,
      `The $bucket 'boundaries' field must be an array, but found type: ${typeOf(value)}.`,
    )
  const bounds = itemsOf(value).map((item) => {
    const found = constantOf(compiler.compile(item))
    if (!found)
      throw new CommandError(40191, "The $bucket 'boundaries' field must be an array of constant values.")
    return found.value ?? NULL
  })
  if (bounds.length < 2)
    throw new CommandError(
      40192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${bounds.length} value(s).`,
    )
  for (let i = 1; i < bounds.length; i++) {
    const [lower, upper] = [bounds[i - 1] as RawValue, bounds[i] as RawValue]
    if (typeRank(lower.type) !== typeRank(upper.type))
      throw new CommandError(
        40193,
        "All values in the the 'boundaries' option to $bucket must have the same type.",
      )
    if (compare(lower, upper) >= 0)
      throw new CommandError(40194, "The 'boundaries' option to $bucket must be sorted in ascending order.")
  }
  return bounds
}

const sortedById = (groups: Transform): Transform =>
  async function* (source) {
    const all: Buffer[] = []
    for await (const batch of groups(source)) all.push(...batch)
    const idOf = (bytes: Buffer) => fieldsOf(documentOf(bytes))[0]?.value
    yield* inPortions(all.sort((a, b) => compare(idOf(a), idOf(b))))
  }

/** Compiles `$bucketAuto`: as many groups as are asked for, of about the same size. */
export function compileBucketAuto(operand: RawValue, compiler: Compiler): Transform {
  if (operand.type !== T.object)
    throw new CommandError(
      40240,
      `The argument to $bucketAuto must be an object, but found type: ${typeOf(operand)}`,
    )
  const given = new Map(fieldsOf(operand).map(({ name, value }) => [name, value]))
  for (const name of given.keys()) {
    if (!['groupBy', 'buckets', 'output', 'granularity'].includes(name))
      throw new CommandError(40245, `Unrecognized option to $bucketAuto: ${name}.`)
  }
  if (!given.has('groupBy') || !given.has('buckets'))
    throw new CommandError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.")
  const value = groupByIn(given.get('groupBy'), compiler, 40239)
  const count = bucketsIn(given.get('buckets') ?? NULL)
  const fields = outputFields(given.get('output'), compiler, 40244)
  const granularity = given.get('granularity')
  if (granularity && granularity.type !== T.string)
    throw new CommandError(
      40261,
      `The $bucketAuto 'granularity' field must be a string, but found type: ${typeOf(granularity)}`,
    )
  const series = granularity && seriesNamed(stringIn(granularity))
  return async function* (source) {
    const meter = new Meter(exceeded('$bucketAuto'))
    const scope = scopeOf(NULL)
    const all: { by: RawValue; bytes: Buffer }[] = []
    for await (const batch of source) {
      for (const bytes of batch) {
        meter.add(bytes.length + 100)
        scope.root = documentOf(bytes)
        const by = value(scope) ?? NULL
        if (series) checkGranular(by)
        all.push({ by, bytes })
      }
    }
    all.sort((a, b) => compare(a.by, b.by))
    yield* inPortions(bucketed(all, count, fields, meter, series))
  }
}

function checkGranular(value: RawValue): void {
  if (!isNumeric(value))
    throw new CommandError(
      40258,
      `$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: ${typeOf(value)}`,
    )
  const number = doubleOf(value)
  if (Number.isNaN(number))
    throw new CommandError(
      40259,
      "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a NaN",
    )
  if (number < 0)
    throw new CommandError(
      40260,
      "$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number",
    )
}

function bucketsIn(value: RawValue): number {
  if (!isNumeric(value))
    throw new CommandError(
      40241,
      `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeOf(value)}`,
    )
  const count = int32Of(value)
  if (count === undefined)
    throw new CommandError(40242, "The $bucketAuto 'buckets' field must be representable as a 32-bit integer")
  if (count <= 0)
    throw new CommandError(
      40243,
      `The $bucketAuto 'buckets' field must be greater than 0, but found: ${count}`,
    )
  return count
}

interface Member {
  readonly by: RawValue
  readonly bytes: Buffer
}

function bucketed(
  all: readonly Member[],
  count: number,
  fields: readonly AccumulatedField[],
  meter: Meter,
  series: Series | undefined,
): Buffer[] {
  const size = Math.max(1, Math.round(all.length / count))
  const buckets: { min: RawValue; max: RawValue; members: Member[] }[] = []
  let at = 0
  while (at < all.length && buckets.length < count) {
    const isLast = buckets.length === count - 1
    let end = isLast ? all.length : Math.min(at + size, all.length)
    const least = all[at]?.by ?? NULL
    let bound: RawValue | undefined
    if (series) {
      bound = doubleValue(roundUp(doubleOf(all[end - 1]?.by ?? NULL), series))
      while (end < all.length && compare(all[end]?.by, bound) < 0) end++
    } else while (end < all.length && compare(all[end]?.by, all[end - 1]?.by) === 0) end++
    const previous = buckets.at(-1)
    const min =
      previous && series ? previous.max : series ? doubleValue(roundDown(doubleOf(least), series)) : least
    buckets.push({ min, max: bound ?? all[end - 1]?.by ?? NULL, members: all.slice(at, end) })
    at = end
  }
  // A bucket ends where the next begins, and the last with the greatest value.
  return buckets.map(({ min, max, members }, i) => {
    const next = buckets[i + 1]
    const id: Field[] = [
      { name: 'min', value: min },
      { name: 'max', value: series ? max : (next?.min ?? max) },
    ]
    const idValue = documentOf(documentFrom(id))
    const scope = scopeOf(idValue)
    const accumulations = fields.map(({ accumulator }) => accumulator.begin(meter, scope))
    for (const { bytes } of members) {
      scope.root = documentOf(bytes)
      fields.forEach(({ accumulator }, j) => {
        accumulations[j]?.add(accumulator.input(scope))
      })
    }
    return documentFrom([
      { name: '_id', value: idValue },
      ...fields.map(({ name }, j) => ({ name, value: accumulations[j]?.result() ?? NULL })),
    ])
  })
}
