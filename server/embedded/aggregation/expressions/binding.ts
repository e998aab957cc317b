import { arrayFrom, fieldsOf, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { stringIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { int32Of, isMissing, isNumeric } from '../numbers.ts'
import { type Compiler, constant, type Expression, type Operator, type Scope, typeOf } from './expression.ts'
import { namedOperands, never, truthOf } from './operands.ts'
import { checkVariableName } from './variable-name.ts'

/** `$literal`: what it is given, unread. */
const literal: Operator = (operand) => constant(operand)

const letIn: Operator = (operand, compiler, name) => {
  const given = namedOperands(operand, name, {
    notObject: 16874,
    unknown: 16875,
    required: { vars: 16876, in: 16877 },
  })
  const vars = given.get('vars')
  const body = given.get('in')
  if (vars?.type !== T.object || !body) throw new CommandError(16876, "Missing 'vars' parameter to $let")
  let inner: Compiler = compiler
  const bindings = fieldsOf(vars).map((field) => {
    checkVariableName(field.name)
    const bound = inner.bind(field.name)
    inner = bound.inner
    return { position: bound.position, value: compiler.compile(field.value) }
  })
  const evaluate = inner.compile(body)
  return (scope) => {
    // Variables do not see each other: all are evaluated before one is bound.
    const values = bindings.map(({ value }) => value(scope))
    bindings.forEach(({ position }, i) => {
      scope.locals[position] = values[i]
    })
    return evaluate(scope)
  }
}

/** The name an `as` argument gives; `this` without one. */
function nameIn(given: ReadonlyMap<string, RawValue>): string {
  const as = given.get('as')
  if (!as) return 'this'
  if (as.type !== T.string) throw new CommandError(16866, 'the name of a variable has to be a string')
  const name = stringIn(as)
  checkVariableName(name)
  return name
}

function arrayIn(value: RawValue | undefined, code: number, message: string): RawValue[] | undefined {
  if (isMissing(value)) return undefined
  if (value.type !== T.array) throw new CommandError(code, `${message} ${typeOf(value)}`)
  return itemsOf(value)
}

const map: Operator = (operand, compiler, name) => {
  const given = namedOperands(operand, name, {
    notObject: 16878,
    unknown: 16879,
    required: { input: 16880, in: 16882 },
    optional: ['as'],
  })
  const input = compiler.compile(given.get('input') ?? NULL)
  const { position, inner } = compiler.bind(nameIn(given))
  const body = inner.compile(given.get('in') ?? NULL)
  return (scope) => {
    const items = arrayIn(input(scope), 16883, 'input to $map must be an array not')
    if (!items) return NULL
    return arrayFrom(mapped(items, scope, position, body))
  }
}

/** One after the other: an array that grows too long is refused before it is in memory twice. */
function* mapped(
  items: readonly RawValue[],
  scope: Scope,
  position: number,
  body: Expression,
): Generator<RawValue> {
  for (const item of items) {
    scope.locals[position] = item
    yield body(scope) ?? NULL
  }
}

const filter: Operator = (operand, compiler, name) => {
  const given = namedOperands(operand, name, {
    notObject: 28646,
    unknown: 28647,
    required: { input: 28648, cond: 28650 },
    optional: ['as', 'limit'],
  })
  const input = compiler.compile(given.get('input') ?? NULL)
  const most = given.get('limit')
  const limit = most && compiler.compile(most)
  const { position, inner } = compiler.bind(nameIn(given))
  const test = inner.compile(given.get('cond') ?? NULL)
  return (scope) => {
    const items = arrayIn(input(scope), 28651, 'input to $filter must be an array not')
    if (!items) return NULL
    const left = limit ? limitOf(limit(scope)) : Number.POSITIVE_INFINITY
    const kept: RawValue[] = []
    for (const item of items) {
      if (kept.length >= left) break
      scope.locals[position] = item
      if (truthOf(test(scope))) kept.push(item)
    }
    return arrayFrom(kept)
  }
}

function limitOf(value: RawValue | undefined): number {
  if (isMissing(value)) return Number.POSITIVE_INFINITY
  const limit = isNumeric(value) ? int32Of(value) : undefined
  if (limit === undefined) {
    throw new CommandError(
      327391,
      `$filter: limit must be represented as a 32-bit integral value, found a ${typeOf(value)}`,
    )
  }
  if (limit < 1) throw new CommandError(327392, `$filter: limit must be greater than 0: ${limit}`)
  return limit
}

const reduce: Operator = (operand, compiler, name) => {
  const given = namedOperands(operand, name, {
    notObject: 40075,
    unknown: 40076,
    required: { input: 40077, initialValue: 40078, in: 40079 },
  })
  const input = compiler.compile(given.get('input') ?? NULL)
  const initial = compiler.compile(given.get('initialValue') ?? NULL)
  const item = compiler.bind('this')
  const value = item.inner.bind('value')
  const body: Expression = given.has('in') ? value.inner.compile(given.get('in') ?? NULL) : never
  return (scope) => {
    const items = arrayIn(input(scope), 40080, '$reduce requires that input be an array, found:')
    if (!items) return NULL
    let result = initial(scope)
    for (const each of items) {
      scope.locals[item.position] = each
      scope.locals[value.position] = result
      result = body(scope)
    }
    return result
  }
}

export const BINDING: Readonly<Record<string, Operator>> = {
  $literal: literal,
  $const: literal,
  $expr: (operand, compiler) => compiler.compile(operand),
  $let: letIn,
  $map: map,
  $filter: filter,
  $reduce: reduce,
}
