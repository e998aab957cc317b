import { bytesOf, documentFrom, documentOf, fieldsOf, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { boolIn, longValue, stringIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { parsePath, valueAt } from '../../query/path.ts'
import { typeOf } from '../expressions/expression.ts'
import { splitPath } from '../expressions/field-path.ts'
import { perDocument, type Transform } from './stage.ts'

interface Unwind {
  readonly path: string[]
  readonly index: string[] | undefined
  readonly preserve: boolean
}

/** Compiles `$unwind`. */
export function compileUnwind(operand: RawValue): Transform {
  const { path, index, preserve } = parse(operand)
  const parsed = parsePath(path.join('.'))
  return perDocument((bytes) => {
    const value = valueAt(documentOf(bytes), parsed)
    if (value?.type === T.array) {
      const items = itemsOf(value)
      if (items.length > 0) return unwound(bytes, path, index, items)
      if (!preserve) return undefined
      const without = withValue(bytes, path, undefined)
      return index ? withValue(without, index, NULL) : without
    }
    const isNothing = value === undefined || value.type === T.null || value.type === T.undefined
    if (isNothing && !preserve) return undefined
    return index ? withValue(bytes, index, NULL) : bytes
  })
}

function* unwound(
  bytes: Buffer,
  path: readonly string[],
  index: readonly string[] | undefined,
  items: readonly RawValue[],
): Iterable<Buffer> {
  for (let i = 0; i < items.length; i++) {
    const one = withValue(bytes, path, items[i])
    yield index ? withValue(one, index, longValue(BigInt(i))) : one
  }
}

function parse(operand: RawValue): Unwind {
  if (operand.type === T.string) return { path: pathIn(operand), index: undefined, preserve: false }
  if (operand.type !== T.object) {
    throw new CommandError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeOf(operand)}`,
    )
  }
  let path: string[] | undefined
  let index: string[] | undefined
  let preserve = false
  for (const { name, value } of fieldsOf(operand)) {
    switch (name) {
      case 'path':
        if (value.type !== T.string)
          throw new CommandError(
            28808,
            `expected a string as the path for $unwind stage, got ${typeOf(value)}`,
          )
        path = pathIn(value)
        break
      case 'preserveNullAndEmptyArrays':
        if (value.type !== T.bool)
          throw new CommandError(
            28809,
            `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeOf(value)}`,
          )
        preserve = boolIn(value)
        break
      case 'includeArrayIndex':
        if (value.type !== T.string || stringIn(value) === '')
          throw new CommandError(
            28810,
            'expected a non-empty string for the includeArrayIndex  option to $unwind stage',
          )
        if (stringIn(value).startsWith('$'))
          throw new CommandError(
            28822,
            'includeArrayIndex option to $unwind stage should not be prefixed with a $',
          )
        index = splitPath(stringIn(value))
        break
      default:
        throw new CommandError(28811, `unrecognized option to $unwind stage: ${name}`)
    }
  }
  if (!path) throw new CommandError(28812, 'no path specified to $unwind stage')
  return { path, index, preserve }
}

function pathIn(value: RawValue): string[] {
  const text = stringIn(value)
  if (text === '') throw new CommandError(28812, 'no path specified to $unwind stage')
  if (!text.startsWith('$'))
    throw new CommandError(28818, `path option to $unwind stage should be prefixed with a '$': ${text}`)
  return splitPath(text.slice(1))
}

/** A copy with another value at a path; undefined takes it away. What is no document on the way gives way. */
export function withValue(bytes: Buffer, path: readonly string[], value: RawValue | undefined): Buffer {
  const [name = '', ...rest] = path
  const fields = new Map(fieldsOf(documentOf(bytes)).map((field) => [field.name, field.value]))
  if (rest.length > 0) {
    const child = fields.get(name)
    const below = child?.type === T.object ? bytesOf(child) : documentFrom([])
    fields.set(name, documentOf(withValue(below, rest, value)))
  } else if (value === undefined) fields.delete(name)
  else fields.set(name, value)
  return documentFrom([...fields].map(([field, each]) => ({ name: field, value: each })))
}
