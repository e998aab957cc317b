import {
  detached,
  documentFrom,
  documentOf,
  type Field,
  fieldsOf,
  NULL,
  type RawValue,
} from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { intValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import type { Documents } from '../../query/select.ts'
import { type Accumulation, exceeded, Meter } from '../accumulators/accumulator.ts'
import { type AccumulatedField, compileAccumulator } from '../accumulators/compile.ts'
import { type Compiler, constantOf, type Expression, scopeOf } from '../expressions/expression.ts'
import { keyText } from '../expressions/order.ts'
import { compileSort } from './ordering.ts'
import { inPortions, type Transform } from './stage.ts'

interface Group {
  readonly id: RawValue
  readonly accumulations: readonly Accumulation[]
}

/** Compiles `$group`. */
export function compileGroup(operand: RawValue, compiler: Compiler): Transform {
  if (operand.type !== T.object)
    throw new CommandError(15947, "a group's fields must be specified in an object")
  let id: Expression | undefined
  const fields: AccumulatedField[] = []
  for (const { name, value } of fieldsOf(operand)) {
    if (name === '_id') {
      if (id) throw new CommandError(15948, "a group's _id may only be specified once")
      id = compiler.compile(value)
    } else fields.push(compileAccumulator(name, value, compiler))
  }
  if (!id) throw new CommandError(15955, 'a group specification must include an _id')
  return groupBy(id, fields)
}

/** Gathers documents by the value of an expression; of each group only its running results are kept. */
export function groupBy(id: Expression, fields: readonly AccumulatedField[]): Transform {
  return async function* (source) {
    const groups = await gatherGroups(source, id, fields)
    const made: Buffer[] = []
    for (const { id: value, accumulations } of groups) {
      const document: Field[] = [{ name: '_id', value }]
      for (let i = 0; i < fields.length; i++) {
        document.push({ name: fields[i]?.name ?? '', value: accumulations[i]?.result() ?? NULL })
      }
      made.push(documentFrom(document))
    }
    yield* inPortions(made)
  }
}

async function gatherGroups(
  source: Documents,
  id: Expression,
  fields: readonly AccumulatedField[],
): Promise<Iterable<Group>> {
  const meter = new Meter(exceeded('$group'))
  const groups = new Map<string, Group>()
  const inputs = fields.map(({ accumulator }) => accumulator.input)
  const begin = (value: RawValue): Group => {
    const idScope = scopeOf(value)
    return {
      id: detached(value),
      accumulations: fields.map(({ accumulator }) => accumulator.begin(meter, idScope)),
    }
  }
  const scope = scopeOf(documentOf(Buffer.from([5, 0, 0, 0, 0])))
  const single = constantOf(id)
  let only: Group | undefined
  for await (const batch of source) {
    for (const bytes of batch) {
      scope.root = documentOf(bytes)
      let group = only
      if (!group) {
        const value = id(scope) ?? NULL
        const key = groupKey(value)
        group = groups.get(key)
        if (!group) {
          group = begin(value)
          meter.add(key.length * 2 + (value.end - value.start) + 200 + 100 * fields.length)
          groups.set(key, group)
        }
        if (single) only = group
      }
      for (let i = 0; i < inputs.length; i++) {
        const input = inputs[i]
        if (input) group.accumulations[i]?.add(input(scope))
      }
    }
  }
  return groups.values()
}

/** A key that equal values share; texts, which most groups go by, need no encoding of numbers. */
function groupKey(value: RawValue): string {
  if (value.type === T.string) return `s${value.bytes.toString('latin1', value.start + 4, value.end - 1)}`
  if (value.type === T.objectId) return `o${value.bytes.toString('latin1', value.start, value.end)}`
  return keyText(value)
}

/** `$sortByCount` is a group that counts, the greatest first. */
export function compileSortByCount(operand: RawValue, compiler: Compiler): Transform {
  const isExpression =
    (operand.type === T.object && fieldsOf(operand)[0]?.name.startsWith('$')) ||
    (operand.type === T.string && operand.bytes[operand.start + 4] === 0x24)
  if (operand.type === T.object && !isExpression)
    throw new CommandError(40147, 'the sortByCount field must be defined as an expression inside an object')
  if (operand.type === T.string && !isExpression)
    throw new CommandError(
      40148,
      'the sortByCount field must be defined as a $-prefixed path or an expression',
    )
  if (!isExpression)
    throw new CommandError(40149, 'the sortByCount field must be specified as a string or as an object')
  const group = groupBy(compiler.compile(operand), [countField(compiler)])
  const sort = compileSort(BY_COUNT)
  return (source) => sort(group(source))
}

const BY_COUNT = documentOf(documentFrom([{ name: 'count', value: intValue(-1) }]))
const COUNTING = documentOf(documentFrom([{ name: '$count', value: documentOf(documentFrom([])) }]))

/** The field `count` of stages that count when they are not told what to compute. */
export const countField = (compiler: Compiler): AccumulatedField =>
  compileAccumulator('count', COUNTING, compiler)
