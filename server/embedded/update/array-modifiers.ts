import { compareValues, equalValues } from '../bson/compare.ts'
import { arrayFrom, documentFrom, documentOf, fieldsOf, get, itemsOf, type RawValue } from '../bson/raw.ts'
import { isNumberType, T, typeName } from '../bson/types.ts'
import { arrayItems, numberIn } from '../bson/values.ts'
import { badValue, failedToParse } from '../errors.ts'
import { compileFilter, type ExpressionCompiler, type Matcher } from '../query/matcher.ts'
import { parseFilter } from '../query/parse-filter.ts'
import { parseSort, sortKey } from '../query/sort.ts'

const isModified = (operand: RawValue): boolean =>
  operand.type === T.object && get(operand, '$each') !== undefined

function eachOf(operator: string, operand: RawValue): RawValue[] {
  const each = get(operand, '$each')
  const items = arrayItems(each)
  if (!items) {
    throw badValue(
      `The argument to $each in ${operator} must be an array but it was of type: ${typeName(each?.type ?? T.null)}`,
    )
  }
  return items
}

function integer(name: string, value: RawValue): number {
  const number = isNumberType(value.type) && value.type !== T.decimal ? Number(numberIn(value)) : Number.NaN
  if (!Number.isInteger(number)) {
    throw badValue(
      `The value for ${name} must be an integer value but was given type: ${typeName(value.type)}`,
    )
  }
  return number
}

/** `$push`, with `$each`, `$position`, `$sort` and `$slice`. */
export function push(current: RawValue | undefined, operand: RawValue): RawValue {
  const items = current ? itemsOf(current) : []
  if (!isModified(operand)) return arrayFrom([...items, operand])
  const modifiers = new Map(fieldsOf(operand).map(({ name, value }) => [name, value]))
  for (const name of modifiers.keys()) {
    if (!['$each', '$position', '$sort', '$slice'].includes(name)) {
      throw badValue(`Unrecognized clause in $push: ${name}`)
    }
  }
  const added = eachOf('$push', operand)
  const position = modifiers.get('$position')
  let grown: RawValue[]
  if (position) {
    const at = integer('$position', position)
    const from = at < 0 ? Math.max(0, items.length + at) : Math.min(at, items.length)
    grown = [...items.slice(0, from), ...added, ...items.slice(from)]
  } else grown = [...items, ...added]
  const sort = modifiers.get('$sort')
  if (sort) grown = sortItems(grown, sort)
  const slice = modifiers.get('$slice')
  if (slice) grown = sliceItems(grown, integer('$slice', slice))
  return arrayFrom(grown)
}

function sliceItems(items: RawValue[], count: number): RawValue[] {
  if (count === 0) return []
  return count > 0 ? items.slice(0, count) : items.slice(count)
}

function sortItems(items: RawValue[], sort: RawValue): RawValue[] {
  if (isNumberType(sort.type) && sort.type !== T.decimal) {
    const direction = Number(numberIn(sort))
    if (direction !== 1 && direction !== -1) throw badValue('The $sort element value must be either 1 or -1')
    return [...items].sort((a, b) => direction * compareValues(a, b))
  }
  if (sort.type !== T.object)
    throw badValue(
      'The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields',
    )
  const fields = parseSort(sort)
  const empty = documentOf(documentFrom([]))
  return items
    .map((item) => ({ item, key: sortKey(item.type === T.object ? item : empty, fields) }))
    .sort((a, b) => a.key.compare(b.key))
    .map(({ item }) => item)
}

/** `$addToSet`, with `$each`. */
export function addToSet(current: RawValue | undefined, operand: RawValue): RawValue {
  const items = current ? itemsOf(current) : []
  const added = isModified(operand) ? eachOf('$addToSet', operand) : [operand]
  for (const item of added) {
    if (!items.some((existing) => equalValues(existing, item))) items.push(item)
  }
  return arrayFrom(items)
}

/** `$pop`: 1 takes the last item, -1 the first. */
export function pop(current: RawValue | undefined, operand: RawValue): RawValue | undefined {
  const end = isNumberType(operand.type) && operand.type !== T.decimal ? Number(numberIn(operand)) : 0
  if (end !== 1 && end !== -1) throw failedToParse(`$pop expects 1 or -1, found: ${end}`)
  if (!current) return undefined
  const items = itemsOf(current)
  return arrayFrom(end === 1 ? items.slice(0, -1) : items.slice(1))
}

/** `$pull`: by value, or by what a query asks of each item. */
export function pull(
  current: RawValue | undefined,
  operand: RawValue,
  compileExpression: ExpressionCompiler,
): RawValue | undefined {
  const goes = itemTest(operand, compileExpression)
  if (!current) return undefined
  return arrayFrom(itemsOf(current).filter((item) => !goes(item)))
}

function itemTest(operand: RawValue, compileExpression: ExpressionCompiler): Matcher {
  const first = operand.type === T.object ? fieldsOf(operand)[0]?.name : undefined
  const operators = first?.startsWith('$') && first !== '$and' && first !== '$or' && first !== '$nor'
  if (operand.type === T.regex || operators) {
    const filter = parseFilter(documentOf(documentFrom([{ name: 'item', value: operand }])))
    const matches = compileFilter(filter, compileExpression)
    return (item) => matches(documentOf(documentFrom([{ name: 'item', value: item }])))
  }
  if (operand.type !== T.object) return (item) => equalValues(item, operand)
  const matches = compileFilter(parseFilter(operand), compileExpression)
  return (item) => item.type === T.object && matches(item)
}

/** `$pullAll`: every item equal to one of these. */
export function pullAll(current: RawValue | undefined, operand: RawValue): RawValue | undefined {
  const unwanted = arrayItems(operand)
  if (!unwanted)
    throw badValue(`$pullAll requires an array argument but was given a ${typeName(operand.type)}`)
  if (!current) return undefined
  return arrayFrom(itemsOf(current).filter((item) => !unwanted.some((other) => equalValues(item, other))))
}
