import { createHash } from 'node:crypto'
import { arrayFrom, fieldsOf, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T, typeName } from '../../bson/types.ts'
import { doubleValue, intValue, longValue, stringValue } from '../../bson/values.ts'
import { badValue, CommandError } from '../../errors.ts'
import { parseSort, sortKey } from '../../query/sort.ts'
import { isMissing, isNumeric, longOf } from '../numbers.ts'
import { type Operator, typeOf } from './expression.ts'
import { argumentsOf, namedOperands, toBool, unary, unaryOrNull } from './operands.ts'
import { compare } from './order.ts'

const random: Operator = (operand, _compiler, name) => {
  const given = operand.type === T.object ? fieldsOf(operand) : argumentsOf(operand)
  if (given.length > 0) throw new CommandError(3040501, `${name} does not currently accept arguments`)
  return () => doubleValue(Math.random())
}

const binarySize = unaryOrNull((value) => {
  if (value.type === T.string) return intValue(value.end - value.start - 5)
  if (value.type === T.binary) return intValue(value.end - value.start - 5)
  throw new CommandError(51276, `$binarySize requires a string or BinData argument, found: ${typeOf(value)}`)
})

const bsonSize = unaryOrNull((value) => {
  if (value.type !== T.object)
    throw new CommandError(31393, `$bsonSize requires a document input, found: ${typeOf(value)}`)
  return intValue(value.end - value.start)
})

const timestampPart = (offset: number, code: number): Operator =>
  unaryOrNull((value, name) => {
    if (value.type !== T.timestamp)
      throw new CommandError(code, `Argument to ${name} must be a timestamp, but is ${typeOf(value)}`)
    return longValue(BigInt(value.bytes.readUInt32LE(value.start + offset)))
  })

/** `$sortArray`: by the values themselves, or by fields of documents. */
const sortArray: Operator = (operand, compiler, name) => {
  const given = namedOperands(operand, name, {
    notObject: 2942500,
    unknown: 2942501,
    required: { input: 2942502, sortBy: 2942503 },
  })
  const input = compiler.compile(given.get('input') ?? NULL)
  const order = orderOf(given.get('sortBy') ?? NULL)
  return (scope) => {
    const value = input(scope)
    if (isMissing(value)) return NULL
    if (value.type !== T.array)
      throw new CommandError(
        2942504,
        `The input argument to $sortArray must be an array, but was of type: ${typeOf(value)}`,
      )
    return arrayFrom(order(itemsOf(value)))
  }
}

function orderOf(sortBy: RawValue): (items: RawValue[]) => RawValue[] {
  if (sortBy.type === T.object) {
    const fields = parseSort(sortBy)
    if (fields.length === 0) throw new CommandError(15976, '$sort stage must have at least one sort key')
    return (items) =>
      items
        .map((item, position) => ({ item, position, key: sortKey(item, fields) }))
        .sort((a, b) => a.key.compare(b.key) || a.position - b.position)
        .map(({ item }) => item)
  }
  const direction = isNumeric(sortBy) ? Number(longOf(sortBy)) : 0
  if (direction !== 1 && direction !== -1)
    throw badValue(`Illegal sort specification: a number must be 1 or -1, found ${typeOf(sortBy)}`)
  return (items) => items.sort((a, b) => direction * compare(a, b))
}

/** What MongoDB's hash of a value calls its type: one for all numbers, one for all texts. */
function canonicalType(type: number): number {
  switch (type) {
    case T.minKey:
      return -1
    case T.maxKey:
      return 127
    case T.undefined:
      return 0
    case T.null:
      return 5
    case T.double:
    case T.int:
    case T.long:
    case T.decimal:
      return 10
    case T.string:
    case T.symbol:
      return 15
    case T.object:
      return 20
    case T.array:
      return 25
    case T.binary:
      return 30
    case T.objectId:
      return 35
    case T.bool:
      return 40
    case T.date:
      return 45
    case T.timestamp:
      return 47
    case T.regex:
      return 50
    default:
      return 60
  }
}

/** The key a hashed index would have for a value: half an MD5 of its type and its bytes. */
function hashedKey(value: RawValue): RawValue {
  const hash = createHash('md5')
  const number = (size: 4 | 8, given: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(given)
    hash.update(bytes.subarray(0, size))
  }
  const feed = (each: RawValue, name?: string): void => {
    number(4, BigInt(canonicalType(each.type)))
    if (name !== undefined) hash.update(`${name}\0`)
    if (isNumeric(each)) number(8, longOf(each))
    else if (each.type === T.object || each.type === T.array) {
      for (const field of fieldsOf(each)) feed(field.value, field.name)
      number(4, 0n)
    } else hash.update(each.bytes.subarray(each.start, each.end))
  }
  number(4, 0n)
  feed(value)
  return longValue(hash.digest().readBigInt64LE(0))
}

export const MISCELLANY: Readonly<Record<string, Operator>> = {
  $rand: random,
  $binarySize: binarySize,
  $bsonSize: bsonSize,
  $tsSecond: timestampPart(4, 5687301),
  $tsIncrement: timestampPart(0, 5687302),
  $sortArray: sortArray,
  $type: unary((value) => stringValue(value === undefined ? 'missing' : typeName(value.type))),
  $isNumber: unary((value) => toBool(isNumeric(value))),
  $toHashedIndexKey: unary((value) => hashedKey(value ?? NULL)),
}
