/** The type bytes of BSON. */
export const T = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binary: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  code: 13,
  symbol: 14,
  codeWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  maxKey: 127,
  minKey: 255,
} as const

/** MongoDB's order between types: values of a lower rank sort first. */
export function typeRank(type: number): number {
  switch (type) {
    case T.minKey:
      return 1
    case T.undefined:
      return 2
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
    case T.dbPointer:
      return 55
    case T.code:
      return 60
    case T.codeWithScope:
      return 65
    default:
      return 127
  }
}

const ALIASES: Readonly<Record<string, number>> = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  maxKey: 127,
  minKey: 255,
}
const NAMES = new Map(Object.entries(ALIASES).map(([name, type]) => [type, name]))

/** The name MongoDB gives a type in messages and in `$type`. */
export const typeName = (type: number): string => NAMES.get(type) ?? `type ${type}`

/** The type byte of an alias, or undefined when there is no such alias. */
export const typeOfAlias = (alias: string): number | undefined =>
  Object.hasOwn(ALIASES, alias) ? ALIASES[alias] : undefined

export const isNumberType = (type: number): boolean =>
  type === T.int || type === T.double || type === T.long || type === T.decimal
