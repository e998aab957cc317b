import type { Plain } from '../bson/plain.ts'
import type { RawValue } from '../bson/raw.ts'
import type { ExpressionCompiler } from '../query/matcher.ts'
import { compilerFor } from './expressions/compile.ts'
import { scopeOf } from './expressions/expression.ts'
import { truthOf } from './expressions/operands.ts'

/** `$expr` as a filter, with the variables of the command. */
export function expressionFilter(variables: Plain = {}): ExpressionCompiler {
  return (raw: RawValue) => {
    const expression = compilerFor(variables).compile(raw)
    return (document) => truthOf(expression(scopeOf(document)))
  }
}
