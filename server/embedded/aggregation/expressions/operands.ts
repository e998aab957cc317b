import { fieldsOf, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { isNumberType, T } from '../../bson/types.ts'
import { boolIn, boolValue, isTruthy, numberIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { isMissing } from '../numbers.ts'
import { type Compiler, constantOf, type Expression, type Operator, type Scope } from './expression.ts'

/** A value of an expression: undefined where it is missing. */
export type Value = RawValue | undefined

export const TRUE = boolValue(true)
export const FALSE = boolValue(false)
export const toBool = (value: boolean): RawValue => (value ? TRUE : FALSE)

/** MongoDB's truth, of a value that may be missing. */
export function truthOf(value: Value): boolean {
  if (value === undefined) return false
  if (value.type === T.bool) return boolIn(value)
  if (value.type === T.decimal) return value.bytes.readBigUInt64LE(value.start) !== 0n || highDigits(value)
  return isNumberType(value.type) ? Number(numberIn(value)) !== 0 : isTruthy(value)
}

/** Whether the upper half of a decimal holds anything but its sign and exponent. */
const highDigits = (value: RawValue): boolean => {
  const high = value.bytes.readBigUInt64LE(value.start + 8)
  return (high & 0x1ffffffffffffn) !== 0n || ((high >> 59n) & 0xfn) === 0xfn
}

/** The arguments of an operator; one that is not a list is the only one. */
export const argumentsOf = (operand: RawValue): RawValue[] =>
  operand.type === T.array ? itemsOf(operand) : [operand]

export function wrongCount(name: string, wanted: number, given: number): CommandError {
  return new CommandError(
    16020,
    `Expression ${name} takes exactly ${wanted} arguments. ${given} were passed in.`,
  )
}

/** The compiled arguments of an operator that takes so many. */
export function fixed(operand: RawValue, compiler: Compiler, name: string, count: number): Expression[] {
  const given = argumentsOf(operand)
  if (given.length !== count) throw wrongCount(name, count, given.length)
  return given.map((each) => compiler.compile(each))
}

/** The compiled arguments of an operator that takes from `least` to `most`. */
export function between(
  operand: RawValue,
  compiler: Compiler,
  name: string,
  least: number,
  most: number,
): Expression[] {
  const given = argumentsOf(operand)
  if (given.length < least || given.length > most) {
    throw new CommandError(
      28667,
      `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${given.length} were passed in.`,
    )
  }
  return given.map((each) => compiler.compile(each))
}

/** An operator of one argument. */
export const unary =
  (apply: (value: Value, name: string) => Value): Operator =>
  (operand, compiler, name) => {
    const [argument = never] = fixed(operand, compiler, name, 1)
    return (scope) => apply(argument(scope), name)
  }

/** An operator of one argument that is null when its argument is null or missing. */
export const unaryOrNull = (apply: (value: RawValue, name: string) => Value): Operator =>
  unary((value, name) => (isMissing(value) ? NULL : apply(value, name)))

/** An operator of two arguments. */
export const binary =
  (apply: (left: Value, right: Value, name: string) => Value): Operator =>
  (operand, compiler, name) => {
    const [left = never, right = never] = fixed(operand, compiler, name, 2)
    return (scope) => apply(left(scope), right(scope), name)
  }

/** An operator of two arguments that is null when one of them is null or missing. */
export const binaryOrNull = (apply: (left: RawValue, right: RawValue, name: string) => Value): Operator =>
  binary((left, right, name) => (isMissing(left) || isMissing(right) ? NULL : apply(left, right, name)))

/** An operator of any number of arguments. */
export const variadic =
  (apply: (values: Value[], name: string) => Value): Operator =>
  (operand, compiler, name) => {
    const all = argumentsOf(operand).map((each) => compiler.compile(each))
    return (scope) =>
      apply(
        all.map((each) => each(scope)),
        name,
      )
  }

export const never: Expression = () => undefined

/** Which codes MongoDB gives to wrong named arguments. */
export interface NamedCodes {
  readonly notObject: number
  readonly unknown: number
  /** The codes of arguments that may not be left out. */
  readonly required?: Readonly<Record<string, number>>
  readonly optional?: readonly string[]
}

/** The named arguments of an operator, as they were written. */
export function namedOperands(operand: RawValue, name: string, codes: NamedCodes): Map<string, RawValue> {
  if (operand.type !== T.object) {
    throw new CommandError(codes.notObject, `${name} only supports an object as its argument`)
  }
  const required = codes.required ?? {}
  const given = new Map<string, RawValue>()
  for (const { name: key, value } of fieldsOf(operand)) {
    if (!Object.hasOwn(required, key) && !codes.optional?.includes(key)) {
      throw new CommandError(codes.unknown, `Unrecognized parameter to ${name}: ${key}`)
    }
    given.set(key, value)
  }
  for (const [key, code] of Object.entries(required)) {
    if (!given.has(key)) throw new CommandError(code, `Missing '${key}' parameter to ${name}`)
  }
  return given
}

/** The named arguments of an operator, compiled. */
export function named(
  operand: RawValue,
  compiler: Compiler,
  name: string,
  codes: NamedCodes,
): Record<string, Expression | undefined> {
  const compiled: Record<string, Expression | undefined> = {}
  for (const [key, value] of namedOperands(operand, name, codes)) compiled[key] = compiler.compile(value)
  return compiled
}

/** Makes something of an argument's value once when the argument is constant, and else remembers the last. */
export function prepared<Made>(argument: Expression, make: (value: Value) => Made): (scope: Scope) => Made {
  let last: { value: Value; made: Made } | undefined
  if (constantOf(argument)) {
    return (scope) => {
      last ??= { value: undefined, made: make(argument(scope)) }
      return last.made
    }
  }
  return (scope) => make(argument(scope))
}
