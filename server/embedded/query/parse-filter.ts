import { bytesOf, type Field, fieldsOf, itemsOf, type RawValue } from '../bson/raw.ts'
import { isNumberType, T, typeOfAlias } from '../bson/types.ts'
import { arrayItems, isTruthy, numberIn, regexIn, stringIn } from '../bson/values.ts'
import { badValue, CommandError, failedToParse, notSupported, typeMismatch } from '../errors.ts'
import { EVERYTHING, type Filter, type Test } from './filter.ts'
import { type Path, parsePath } from './path.ts'
import { compilePattern, type Pattern, patternOf } from './regex.ts'

const NOT_SERVED = new Set([
  '$where',
  '$text',
  '$jsonSchema',
  '$geoWithin',
  '$geoIntersects',
  '$near',
  '$nearSphere',
  '$within',
  '$geoNear',
  '$sampleRate',
  '$_internalSchemaObjectMatch',
])

/** Parses a filter document. What is not known is refused by name. */
export function parseFilter(document: RawValue): Filter {
  const filters: Filter[] = []
  for (const { name, value } of fieldsOf(document)) {
    if (name.startsWith('$')) {
      const parsed = parseTopLevel(name, value)
      if (parsed) filters.push(parsed)
    } else filters.push(...parseField(name, parsePath(name), value))
  }
  return filters.length === 1 && filters[0] ? filters[0] : { kind: 'and', filters }
}

function parseTopLevel(name: string, value: RawValue): Filter | undefined {
  switch (name) {
    case '$and':
    case '$or':
    case '$nor': {
      const items = arrayItems(value)
      if (!items) throw badValue(`${name} must be an array`)
      if (items.length === 0) throw badValue('$and/$or/$nor must be a nonempty array')
      const filters = items.map((item) => {
        if (item.type !== T.object) throw badValue(`$or/$and/$nor entries need to be full objects`)
        return parseFilter(item)
      })
      return { kind: name.slice(1) as 'and' | 'or' | 'nor', filters }
    }
    case '$expr':
      return { kind: 'expr', expression: value }
    case '$comment':
      return undefined
    case '$alwaysTrue':
      return { kind: 'constant', value: true }
    case '$alwaysFalse':
      return { kind: 'constant', value: false }
    default:
      if (NOT_SERVED.has(name)) throw notSupported(name)
      throw badValue(
        `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
      )
  }
}

const isOperatorDocument = (value: RawValue): boolean =>
  value.type === T.object &&
  value.end - value.start > 5 &&
  value.bytes[value.start + 5] === 0x24 &&
  !isReference(value)

/** `{ $ref, $id }` is a value, not an operator. */
const isReference = (value: RawValue): boolean => {
  const first = fieldsOf(value)[0]?.name
  return first === '$ref' || first === '$id' || first === '$db'
}

function parseField(field: string, path: Path, value: RawValue): Filter[] {
  const leaf = (test: Test): Filter => ({ kind: 'leaf', field, path, test })
  if (value.type === T.regex) {
    const { pattern, options } = regexIn(value)
    return [leaf({ op: 'regex', pattern: compilePattern(pattern, options) })]
  }
  if (value.type === T.undefined) throw badValue('cannot compare to undefined')
  if (!isOperatorDocument(value)) return [leaf({ op: 'eq', value })]
  return parseOperators(field, path, fieldsOf(value))
}

function parseOperators(field: string, path: Path, operators: Field[]): Filter[] {
  const parsed: Filter[] = []
  for (const { name, value } of operators) {
    if (name === '$options') {
      if (!operators.some((other) => other.name === '$regex')) throw badValue('$options needs a $regex')
      continue
    }
    parsed.push(...parseOperator(field, path, name, value, operators))
  }
  return parsed
}

function parseOperator(field: string, path: Path, name: string, value: RawValue, all: Field[]): Filter[] {
  const leaf = (test: Test): Filter => ({ kind: 'leaf', field, path, test })
  const not = (filter: Filter): Filter => ({ kind: 'not', filter })
  switch (name) {
    case '$eq':
      return [leaf({ op: 'eq', value })]
    case '$ne':
      if (value.type === T.regex) throw badValue("Can't have regex as arg to $ne.")
      return [not(leaf({ op: 'eq', value }))]
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (value.type === T.regex)
        throw badValue(`Can't have RegEx as arg to predicate over field '${field}'.`)
      return [leaf({ op: name.slice(1) as 'gt' | 'gte' | 'lt' | 'lte', value })]
    case '$in':
      return [leaf(parseIn(name, value))]
    case '$nin':
      return [not(leaf(parseIn(name, value)))]
    case '$exists':
      return isTruthy(value) ? [leaf({ op: 'exists' })] : [not(leaf({ op: 'exists' }))]
    case '$regex':
      return [leaf({ op: 'regex', pattern: parseRegex(value, all) })]
    case '$type':
      return [leaf({ op: 'type', types: parseTypes(value) })]
    case '$size':
      return [leaf({ op: 'size', size: parseSize(value) })]
    case '$mod':
      return [leaf(parseMod(value))]
    case '$not':
      return [not(parseNot(field, path, value))]
    case '$all':
      return [parseAll(field, path, value)]
    case '$elemMatch':
      return [leaf(parseElemMatch(value))]
    case '$bitsAllSet':
    case '$bitsAllClear':
    case '$bitsAnySet':
    case '$bitsAnyClear':
      return [leaf(parseBits(name, value))]
    case '$comment':
      return []
    default:
      if (NOT_SERVED.has(name)) throw notSupported(name)
      throw badValue(`unknown operator: ${name}`)
  }
}

function parseIn(name: string, value: RawValue): Test {
  const items = arrayItems(value)
  if (!items) throw badValue(`${name} needs an array`)
  const patterns: Pattern[] = []
  for (const item of items) {
    if (item.type === T.regex) {
      const { pattern, options } = regexIn(item)
      patterns.push(compilePattern(pattern, options))
    } else if (isOperatorDocument(item)) throw badValue(`cannot nest $ under ${name}`)
  }
  return { op: 'in', values: items, patterns }
}

function parseRegex(value: RawValue, all: Field[]): Pattern {
  const options = all.find((other) => other.name === '$options')?.value
  if (options && options.type !== T.string) throw badValue('$options has to be a string')
  return patternOf(value, options && stringIn(options))
}

function parseTypes(value: RawValue): ReadonlySet<number> {
  const items = arrayItems(value) ?? [value]
  if (items.length === 0) throw failedToParse('a must match at least one type')
  const types = new Set<number>()
  for (const item of items) {
    if (item.type === T.string) {
      const alias = stringIn(item)
      if (alias === 'number') for (const type of [T.double, T.int, T.long, T.decimal]) types.add(type)
      else {
        const type = typeOfAlias(alias)
        if (type === undefined) throw badValue(`Unknown type name alias: ${alias}`)
        types.add(type)
      }
    } else if (isNumberType(item.type) && item.type !== T.decimal) {
      const number = Number(numberIn(item))
      const type = number === -1 ? T.minKey : number
      if (!((type >= 1 && type <= 19) || type === T.maxKey || type === T.minKey)) {
        throw badValue(`Invalid numerical type code: ${number}`)
      }
      types.add(type)
    } else throw typeMismatch('type must be represented as a number or a string')
  }
  return types
}

function parseSize(value: RawValue): number {
  if (!isNumberType(value.type) || value.type === T.decimal) {
    throw badValue('Failed to parse $size. Expected a number in: $size')
  }
  const size = Number(numberIn(value))
  if (!Number.isInteger(size)) throw badValue(`Failed to parse $size. Expected an integer: $size: ${size}`)
  if (size < 0) throw badValue(`Failed to parse $size. Expected a non-negative number in: $size: ${size}`)
  return size
}

function parseMod(value: RawValue): Test {
  const items = arrayItems(value)
  if (!items) throw badValue('malformed mod, needs to be an array')
  if (items.length < 2) throw badValue('malformed mod, not enough elements')
  if (items.length > 2) throw badValue('malformed mod, too many elements')
  const [divisor, remainder] = items.map((item) => {
    const number = isNumberType(item.type) && item.type !== T.decimal ? Number(numberIn(item)) : Number.NaN
    if (!Number.isFinite(number)) throw badValue('malformed mod, divisor and remainder must be numbers')
    return BigInt(Math.trunc(number))
  })
  if (divisor === undefined || remainder === undefined) throw badValue('malformed mod, not enough elements')
  if (divisor === 0n) throw badValue('divisor cannot be 0')
  return { op: 'mod', divisor, remainder }
}

function parseNot(field: string, path: Path, value: RawValue): Filter {
  if (value.type === T.regex) return { kind: 'and', filters: parseField(field, path, value) }
  if (value.type !== T.object) throw badValue('$not needs a regex or a document')
  const operators = fieldsOf(value)
  if (operators.length === 0) throw badValue('$not cannot be empty')
  for (const { name } of operators) if (!name.startsWith('$')) throw badValue(`unknown operator: ${name}`)
  return { kind: 'and', filters: parseOperators(field, path, operators) }
}

function parseAll(field: string, path: Path, value: RawValue): Filter {
  const items = arrayItems(value)
  if (!items) throw badValue('$all needs an array')
  if (items.length === 0) return { kind: 'constant', value: false }
  const filters = items.map((item): Filter => {
    const first = item.type === T.object ? fieldsOf(item)[0] : undefined
    if (first?.name === '$elemMatch') {
      return { kind: 'leaf', field, path, test: parseElemMatch(first.value) }
    }
    if (first?.name.startsWith('$')) throw badValue('no $ expressions in $all')
    if (item.type === T.regex) {
      const { pattern, options } = regexIn(item)
      return { kind: 'leaf', field, path, test: { op: 'regex', pattern: compilePattern(pattern, options) } }
    }
    return { kind: 'leaf', field, path, test: { op: 'eq', value: item } }
  })
  return { kind: 'and', filters }
}

const LOGICAL = new Set(['$and', '$or', '$nor', '$expr', '$where', '$comment'])

function parseElemMatch(value: RawValue): Test {
  if (value.type !== T.object) throw badValue('$elemMatch needs an Object')
  const operators = fieldsOf(value)
  const first = operators[0]
  if (!first) return { op: 'elemMatch', filter: EVERYTHING, ofValues: false }
  if (isOperatorDocument(value) && !LOGICAL.has(first.name)) {
    const filters = parseOperators('', [], operators)
    return { op: 'elemMatch', filter: { kind: 'and', filters }, ofValues: true }
  }
  return { op: 'elemMatch', filter: parseFilter(value), ofValues: false }
}

function parseBits(name: string, value: RawValue): Test {
  const mode = name.includes('All') ? 'all' : 'any'
  return { op: 'bits', mode, set: name.endsWith('Set'), mask: parseMask(name, value) }
}

function parseMask(name: string, value: RawValue): bigint {
  if (value.type === T.array) {
    let mask = 0n
    for (const item of itemsOf(value)) {
      const position = isNumberType(item.type) && item.type !== T.decimal ? Number(numberIn(item)) : -1
      if (!Number.isInteger(position) || position < 0) {
        throw badValue(`Failed to parse bit position. Expected a non-negative number in: ${name}`)
      }
      mask |= 1n << BigInt(Math.min(position, 63))
    }
    return mask
  }
  if (value.type === T.binary) {
    const bits = bytesOf(value).subarray(5)
    return bits.reduceRight((mask, byte) => (mask << 8n) | BigInt(byte), 0n)
  }
  if (!isNumberType(value.type) || value.type === T.decimal) {
    throw badValue(`${name} takes an Array, a number, or a BinData but received something else`)
  }
  const number = Number(numberIn(value))
  if (!Number.isInteger(number)) throw failedToParse(`Expected an integer: ${name}: ${number}`)
  if (number < 0) throw failedToParse(`Expected a non-negative number in: ${name}: ${number}`)
  return BigInt(numberIn(value))
}

/** Whether some leaf of the filter passes the test. */
export function someLeaf(filter: Filter, wanted: (field: string, test: Test) => boolean): boolean {
  switch (filter.kind) {
    case 'leaf':
      return wanted(filter.field, filter.test)
    case 'not':
      return someLeaf(filter.filter, wanted)
    case 'and':
    case 'or':
    case 'nor':
      return filter.filters.some((part) => someLeaf(part, wanted))
    default:
      return false
  }
}

/** The message for a collation, which the store does not honour beyond byte order. */
export function refuseCollation(value: RawValue | undefined): void {
  if (value === undefined) return
  const locale =
    value.type === T.object ? fieldsOf(value).find((field) => field.name === 'locale') : undefined
  if (locale && locale.value.type === T.string && stringIn(locale.value) === 'simple') return
  throw new CommandError(
    238,
    'collation is not supported by the embedded store; only { locale: "simple" } is',
  )
}
