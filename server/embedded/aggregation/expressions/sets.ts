import { arrayFrom, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { CommandError } from '../../errors.ts'
import { isMissing } from '../numbers.ts'
import { type Operator, typeOf } from './expression.ts'
import { argumentsOf, binary, toBool, type Value, variadic } from './operands.ts'
import { compare, keyText } from './order.ts'

/** The items of a set, one of each, by what makes them equal. */
const setOf = (items: Iterable<RawValue>): Map<string, RawValue> => {
  const set = new Map<string, RawValue>()
  for (const item of items) {
    const key = keyText(item)
    if (!set.has(key)) set.set(key, item)
  }
  return set
}

/** MongoDB keeps the sets it computes in the order of values. */
const inOrder = (set: ReadonlyMap<string, RawValue>): RawValue => arrayFrom([...set.values()].sort(compare))

function arrayOr(value: RawValue, code: number, message: string): RawValue[] {
  if (value.type !== T.array) throw new CommandError(code, `${message} ${typeOf(value)}`)
  return itemsOf(value)
}

function union(values: Value[]): Value {
  const all: RawValue[] = []
  for (const value of values) {
    if (isMissing(value)) return NULL
    all.push(...arrayOr(value, 17043, 'All operands of $setUnion must be arrays. One argument is of type:'))
  }
  return inOrder(setOf(all))
}

function intersection(values: Value[]): Value {
  let common: Map<string, RawValue> | undefined
  for (const value of values) {
    if (isMissing(value)) return NULL
    const set = setOf(
      arrayOr(value, 17047, 'All operands of $setIntersection must be arrays. One argument is of type:'),
    )
    common = common ? new Map([...common].filter(([key]) => set.has(key))) : set
  }
  return inOrder(common ?? new Map())
}

const difference = binary((left, right) => {
  if (isMissing(left) || isMissing(right)) return NULL
  const from = arrayOr(
    left,
    17048,
    'both operands of $setDifference must be arrays. First argument is of type:',
  )
  const taken = setOf(
    arrayOr(right, 17049, 'both operands of $setDifference must be arrays. Second argument is of type:'),
  )
  return arrayFrom([...setOf(from)].filter(([key]) => !taken.has(key)).map(([, item]) => item))
})

const isSubset = binary((left, right) => {
  if (left?.type !== T.array)
    throw new CommandError(
      17046,
      `both operands of $setIsSubset must be arrays. First argument is of type: ${typeOf(left)}`,
    )
  if (right?.type !== T.array)
    throw new CommandError(
      17042,
      `both operands of $setIsSubset must be arrays. Second argument is of type: ${typeOf(right)}`,
    )
  const within = setOf(itemsOf(right))
  return toBool(itemsOf(left).every((item) => within.has(keyText(item))))
})

const equals: Operator = (operand, compiler) => {
  const all = argumentsOf(operand).map((each) => compiler.compile(each))
  if (all.length < 2)
    throw new CommandError(17045, `$setEquals needs at least two arguments had: ${all.length}`)
  return (scope) => {
    let first: Map<string, RawValue> | undefined
    let same = true
    for (const each of all) {
      const value = each(scope)
      if (value?.type !== T.array)
        throw new CommandError(
          17044,
          `All operands of $setEquals must be arrays. One argument is of type: ${typeOf(value)}`,
        )
      const set = setOf(itemsOf(value))
      if (!first) first = set
      else {
        const other = first
        same &&= set.size === other.size && [...set.keys()].every((key) => other.has(key))
      }
    }
    return toBool(same)
  }
}

export const SETS: Readonly<Record<string, Operator>> = {
  $setUnion: variadic(union),
  $setIntersection: variadic(intersection),
  $setDifference: difference,
  $setIsSubset: isSubset,
  $setEquals: equals,
}
