import { isDeepStrictEqual } from 'node:util'
import { Double, Int32, Long } from 'mongodb'

type Doc = Record<string, unknown>

const isDocument = (value: unknown): value is Doc =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

const plain = (value: unknown): unknown =>
  value instanceof Int32 || value instanceof Double
    ? value.valueOf()
    : value instanceof Long
      ? value.toNumber()
      : typeof value === 'bigint'
        ? Number(value)
        : value

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  int: (value) => typeof plain(value) === 'number',
  long: (value) => value instanceof Long || typeof plain(value) === 'number',
  double: (value) => typeof plain(value) === 'number',
  object: isDocument,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
}

/**
 * Where a value is not what the unified test format expects, or nothing. At the root a document may have more
 * fields than are expected.
 */
export function mismatch(actual: unknown, expected: unknown, isRoot = true, path = 'it'): string | undefined {
  if (isDocument(expected)) {
    const special = Object.keys(expected)[0]
    if (special?.startsWith('$$')) return specialMismatch(actual, special, expected[special], isRoot, path)
    if (typeof actual !== 'object' || actual === null) return `${path} is no document: ${show(actual)}`
    return documentMismatch(actual as Doc, expected, isRoot, path)
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return `${path} is no list: ${show(actual)}`
    if (actual.length !== expected.length)
      return `${path} has ${actual.length} items, not ${expected.length}: ${show(actual)}`
    return first(expected.map((item, i) => mismatch(actual[i], item, isRoot, `${path}[${i}]`)))
  }
  return isDeepStrictEqual(plain(actual), plain(expected))
    ? undefined
    : `${path} is ${show(actual)}, not ${show(expected)}`
}

function documentMismatch(actual: Doc, expected: Doc, isRoot: boolean, path: string): string | undefined {
  if (!isRoot) {
    const extra = Object.keys(actual).find((name) => actual[name] !== undefined && !(name in expected))
    if (extra !== undefined) return `${path} has an unexpected field ${extra}: ${show(actual)}`
  }
  return first(
    Object.entries(expected).map(([name, value]) => mismatch(actual[name], value, false, `${path}.${name}`)),
  )
}

function specialMismatch(
  actual: unknown,
  name: string,
  operand: unknown,
  isRoot: boolean,
  path: string,
): string | undefined {
  const isSet = actual !== undefined && actual !== null
  switch (name) {
    case '$$exists':
      return isSet === operand ? undefined : `${path} ${isSet ? 'is' : 'is not'} there`
    case '$$unsetOrMatches':
      return isSet ? mismatch(actual, operand, isRoot, path) : undefined
    case '$$type': {
      const types = Array.isArray(operand) ? operand.map(String) : [String(operand)]
      return types.some((type) => TYPES[type]?.(actual)) ? undefined : `${path} is no ${types.join(' or ')}`
    }
    default:
      throw new Error(`the unified test format's ${name} is not known to this runner`)
  }
}

const first = (found: readonly (string | undefined)[]): string | undefined =>
  found.find((each) => each !== undefined)
const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? 'undefined'
