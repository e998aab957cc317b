import { equalValues } from '../bson/compare.ts'
import { bytesOf, documentFrom, documentOf, type Field, fieldsOf, get, RawValue } from '../bson/raw.ts'
import { isNumberType, T } from '../bson/types.ts'
import { intValue, isTruthy, numberIn, stringIn, stringValue } from '../bson/values.ts'
import { badValue, CommandError, typeMismatch } from '../errors.ts'
import type { Filter } from '../query/filter.ts'
import { compileFilter, type Matcher } from '../query/matcher.ts'
import { parseFilter, refuseCollation } from '../query/parse-filter.ts'
import { type Path, parsePath } from '../query/path.ts'
import { describeValue } from '../storage/describe-value.ts'

/** One field of an index. */
export interface IndexField {
  readonly name: string
  readonly path: Path
  readonly descending: boolean
}

/** Which documents a partial index holds. */
export interface PartialFilter {
  readonly document: RawValue
  readonly filter: Filter
  readonly matches: Matcher
}

/** What an index is; `multikey` and `building` change while it lives. */
export interface Index {
  readonly id: number
  readonly name: string
  readonly fields: readonly IndexField[]
  readonly unique: boolean
  readonly sparse: boolean
  readonly hashed: boolean
  readonly partial: PartialFilter | undefined
  expireAfterSeconds: number | undefined
  /** The specification as `listIndexes` answers it. */
  specification: Buffer
  /** The fields that some document reached through an array (`multikey.ts`). */
  multikey: ReadonlySet<number>
  /** An index that is being built is kept up to date, and not read. */
  building: boolean
  /** The first names of the paths that decide what the index holds of a document. */
  readonly roots: ReadonlySet<string>
}

const KNOWN_OPTIONS = new Set([
  'v',
  'key',
  'name',
  'ns',
  'unique',
  'sparse',
  'background',
  'expireAfterSeconds',
  'partialFilterExpression',
  'collation',
  'hidden',
  'dropDups',
  'clustered',
])

/** The index on `_id`, which every collection has: the documents themselves are in its order. */
export const ID_INDEX_SPECIFICATION = documentFrom([
  { name: 'v', value: intValue(2) },
  { name: 'key', value: new RawValue(T.object, documentFrom([{ name: '_id', value: intValue(1) }]), 0, 14) },
  { name: 'name', value: stringValue('_id_') },
])

/** Reads an index specification, as a client gave it or as it is stored. */
export function parseIndex(id: number, specification: RawValue): Index {
  const fields = fieldsOf(specification)
  for (const { name } of fields) {
    if (!KNOWN_OPTIONS.has(name)) {
      throw new CommandError(
        197,
        `The field '${name}' is not valid for an index specification. Specification: the option is not supported`,
      )
    }
  }
  const key = get(specification, 'key')
  if (key?.type !== T.object)
    throw new CommandError(9, "The 'key' field is a required property of an index specification")
  const indexFields = parseIndexKey(key)
  const name = get(specification, 'name')
  if (name && name.type !== T.string) throw typeMismatch("The field 'name' must be a string")
  const hidden = get(specification, 'hidden')
  if (hidden && isTruthy(hidden))
    throw new CommandError(238, 'hidden indexes are not supported by the embedded store')
  refuseCollation(get(specification, 'collation'))
  const partial = parsePartial(get(specification, 'partialFilterExpression'))
  const sparse = flag(specification, 'sparse')
  if (partial && sparse)
    throw new CommandError(67, 'cannot mix "partialFilterExpression" and "sparse" options')
  const expireAfterSeconds = parseExpiry(get(specification, 'expireAfterSeconds'), indexFields)
  const indexName = name ? stringIn(name) : defaultName(key)
  if (indexName === '') throw new CommandError(67, 'index names cannot be empty')
  return {
    id,
    name: indexName,
    fields: indexFields,
    unique: flag(specification, 'unique'),
    sparse,
    hashed: fieldsOf(key).some((field) => field.value.type === T.string),
    partial,
    expireAfterSeconds,
    specification: normalized(specification, key, indexName),
    multikey: new Set(),
    building: false,
    roots: new Set([
      ...indexFields.map((field) => root(field.name)),
      ...(partial ? rootsOf(partial.filter) : []),
    ]),
  }
}

const root = (path: string): string => path.split('.', 1)[0] ?? path

function rootsOf(filter: Filter): string[] {
  switch (filter.kind) {
    case 'leaf':
      return [root(filter.field)]
    case 'and':
    case 'or':
    case 'nor':
      return filter.filters.flatMap(rootsOf)
    case 'not':
      return rootsOf(filter.filter)
    default:
      return []
  }
}

function flag(specification: RawValue, name: string): boolean {
  const value = get(specification, name)
  if (value && value.type !== T.bool && !isNumberType(value.type)) {
    throw typeMismatch(`The field '${name}' has value of an unexpected type; it must be a boolean`)
  }
  return value !== undefined && isTruthy(value)
}

function parseIndexKey(key: RawValue): IndexField[] {
  const fields = fieldsOf(key)
  if (fields.length === 0) throw new CommandError(67, 'Index keys cannot be empty.')
  if (fields.length > 32) throw new CommandError(67, 'Index key pattern has more than 32 fields')
  return fields.map(({ name, value }) => {
    if (name === '') throw new CommandError(67, 'Index keys cannot be an empty field.')
    if (name.includes('$')) {
      throw name.includes('$**')
        ? new CommandError(67, 'wildcard indexes are not supported by the embedded store')
        : new CommandError(67, `Index key contains an illegal field name: field name starts with '$'.`)
    }
    if (name.split('.').includes('')) throw new CommandError(67, 'Index keys cannot contain an empty field.')
    return { name, path: parsePath(name), descending: isDescending(name, value) }
  })
}

function isDescending(name: string, value: RawValue): boolean {
  if (value.type === T.string) {
    const kind = stringIn(value)
    if (kind === 'hashed') return false
    throw new CommandError(
      67,
      `Unknown index plugin '${kind}': the embedded store has no such index (${name})`,
    )
  }
  const number = isNumberType(value.type) && value.type !== T.decimal ? Number(numberIn(value)) : 0
  if (number === 0 || Number.isNaN(number)) {
    throw new CommandError(
      67,
      `Values in v:2 index key pattern must be a number other than 0 or a string: ${name}`,
    )
  }
  return number < 0
}

function defaultName(key: RawValue): string {
  return fieldsOf(key)
    .map(
      ({ name, value }) => `${name}_${value.type === T.string ? stringIn(value) : Number(numberIn(value))}`,
    )
    .join('_')
}

const noExpressions = () => {
  throw new CommandError(67, 'Expression not supported in partial index: $expr')
}

function parsePartial(document: RawValue | undefined): PartialFilter | undefined {
  if (!document) return undefined
  if (document.type !== T.object) throw typeMismatch("The field 'partialFilterExpression' must be an object")
  const kept = Buffer.from(bytesOf(document))
  const filter = parseFilter(documentOf(kept))
  refusePartial(filter)
  return { document: documentOf(kept), filter, matches: compileFilter(filter, noExpressions) }
}

function refusePartial(filter: Filter): void {
  const allowed = new Set(['eq', 'gt', 'gte', 'lt', 'lte', 'exists', 'type', 'in'])
  if (filter.kind === 'leaf') {
    if (!allowed.has(filter.test.op))
      throw new CommandError(67, `Expression not supported in partial index: $${filter.test.op}`)
  } else if (filter.kind === 'and' || filter.kind === 'or') filter.filters.forEach(refusePartial)
  else if (filter.kind !== 'constant') {
    throw new CommandError(67, `Expression not supported in partial index: $${filter.kind}`)
  }
}

function parseExpiry(value: RawValue | undefined, fields: readonly IndexField[]): number | undefined {
  if (!value) return undefined
  if (!isNumberType(value.type) || value.type === T.decimal) {
    throw new CommandError(67, "TTL index 'expireAfterSeconds' option must be numeric")
  }
  const seconds = Number(numberIn(value))
  if (!(seconds >= 0 && seconds <= 2147483647)) {
    throw new CommandError(67, "TTL index 'expireAfterSeconds' option must be within an acceptable range")
  }
  if (fields.length > 1)
    throw new CommandError(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL.')
  if (fields[0]?.name === '_id')
    throw new CommandError(197, "The field 'expireAfterSeconds' is not valid for an _id index specification")
  return seconds
}

/** As MongoDB lists it: version, key, name, then the options that were given. */
function normalized(specification: RawValue, key: RawValue, name: string): Buffer {
  const fields: Field[] = [
    { name: 'v', value: intValue(2) },
    { name: 'key', value: key },
    { name: 'name', value: stringValue(name) },
  ]
  for (const field of fieldsOf(specification)) {
    if (['v', 'key', 'name', 'ns', 'background', 'dropDups', 'hidden'].includes(field.name)) continue
    if (field.value.type === T.bool && !isTruthy(field.value)) continue
    fields.push(field)
  }
  return documentFrom(fields)
}

/** The specification with another time to live. */
export function withExpiry(specification: Buffer, seconds: number): Buffer {
  const fields = fieldsOf(documentOf(specification)).filter((field) => field.name !== 'expireAfterSeconds')
  return documentFrom([...fields, { name: 'expireAfterSeconds', value: intValue(seconds) }])
}

/** Whether a new index is the one there is (true), a different one (false), or clashes with it (an error). */
export function isSameIndex(existing: Index, wanted: Index): boolean {
  const a = documentOf(existing.specification)
  const b = documentOf(wanted.specification)
  const same =
    sameField(a, b, 'key') &&
    sameField(a, b, 'partialFilterExpression') &&
    existing.unique === wanted.unique &&
    existing.sparse === wanted.sparse
  const sameName = existing.name === wanted.name
  if (!same) {
    if (!sameName) return false
    throw new CommandError(
      86,
      `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${describeValue(b)}, existing index: ${describeValue(a)}`,
    )
  }
  if (!sameName) throw new CommandError(85, `Index already exists with a different name: ${existing.name}`)
  if (existing.expireAfterSeconds !== wanted.expireAfterSeconds) {
    throw new CommandError(
      85,
      `An equivalent index already exists with the same name but different options. Requested index: ${describeValue(b)}, existing index: ${describeValue(a)}`,
    )
  }
  return true
}

function sameField(a: RawValue, b: RawValue, name: string): boolean {
  const left = get(a, name)
  const right = get(b, name)
  return left && right ? equalValues(left, right) : left === right
}

/** Reads `{ name: 'x_1' }` or a key document that names an index. */
export function namesIndex(index: Index, hint: RawValue): boolean {
  if (hint.type === T.string) return index.name === stringIn(hint)
  if (hint.type !== T.object) throw badValue('hint must be a string or an object')
  const key = get(documentOf(index.specification), 'key')
  return key !== undefined && equalValues(key, hint)
}
