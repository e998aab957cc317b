import { arrayFrom, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { boolIn, intValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { int32Of, isMissing, isNumeric } from '../numbers.ts'
import { type Operator, typeOf } from './expression.ts'
import {
  between,
  binary,
  FALSE,
  namedOperands,
  never,
  TRUE,
  toBool,
  truthOf,
  unary,
  unaryOrNull,
  type Value,
  variadic,
} from './operands.ts'
import { equal } from './order.ts'

const itemOr = (code: number, pick: (items: RawValue[]) => RawValue | undefined): Operator =>
  unary((value, name) => {
    if (isMissing(value)) return NULL
    if (value.type !== T.array)
      throw new CommandError(code, `${name}'s argument must be an array, but is ${typeOf(value)}`)
    return pick(itemsOf(value))
  })

const arrayElemAt = binary((array, index) => {
  if (isMissing(array) || isMissing(index)) return NULL
  if (array.type !== T.array)
    throw new CommandError(28689, `$arrayElemAt's first argument must be an array, but is ${typeOf(array)}`)
  if (!isNumeric(index))
    throw new CommandError(
      28690,
      `$arrayElemAt's second argument must be a numeric value, but is ${typeOf(index)}`,
    )
  const at = int32Of(index)
  if (at === undefined)
    throw new CommandError(28691, `$arrayElemAt's second argument must be representable as a 32-bit integer`)
  return itemsOf(array).at(at)
})

const slice: Operator = (operand, compiler, name) => {
  const [array = never, first = never, second] = between(operand, compiler, name, 2, 3)
  return (scope) => {
    const value = array(scope)
    const start = first(scope)
    if (isMissing(value) || isMissing(start)) return NULL
    if (value.type !== T.array)
      throw new CommandError(
        28724,
        `First argument to $slice must be an array, but is of type: ${typeOf(value)}`,
      )
    const from = sliceNumber(start, 'Second', 28725)
    const items = itemsOf(value)
    if (!second) return arrayFrom(from < 0 ? items.slice(from) : items.slice(0, from))
    const most = second(scope)
    if (isMissing(most)) return NULL
    const count = sliceNumber(most, 'Third', 28727)
    if (count <= 0) throw new CommandError(28729, `Third argument to $slice must be positive: ${count}`)
    const begin = from < 0 ? Math.max(0, items.length + from) : from
    return arrayFrom(items.slice(begin, begin + count))
  }
}

function sliceNumber(value: RawValue, which: string, code: number): number {
  if (!isNumeric(value))
    throw new CommandError(
      code,
      `${which} argument to $slice must be numeric, but is of type: ${typeOf(value)}`,
    )
  const number = int32Of(value)
  if (number === undefined)
    throw new CommandError(code + 1, `${which} argument to $slice can't be represented as a 32-bit integer`)
  return number
}

function concatArrays(values: Value[]): Value {
  const items: RawValue[] = []
  for (const value of values) {
    if (isMissing(value)) return NULL
    if (value.type !== T.array)
      throw new CommandError(28664, `$concatArrays only supports arrays, not ${typeOf(value)}`)
    for (const item of itemsOf(value)) items.push(item)
  }
  return arrayFrom(items)
}

const indexOfArray: Operator = (operand, compiler, name) => {
  const [array = never, wanted = never, first, last] = between(operand, compiler, name, 2, 4)
  return (scope) => {
    const value = array(scope)
    if (isMissing(value)) return NULL
    if (value.type !== T.array)
      throw new CommandError(
        40090,
        `$indexOfArray requires an array as a first argument, found: ${typeOf(value)}`,
      )
    const search = wanted(scope)
    const items = itemsOf(value)
    const start = first ? indexFrom(first(scope), name, 'starting') : 0
    const end = Math.min(last ? indexFrom(last(scope), name, 'ending') : items.length, items.length)
    for (let i = start; i < end; i++) if (equal(items[i], search)) return intValue(i)
    return intValue(-1)
  }
}

/** The position an `$indexOf…` operator starts or ends at. */
export function indexFrom(value: Value, name: string, which: 'starting' | 'ending'): number {
  const index = isNumeric(value) ? int32Of(value) : undefined
  if (index === undefined)
    throw new CommandError(
      40096,
      `${name} requires an integral ${which} index, found a value of type: ${typeOf(value)}`,
    )
  if (index < 0)
    throw new CommandError(40097, `${name} requires a nonnegative ${which} index, found: ${index}`)
  return index
}

const RANGE_ARGUMENTS = ['starting', 'ending', 'step'] as const

const range: Operator = (operand, compiler, name) => {
  const all = between(operand, compiler, name, 2, 3)
  return (scope) => {
    const [start = 0, end = 0, step = 1] = all.map((each, i) => rangeNumber(each(scope), i))
    if (step === 0) throw new CommandError(34449, '$range requires a non-zero step value')
    return arrayFrom(integers(start, end, step))
  }
}

/** One after the other, since a range may be longer than what fits in memory: then the array is refused as it grows. */
function* integers(start: number, end: number, step: number): Generator<RawValue> {
  for (let at = start; step > 0 ? at < end : at > end; at += step) yield intValue(at)
}

function rangeNumber(value: Value, i: number): number {
  const which = RANGE_ARGUMENTS[i]
  if (!isNumeric(value))
    throw new CommandError(
      34443 + 2 * i,
      `$range requires a numeric ${which} value, found value of type: ${typeOf(value)}`,
    )
  const number = int32Of(value)
  if (number === undefined)
    throw new CommandError(
      34444 + 2 * i,
      `$range requires a ${which} value that can be represented as a 32-bit integer`,
    )
  return number
}

const zip: Operator = (operand, compiler, name) => {
  const given = namedOperands(operand, name, {
    notObject: 34460,
    unknown: 34464,
    required: { inputs: 34465 },
    optional: ['useLongestLength', 'defaults'],
  })
  const inputs = given.get('inputs')
  if (inputs?.type !== T.array)
    throw new CommandError(34461, `inputs must be an array of expressions, found ${typeOf(inputs)}`)
  if (itemsOf(inputs).length === 0) throw new CommandError(34465, '$zip requires at least one input array')
  const longest = given.get('useLongestLength')
  if (longest && longest.type !== T.bool)
    throw new CommandError(34463, `useLongestLength must be a bool, found ${typeOf(longest)}`)
  const toLongest = longest !== undefined && boolIn(longest)
  const defaults = given.get('defaults')
  if (defaults && defaults.type !== T.array)
    throw new CommandError(34462, `defaults must be an array of expressions, found ${typeOf(defaults)}`)
  if (defaults && !toLongest)
    throw new CommandError(34466, 'cannot specify defaults unless useLongestLength is true')
  const arrays = itemsOf(inputs).map((each) => compiler.compile(each))
  const fillers = defaults ? itemsOf(defaults).map((each) => compiler.compile(each)) : []
  if (fillers.length > 0 && fillers.length !== arrays.length)
    throw new CommandError(34467, 'defaults and inputs must have the same length')
  return (scope) => {
    const columns: RawValue[][] = []
    for (const array of arrays) {
      const value = array(scope)
      if (isMissing(value)) return NULL
      if (value.type !== T.array)
        throw new CommandError(34468, `$zip found a non-array expression in input: ${typeOf(value)}`)
      columns.push(itemsOf(value))
    }
    const lengths = columns.map((column) => column.length)
    const rows = toLongest ? Math.max(...lengths) : Math.min(...lengths)
    const filled = fillers.map((filler) => filler(scope) ?? NULL)
    return arrayFrom(
      Array.from({ length: rows }, (_, i) =>
        arrayFrom(columns.map((column, j) => column[i] ?? filled[j] ?? NULL)),
      ),
    )
  }
}

const isIn = binary((value, array) => {
  if (array?.type !== T.array)
    throw new CommandError(40081, `$in requires an array as a second argument, found: ${typeOf(array)}`)
  return toBool(itemsOf(array).some((item) => equal(item, value)))
})

const reverse = unaryOrNull((value) => {
  if (value.type !== T.array)
    throw new CommandError(
      34435,
      `The argument to $reverseArray must be an array, but was of type: ${typeOf(value)}`,
    )
  return arrayFrom(itemsOf(value).reverse())
})

const size = unary((value) => {
  if (value?.type !== T.array)
    throw new CommandError(17124, `The argument to $size must be an array, but was of type: ${typeOf(value)}`)
  return intValue(itemsOf(value).length)
})

/** `$allElementsTrue` and `$anyElementTrue`. */
const truthOfItems = (code: number, test: (items: boolean[]) => boolean): Operator =>
  unary((value, name) => {
    if (value?.type !== T.array)
      throw new CommandError(code, `${name}'s argument must be an array, but is ${typeOf(value)}`)
    return toBool(test(itemsOf(value).map(truthOf)))
  })

export const ARRAYS: Readonly<Record<string, Operator>> = {
  $arrayElemAt: arrayElemAt,
  $first: itemOr(28689, (items) => items[0]),
  $last: itemOr(28689, (items) => items.at(-1)),
  $slice: slice,
  $concatArrays: variadic(concatArrays),
  $indexOfArray: indexOfArray,
  $in: isIn,
  $isArray: unary((value) => (value?.type === T.array ? TRUE : FALSE)),
  $range: range,
  $reverseArray: reverse,
  $size: size,
  $zip: zip,
  $allElementsTrue: truthOfItems(17040, (items) => items.every(Boolean)),
  $anyElementTrue: truthOfItems(17041, (items) => items.some(Boolean)),
}
