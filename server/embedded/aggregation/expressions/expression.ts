import type { RawValue } from '../../bson/raw.ts'
import { T, typeName } from '../../bson/types.ts'

/** What an expression may read while it is evaluated. */
export interface Scope {
  /** The document at hand. */
  root: RawValue
  /** What `$let`, `$map` and their like have bound, by position. */
  readonly locals: (RawValue | undefined)[]
}

/** A compiled expression: the value it has in a scope, or undefined where the value is missing. */
export type Expression = (scope: Scope) => RawValue | undefined

/** A name an expression may use, and what it stands for. */
export type Names = ReadonlyMap<string, Expression>

/** Compiles parts of an expression; operators are given it, as they do not know each other. */
export interface Compiler {
  compile(expression: RawValue): Expression
  /** The position and the compiler of an inner scope that knows one more name. */
  bind(name: string): { readonly position: number; readonly inner: Compiler }
  readonly names: Names
  /** The moment of the command, in milliseconds. */
  readonly now: number
}

/** Compiles one operator. */
export type Operator = (operand: RawValue, compiler: Compiler, name: string) => Expression

const constants = new WeakMap<Expression, { readonly value: RawValue | undefined }>()

/** An expression that always has the same value. */
export function constant(value: RawValue | undefined): Expression {
  const expression: Expression = () => value
  constants.set(expression, { value })
  return expression
}

/** The value of an expression that always has the same. */
export const constantOf = (expression: Expression): { readonly value: RawValue | undefined } | undefined =>
  constants.get(expression)

/** A scope with nothing bound. */
export const scopeOf = (root: RawValue): Scope => ({ root, locals: [] })

/** The name of a value's type in messages. */
export const typeOf = (value: RawValue | undefined): string =>
  value === undefined ? 'missing' : value.type === T.undefined ? 'undefined' : typeName(value.type)
