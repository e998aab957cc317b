import { documentOf, fieldsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { CommandError, failedToParse } from '../../errors.ts'
import { keyOf } from '../../indexes/key-encoding.ts'
import { parseSort, type SortField, sortKey } from '../../query/sort.ts'
import { exceeded, Meter } from '../accumulators/accumulator.ts'
import { type Compiler, constant, type Expression, scopeOf } from '../expressions/expression.ts'
import { splitPath } from '../expressions/field-path.ts'
import { parseBounds } from '../windows/bounds.ts'
import { windowFunctionNamed } from '../windows/functions.ts'
import type { Partition, WindowFunction } from '../windows/partition.ts'
import { gather, inPortions, type Transform } from './stage.ts'
import { withValue } from './unwind.ts'

/** A field that a window computes. */
export interface WindowField {
  readonly path: readonly string[]
  readonly compute: WindowFunction
}

/** Compiles `$setWindowFields`. */
export function compileSetWindowFields(operand: RawValue, compiler: Compiler): Transform {
  if (operand.type !== T.object)
    throw failedToParse('the $setWindowFields stage specification must be an object')
  const given = new Map(fieldsOf(operand).map(({ name, value }) => [name, value]))
  for (const name of given.keys()) {
    if (!['partitionBy', 'sortBy', 'output'].includes(name))
      throw new CommandError(40415, `BSON field '$setWindowFields.${name}' is an unknown field.`)
  }
  const output = given.get('output')
  if (output?.type !== T.object)
    throw new CommandError(40414, "BSON field '$setWindowFields.output' is missing but a required field")
  const sort = parseSort(given.get('sortBy'))
  const fields = fieldsOf(output).map(({ name, value }) => windowField(name, value, compiler, sort))
  const partitionBy = given.get('partitionBy')
  return overPartitions(partitionBy ? compiler.compile(partitionBy) : constant(NULL), sort, fields)
}

function windowField(
  name: string,
  value: RawValue,
  compiler: Compiler,
  sort: readonly SortField[],
): WindowField {
  if (value.type !== T.object) throw failedToParse(`The field '${name}' must be a window function object`)
  const parts = fieldsOf(value)
  const functions = parts.filter((part) => part.name.startsWith('$'))
  const window = parts.find((part) => part.name === 'window')?.value
  const [chosen, ...others] = functions
  if (!chosen || others.length > 0) throw failedToParse(`Expected a $-prefixed window function in '${name}'`)
  for (const part of parts) {
    if (part !== chosen && part.name !== 'window')
      throw failedToParse(`Window function found an unknown argument: ${part.name}`)
  }
  const bounds = parseBounds(window, sort.length > 0)
  const compute = windowFunctionNamed(chosen.name)(chosen.value, compiler, chosen.name, bounds)
  return { path: splitPath(name), compute }
}

/** Parts documents, orders them within the parts, and computes fields over each part. */
export function overPartitions(
  partitionBy: Expression,
  sort: readonly SortField[],
  fields: readonly WindowField[],
): Transform {
  return async function* (source) {
    const meter = new Meter(exceeded('$setWindowFields'))
    const all = await gather(source, (bytes) => meter.add(bytes))
    const scope = scopeOf(NULL)
    const members = all.map((bytes, position) => {
      scope.root = documentOf(bytes)
      const by = partitionBy(scope)
      if (by?.type === T.array)
        throw new CommandError(14, 'An expression used to partition cannot evaluate to value of type array')
      return { bytes, position, partition: keyOf(by ?? NULL), key: sortKey(scope.root, sort) }
    })
    members.sort(
      (a, b) => a.partition.compare(b.partition) || a.key.compare(b.key) || a.position - b.position,
    )
    for (let at = 0; at < members.length; ) {
      let end = at + 1
      while (end < members.length && members[end]?.partition.equals(members[at]?.partition as Buffer)) end++
      const part = members.slice(at, end)
      const documents = part.map(({ bytes }) => bytes)
      const partition: Partition = {
        documents,
        keys: part.map(({ key }) => key),
        scopes: documents.map((bytes) => scopeOf(documentOf(bytes))),
        sort,
      }
      const columns = fields.map(({ compute }) => compute(partition))
      yield* inPortions(
        documents.map((bytes, i) =>
          fields.reduce((made, { path }, j) => withValue(made, path, columns[j]?.[i]), bytes),
        ),
      )
      at = end
    }
  }
}
