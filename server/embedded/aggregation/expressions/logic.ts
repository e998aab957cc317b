import { fieldsOf, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { intValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { isMissing } from '../numbers.ts'
import type { Compiler, Expression, Operator } from './expression.ts'
import {
  argumentsOf,
  binary,
  FALSE,
  namedOperands,
  never,
  TRUE,
  toBool,
  truthOf,
  unary,
  wrongCount,
} from './operands.ts'
import { compare, equal } from './order.ts'

const comparison = (test: (order: number) => boolean): Operator =>
  binary((left, right) => toBool(test(compare(left, right))))

/** `$and` ends at the first that is false, `$or` at the first that is true. */
const shortCircuit =
  (ending: boolean): Operator =>
  (operand, compiler) => {
    const all = argumentsOf(operand).map((each) => compiler.compile(each))
    return (scope) => {
      for (const each of all) if (truthOf(each(scope)) === ending) return toBool(ending)
      return toBool(!ending)
    }
  }

const cond: Operator = (operand, compiler, name) => {
  const [test = never, yes = never, no = never] = condParts(operand, name).map((part) =>
    compiler.compile(part),
  )
  return (scope) => (truthOf(test(scope)) ? yes(scope) : no(scope))
}

/** The condition and both outcomes, named or in a list. */
function condParts(operand: RawValue, name: string): RawValue[] {
  if (operand.type === T.object) {
    const required = Object.fromEntries([
      ['if', 17080],
      ['then', 17081],
      ['else', 17082],
    ])
    const given = namedOperands(operand, name, { notObject: 17083, unknown: 17083, required })
    return ['if', 'then', 'else'].map((part) => given.get(part) ?? NULL)
  }
  const given = argumentsOf(operand)
  if (given.length !== 3) throw wrongCount(name, 3, given.length)
  return given
}

const ifNull: Operator = (operand, compiler) => {
  const all = argumentsOf(operand).map((each) => compiler.compile(each))
  if (all.length < 2) {
    throw new CommandError(1257300, `$ifNull needs at least two arguments, had: ${all.length}`)
  }
  return (scope) => {
    let value: RawValue | undefined
    for (const each of all) {
      value = each(scope)
      if (!isMissing(value)) return value
    }
    return value
  }
}

const switchOver: Operator = (operand, compiler) => {
  if (operand.type !== T.object) {
    throw new CommandError(40060, '$switch requires an object as an argument')
  }
  let branches: { test: Expression; then: Expression }[] = []
  let otherwise: Expression | undefined
  for (const { name, value } of fieldsOf(operand)) {
    if (name === 'branches') {
      if (value.type !== T.array)
        throw new CommandError(40061, "$switch expected an array for 'branches', found something else")
      branches = itemsOf(value).map((branch) => switchBranch(branch, compiler))
    } else if (name === 'default') otherwise = compiler.compile(value)
    else throw new CommandError(40067, `$switch found an unknown argument: ${name}`)
  }
  if (branches.length === 0) throw new CommandError(40068, '$switch requires at least one branch.')
  return (scope) => {
    for (const { test, then } of branches) if (truthOf(test(scope))) return then(scope)
    if (otherwise) return otherwise(scope)
    throw new CommandError(
      40066,
      '$switch could not find a matching branch for an input, and no default was specified.',
    )
  }
}

function switchBranch(branch: RawValue, compiler: Compiler): { test: Expression; then: Expression } {
  if (branch.type !== T.object) {
    throw new CommandError(40062, '$switch expected each branch to be an object')
  }
  let test: Expression | undefined
  let then: Expression | undefined
  for (const { name, value } of fieldsOf(branch)) {
    if (name === 'case') test = compiler.compile(value)
    else if (name === 'then') then = compiler.compile(value)
    else throw new CommandError(40063, `$switch found an unknown argument to a branch: ${name}`)
  }
  if (!test) throw new CommandError(40064, "$switch requires each branch have a 'case' expression")
  if (!then) throw new CommandError(40065, "$switch requires each branch have a 'then' expression.")
  return { test, then }
}

export const LOGIC: Readonly<Record<string, Operator>> = {
  $eq: binary((left, right) => toBool(equal(left, right))),
  $ne: binary((left, right) => toBool(!equal(left, right))),
  $gt: comparison((order) => order > 0),
  $gte: comparison((order) => order >= 0),
  $lt: comparison((order) => order < 0),
  $lte: comparison((order) => order <= 0),
  $cmp: binary((left, right) => intValue(Math.sign(compare(left, right)))),
  $and: shortCircuit(false),
  $or: shortCircuit(true),
  $not: unary((value) => (truthOf(value) ? FALSE : TRUE)),
  $cond: cond,
  $ifNull: ifNull,
  $switch: switchOver,
}
