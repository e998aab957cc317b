import {
  arrayFrom,
  documentFrom,
  documentOf,
  type Field,
  fieldsOf,
  itemsOf,
  NULL,
  type RawValue,
} from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { stringIn, stringValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { isMissing } from '../numbers.ts'
import { type Compiler, constantOf, type Expression, type Operator, typeOf } from './expression.ts'
import { namedOperands, never, unaryOrNull, type Value, variadic } from './operands.ts'

export const objectFrom = (fields: Iterable<Field>): RawValue => documentOf(documentFrom(fields))

/** The document that has these fields, the later ones in place of earlier ones of the same name. */
function mergeObjects(values: Value[]): Value {
  const merged = new Map<string, RawValue>()
  for (const value of values) {
    if (isMissing(value)) continue
    if (value.type !== T.object) {
      throw new CommandError(
        40400,
        `$mergeObjects requires object inputs, but input is of type ${typeOf(value)}`,
      )
    }
    for (const field of fieldsOf(value)) merged.set(field.name, field.value)
  }
  return fromMap(merged)
}

export const fromMap = (fields: ReadonlyMap<string, RawValue>): RawValue =>
  objectFrom([...fields].map(([name, value]) => ({ name, value })))

const objectToArray = unaryOrNull((value) => {
  if (value.type !== T.object)
    throw new CommandError(40390, `$objectToArray requires a document input, found: ${typeOf(value)}`)
  return arrayFrom(
    fieldsOf(value).map((field) =>
      objectFrom([
        { name: 'k', value: stringValue(field.name) },
        { name: 'v', value: field.value },
      ]),
    ),
  )
})

const arrayToObject = unaryOrNull((value) => {
  if (value.type !== T.array)
    throw new CommandError(40386, `$arrayToObject requires an array input, found: ${typeOf(value)}`)
  const items = itemsOf(value)
  const first = items[0]
  if (!first) return objectFrom([])
  if (first.type !== T.array && first.type !== T.object)
    throw new CommandError(40398, `Unrecognised input type format for $arrayToObject: ${typeOf(first)}`)
  const made = new Map<string, RawValue>()
  for (const item of items) {
    const { key, value: held } = first.type === T.array ? pairIn(item) : entryIn(item)
    if (key.includes('\0')) throw new CommandError(4940400, 'Key field cannot contain an embedded null byte')
    made.set(key, held)
  }
  return fromMap(made)
})

function pairIn(item: RawValue): { key: string; value: RawValue } {
  if (item.type !== T.array)
    throw new CommandError(
      40396,
      `$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Array was detected, now found: ${typeOf(item)}`,
    )
  const [key, value, ...others] = itemsOf(item)
  if (!key || !value || others.length > 0)
    throw new CommandError(40397, '$arrayToObject requires an array of size 2 arrays')
  if (key.type !== T.string)
    throw new CommandError(
      40395,
      `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeOf(key)}`,
    )
  return { key: stringIn(key), value }
}

function entryIn(item: RawValue): { key: string; value: RawValue } {
  if (item.type !== T.object)
    throw new CommandError(
      40391,
      `$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Object was detected, now found: ${typeOf(item)}`,
    )
  const fields = fieldsOf(item)
  if (fields.length !== 2)
    throw new CommandError(
      40392,
      "$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys",
    )
  const key = fields.find((field) => field.name === 'k')?.value
  const value = fields.find((field) => field.name === 'v')?.value
  if (!key || !value)
    throw new CommandError(
      40393,
      "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys",
    )
  if (key.type !== T.string)
    throw new CommandError(
      40394,
      `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeOf(key)}`,
    )
  return { key: stringIn(key), value }
}

/** The field name an operator is given: known when it is compiled. */
function constantName(name: string, field: RawValue | undefined, compiler: Compiler): string {
  const found = field && constantOf(compiler.compile(field))
  if (!found)
    throw new CommandError(
      4161106,
      `${name} requires 'field' to evaluate to a constant, but got a non-constant argument`,
    )
  if (found.value?.type !== T.string)
    throw new CommandError(
      4161107,
      `${name} requires 'field' to evaluate to type String, but got ${typeOf(found.value)}`,
    )
  return stringIn(found.value)
}

const getField: Operator = (operand, compiler, name) => {
  const isNamed = operand.type === T.object && fieldsOf(operand)[0]?.name.startsWith('$') === false
  const given = isNamed
    ? namedOperands(operand, name, {
        notObject: 3041701,
        unknown: 3041701,
        required: { field: 3041702, input: 3041703 },
      })
    : new Map([['field', operand]])
  const field = compiler.compile(given.get('field') ?? NULL)
  const input = given.get('input')
  const from: Expression = input ? compiler.compile(input) : (scope) => scope.root
  const known = constantOf(field)
  if (known && known.value?.type !== T.string)
    throw new CommandError(
      5654602,
      `$getField requires 'field' to evaluate to type String, but got ${typeOf(known.value)}`,
    )
  return (scope) => {
    const key = field(scope)
    if (key?.type !== T.string)
      throw new CommandError(
        3041704,
        `$getField requires 'field' to evaluate to type String, but got ${typeOf(key)}`,
      )
    const value = from(scope)
    if (isMissing(value)) return value === undefined ? undefined : NULL
    const wanted = stringIn(key)
    return value.type === T.object ? fieldsOf(value).find((each) => each.name === wanted)?.value : undefined
  }
}

const setField =
  (removing: boolean): Operator =>
  (operand, compiler, name) => {
    const given = namedOperands(operand, name, {
      notObject: 4161100,
      unknown: 4161101,
      required: { field: 4161102, input: 4161109, ...(removing ? {} : { value: 4161103 }) },
    })
    const field = constantName(name, given.get('field'), compiler)
    const input = compiler.compile(given.get('input') ?? NULL)
    const value = removing ? never : compiler.compile(given.get('value') ?? NULL)
    return (scope) => {
      const before = input(scope)
      if (isMissing(before)) return NULL
      if (before.type !== T.object)
        throw new CommandError(4161105, `${name} requires 'input' to evaluate to type Object`)
      const fields = new Map(fieldsOf(before).map((each) => [each.name, each.value]))
      const given = value(scope)
      if (given === undefined) fields.delete(field)
      else fields.set(field, given)
      return fromMap(fields)
    }
  }

export const OBJECTS: Readonly<Record<string, Operator>> = {
  $mergeObjects: variadic(mergeObjects),
  $objectToArray: objectToArray,
  $arrayToObject: arrayToObject,
  $getField: getField,
  $setField: setField(false),
  $unsetField: setField(true),
}
