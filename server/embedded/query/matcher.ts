import { compareValues, equalValues } from '../bson/compare.ts'
import { decode } from '../bson/plain.ts'
import { itemsOf, NULL, type RawValue } from '../bson/raw.ts'
import { isNumberType, T, typeRank } from '../bson/types.ts'
import { numberIn, regexIn, stringIn } from '../bson/values.ts'
import { keyOf } from '../indexes/key-encoding.ts'
import type { Filter, Test } from './filter.ts'
import { anyAtPath, type LeafTest, type MatchTrace } from './path.ts'
import type { Pattern } from './regex.ts'

/** Whether a document passes; the trace, when given, learns which array item decided. */
export type Matcher = (document: RawValue, trace?: MatchTrace) => boolean

/** Turns `$expr` into a test; given from outside, as only some filters need the expression language. */
export type ExpressionCompiler = (expression: RawValue) => Matcher

/** Compiles a filter into a function. */
export function compileFilter(filter: Filter, compileExpression: ExpressionCompiler): Matcher {
  switch (filter.kind) {
    case 'constant':
      return () => filter.value
    case 'expr':
      return compileExpression(filter.expression)
    case 'not': {
      const inner = compileFilter(filter.filter, compileExpression)
      return (document) => !inner(document)
    }
    case 'and': {
      const all = filter.filters.map((part) => compileFilter(part, compileExpression))
      return (document, trace) => {
        for (const matches of all) if (!matches(document, trace)) return false
        return true
      }
    }
    case 'or':
    case 'nor': {
      const any = filter.filters.map((part) => compileFilter(part, compileExpression))
      const wanted = filter.kind === 'or'
      return (document, trace) =>
        any.some((matches) => matches(document, wanted ? trace : undefined)) === wanted
    }
    case 'leaf': {
      const { path, test } = filter
      const leaf = compileLeaf(test, compileExpression, path.length > 0)
      return (document, trace) => anyAtPath(document, path, 0, leaf, trace)
    }
  }
}

/** Whether an array's item passes what `$pull`, `$elemMatch` or an array filter ask of values. */
export function compileLeaf(test: Test, compileExpression: ExpressionCompiler, intoArrays = true): LeafTest {
  switch (test.op) {
    case 'size':
      return (value) => value?.type === T.array && itemsOf(value).length === test.size
    case 'exists':
      return (value) => value !== undefined
    case 'elemMatch':
      return compileElemMatch(test, compileExpression)
    default:
      return intoArrays ? throughArray(compileTest(test)) : compileTest(test)
  }
}

/** A value passes by itself, or one of its items does when it is an array. */
function throughArray(test: (value: RawValue | undefined) => boolean): LeafTest {
  return (value, trace, whole) => {
    if (value?.type === T.array && !whole) {
      const items = itemsOf(value)
      for (let i = 0; i < items.length; i++) {
        if (test(items[i])) {
          if (trace) trace.index = i
          return true
        }
      }
    }
    return test(value)
  }
}

function compileElemMatch(test: Test & { op: 'elemMatch' }, compileExpression: ExpressionCompiler): LeafTest {
  const matches = compileFilter(test.filter, compileExpression)
  return (value, trace) => {
    if (value?.type !== T.array) return false
    const items = itemsOf(value)
    for (let i = 0; i < items.length; i++) {
      const item = items[i]
      if (!item) break
      if (!test.ofValues && item.type !== T.object && item.type !== T.array) continue
      if (matches(item)) {
        if (trace) trace.index = i
        return true
      }
    }
    return false
  }
}

const isNullish = (value: RawValue | undefined): boolean =>
  value === undefined || value.type === T.null || value.type === T.undefined

const isNaNValue = (value: RawValue): boolean =>
  value.type === T.double && Number.isNaN(value.bytes.readDoubleLE(value.start))

function compileTest(test: Test): (value: RawValue | undefined) => boolean {
  switch (test.op) {
    case 'eq':
      return compileEquality(test.value)
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return compileRange(test.op, test.value)
    case 'in':
      return compileIn(test.values, test.patterns)
    case 'regex':
      return (value) => matchesPattern(value, test.pattern)
    case 'type':
      return (value) => value !== undefined && test.types.has(value.type)
    case 'mod':
      return (value) => value !== undefined && hasRemainder(value, test.divisor, test.remainder)
    case 'bits':
      return (value) => value !== undefined && hasBits(value, test.mode, test.set, test.mask)
    default:
      return () => false
  }
}

function compileEquality(wanted: RawValue): (value: RawValue | undefined) => boolean {
  if (isNullish(wanted)) return isNullish
  return (value) => value !== undefined && equalValues(value, wanted)
}

function compileRange(
  op: 'gt' | 'gte' | 'lt' | 'lte',
  bound: RawValue,
): (value: RawValue | undefined) => boolean {
  const orEqual = op.endsWith('e')
  if (isNullish(bound)) return orEqual ? isNullish : () => false
  const acrossTypes = bound.type === T.minKey || bound.type === T.maxKey
  const rank = typeRank(bound.type)
  const greater = op.startsWith('g')
  return (candidate) => {
    const value = candidate ?? (acrossTypes ? NULL : undefined)
    if (value === undefined) return false
    if (!acrossTypes && typeRank(value.type) !== rank) return false
    if (rank === 10 && (isNaNValue(value) || isNaNValue(bound))) {
      return orEqual && isNaNValue(value) && isNaNValue(bound)
    }
    const order = compareValues(value, bound)
    return order === 0 ? orEqual : greater ? order > 0 : order < 0
  }
}

function compileIn(
  values: readonly RawValue[],
  patterns: readonly Pattern[],
): (value: RawValue | undefined) => boolean {
  const withNull = values.some(isNullish)
  const matchesSome = (value: RawValue) => patterns.some((pattern) => matchesPattern(value, pattern))
  if (values.length <= 8) {
    return (value) =>
      isNullish(value)
        ? withNull
        : value !== undefined && (values.some((wanted) => equalValues(value, wanted)) || matchesSome(value))
  }
  const keys = new Set(values.map((value) => keyOf(value).toString('latin1')))
  return (value) =>
    isNullish(value)
      ? withNull
      : value !== undefined && (keys.has(keyOf(value).toString('latin1')) || matchesSome(value))
}

function matchesPattern(value: RawValue | undefined, pattern: Pattern): boolean {
  if (value === undefined) return false
  if (value.type === T.string || value.type === T.symbol) return pattern.test(stringIn(value))
  if (value.type !== T.regex) return false
  const own = regexIn(value)
  return own.pattern === pattern.source && own.options === pattern.options
}

function wholeNumber(value: RawValue): bigint | undefined {
  if (!isNumberType(value.type)) return undefined
  const number = value.type === T.decimal ? Number(String(decode(value))) : numberIn(value)
  if (typeof number === 'bigint') return number
  return Number.isFinite(number) ? BigInt(Math.trunc(number)) : undefined
}

function hasRemainder(value: RawValue, divisor: bigint, remainder: bigint): boolean {
  const number = wholeNumber(value)
  return number !== undefined && number % divisor === remainder
}

function hasBits(value: RawValue, mode: 'all' | 'any', set: boolean, mask: bigint): boolean {
  let bits: bigint
  if (value.type === T.binary) {
    bits = value.bytes
      .subarray(value.start + 5, value.end)
      .reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  } else {
    const number = wholeNumber(value)
    if (number === undefined || (value.type === T.double && !Number.isInteger(numberIn(value)))) return false
    bits = number < 0n ? BigInt.asUintN(64, number) : number
  }
  const chosen = (set ? bits : ~bits) & mask
  return mode === 'all' ? chosen === mask : chosen !== 0n
}
