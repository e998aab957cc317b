import { Context, evalExpr } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import * as pipeline from 'mingo/operators/pipeline'
import * as projections from 'mingo/operators/projection'
import * as queries from 'mingo/operators/query'
import * as windows from 'mingo/operators/window'
import type { AnyObject, Options } from 'mingo/types'
import { encode } from '../bson/plain.ts'
import { CommandError, typeMismatch } from '../errors.ts'
import { keyOf } from '../indexes/key-encoding.ts'
import { combine, comparePlain, isMissing, isNumeric } from './numbers.ts'

/*
 * mingo evaluates expressions as JavaScript sees values. Where MongoDB sees them otherwise (the order of types,
 * decimals and longs, missing values), its operators are replaced here.
 */

type Operator = (document: unknown, expression: unknown, options: Options) => unknown

const pair = (document: unknown, expression: unknown, options: Options, name: string): [unknown, unknown] => {
  if (!Array.isArray(expression) || expression.length !== 2) {
    throw new CommandError(16020, `Expression ${name} takes exactly 2 arguments.`)
  }
  return [evalExpr(document, expression[0], options), evalExpr(document, expression[1], options)]
}

const comparison =
  (name: string, test: (order: number) => unknown): Operator =>
  (document, expression, options) =>
    test(comparePlain(...pair(document, expression, options, name)))

const list = (document: unknown, expression: unknown, options: Options): unknown[] => {
  const value = Array.isArray(expression)
    ? expression.map((each) => evalExpr(document, each, options))
    : evalExpr(document, expression, options)
  return Array.isArray(value) ? value : [value]
}

function arithmetic(name: '$add' | '$multiply'): Operator {
  return (document, expression, options) => {
    let date: Date | undefined
    let result: unknown = name === '$add' ? 0 : 1
    for (const value of list(document, expression, options)) {
      if (isMissing(value)) return null
      if (name === '$add' && value instanceof Date) {
        if (date) throw new CommandError(16612, 'only one date allowed in an $add expression')
        date = value
      } else if (isNumeric(value)) result = combine(name === '$add' ? 'add' : 'multiply', result, value)
      else throw typeMismatch(`${name} only supports numeric${name === '$add' ? ' or date' : ''} types`)
    }
    return date ? new Date(date.getTime() + Number(String(result))) : result
  }
}

const subtract: Operator = (document, expression, options) => {
  const [left, right] = pair(document, expression, options, '$subtract')
  if (isMissing(left) || isMissing(right)) return null
  if (left instanceof Date) {
    if (right instanceof Date) return left.getTime() - right.getTime()
    if (isNumeric(right)) return new Date(left.getTime() - Number(String(right)))
  }
  if (isNumeric(left) && isNumeric(right)) return combine('add', left, combine('multiply', right, -1))
  throw typeMismatch('$subtract only supports numeric or date types')
}

/** mingo's options while it runs: copied for less than a microsecond, where plain options cost thirty. */
export interface RunningOptions extends Options {
  readonly now: Date
  update(locals: { root?: unknown; variables?: AnyObject }): RunningOptions
}

/** A copy of running options, with locals of its own. */
export const copyOptions = (options: RunningOptions): RunningOptions =>
  (options.constructor as unknown as { init(from: Options): RunningOptions }).init(options)

const valuesOf = (group: unknown, expression: unknown, options: Options): unknown[] => {
  if (!Array.isArray(group)) return list(group, expression, options)
  if (expression === null || expression === undefined) return group
  // Inside a group each document is its own root.
  const own = copyOptions(options as RunningOptions)
  return group.map((document) => evalExpr(document, expression, own.update({ root: document })))
}

const sum: Operator = (group, expression, options) =>
  valuesOf(group, expression, options)
    .filter(isNumeric)
    .reduce<unknown>((total, value) => combine('add', total, value), 0)

const average: Operator = (group, expression, options) => {
  const numbers = valuesOf(group, expression, options).filter(isNumeric)
  if (numbers.length === 0) return null
  const total = numbers.reduce<unknown>((sofar, value) => combine('add', sofar, value), 0)
  return Number(String(total)) / numbers.length
}

const extreme =
  (direction: 1 | -1): Operator =>
  (group, expression, options) => {
    let found: unknown = null
    for (const value of valuesOf(group, expression, options)) {
      if (isMissing(value)) continue
      if (found === null || direction * comparePlain(value, found) > 0) found = value
    }
    return found
  }

const push: Operator = (group, expression, options) =>
  valuesOf(group, expression, options).filter((value) => value !== undefined)

const addToSet: Operator = (group, expression, options) => {
  const found = new Map<string, unknown>()
  for (const value of valuesOf(group, expression, options)) {
    if (value === undefined) continue
    const key = plainKey(value)
    if (!found.has(key)) found.set(key, value)
  }
  return [...found.values()]
}

/** A string that is equal for equal values. */
export function plainKey(value: unknown): string {
  return keyOf(encode(value ?? null)).toString('latin1')
}

const isIn: Operator = (document, expression, options) => {
  const [value, items] = pair(document, expression, options, '$in')
  if (!Array.isArray(items)) throw new CommandError(40081, '$in requires an array as a second argument')
  return items.some((item) => comparePlain(item, value) === 0)
}

const ownExpressions: Record<string, Operator> = {
  $eq: comparison('$eq', (order) => order === 0),
  $ne: comparison('$ne', (order) => order !== 0),
  $gt: comparison('$gt', (order) => order > 0),
  $gte: comparison('$gte', (order) => order >= 0),
  $lt: comparison('$lt', (order) => order < 0),
  $lte: comparison('$lte', (order) => order <= 0),
  $cmp: comparison('$cmp', Math.sign),
  $in: isIn,
  $add: arithmetic('$add'),
  $multiply: arithmetic('$multiply'),
  $subtract: subtract,
}

const ownAccumulators: Record<string, Operator> = {
  $sum: sum,
  $avg: average,
  $max: extreme(1),
  $min: extreme(-1),
  $push: push,
  $addToSet: addToSet,
}

/** mingo's operators with ours in place of those that differ; scripts are left out. */
export const context = Context.init({
  accumulator: without({ ...accumulators, ...ownAccumulators }, ['$accumulator']),
  expression: without({ ...expressions, ...ownExpressions }, ['$function']),
  pipeline: { ...pipeline },
  projection: { ...projections },
  query: { ...queries },
  window: { ...windows },
} as Parameters<typeof Context.init>[0])

function without(operators: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(operators).filter(([name]) => !names.includes(name)))
}
