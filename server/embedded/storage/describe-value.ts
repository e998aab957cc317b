import { decode } from '../bson/plain.ts'
import { fieldsOf, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { boolIn, numberIn, readLong, regexIn, stringIn } from '../bson/values.ts'

/** A value as MongoDB writes it in messages. */
export function describeValue(value: RawValue | undefined): string {
  if (!value) return 'null'
  switch (value.type) {
    case T.string:
    case T.symbol:
      return JSON.stringify(stringIn(value))
    case T.int:
    case T.long:
      return String(numberIn(value))
    case T.double: {
      const number = Number(numberIn(value))
      return Number.isInteger(number) ? `${number}.0` : String(number)
    }
    case T.null:
      return 'null'
    case T.undefined:
      return 'undefined'
    case T.bool:
      return String(boolIn(value))
    case T.objectId:
      return `ObjectId('${value.bytes.toString('hex', value.start, value.end)}')`
    case T.date:
      return `new Date(${readLong(value.bytes, value.start)})`
    case T.timestamp:
      return `Timestamp(${value.bytes.readUInt32LE(value.start + 4)}, ${value.bytes.readUInt32LE(value.start)})`
    case T.object:
      return `{ ${fieldsOf(value)
        .map((field) => `${field.name}: ${describeValue(field.value)}`)
        .join(', ')} }`
    case T.array:
      return `[ ${itemsOf(value).map(describeValue).join(', ')} ]`
    case T.regex: {
      const { pattern, options } = regexIn(value)
      return `/${pattern}/${options}`
    }
    case T.binary:
      return `BinData(${value.bytes[value.start + 4]}, ${value.bytes.toString('hex', value.start + 5, value.end).toUpperCase()})`
    case T.minKey:
      return 'MinKey'
    case T.maxKey:
      return 'MaxKey'
    default:
      return String(decode(value))
  }
}
