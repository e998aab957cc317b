import { evalExpr, OpType, ProcessingMode } from 'mingo/core'
import type { Options } from 'mingo/types'
import { decode, decodeDocument, type Plain } from '../bson/plain.ts'
import type { RawValue } from '../bson/raw.ts'
import { badValue, CommandError } from '../errors.ts'
import type { ExpressionCompiler } from '../query/matcher.ts'
import { context } from './operators.ts'

/** Options for mingo: variables of `let`, and the time every `$$NOW` of a command means. */
export function optionsFor(variables: Plain): Partial<Options> {
  return {
    context,
    variables,
    processingMode: ProcessingMode.CLONE_OFF,
    scriptEnabled: false,
    useStrictMode: true,
  }
}

/** Runs an expression, and gives its failures a code. */
export function evaluate(document: unknown, expression: unknown, options: Partial<Options>): unknown {
  try {
    return evalExpr(document, expression, options as Options)
  } catch (error) {
    throw asCommandError(error)
  }
}

/** A failure of mingo as an error a client can read. */
export function asCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error
  const message = error instanceof Error ? error.message : String(error)
  const undefinedVariable = /undefined variable: (.*)/.exec(message)
  if (undefinedVariable) return new CommandError(17276, `Use of undefined variable: ${undefinedVariable[1]}`)
  return badValue(message)
}

/** Refuses operators that do not exist, before anything is evaluated. */
export function checkExpression(expression: unknown): void {
  if (Array.isArray(expression)) {
    expression.forEach(checkExpression)
    return
  }
  if (expression === null || typeof expression !== 'object' || expression.constructor !== Object) return
  const names = Object.keys(expression)
  const plain = expression as Plain
  for (const name of names) {
    if (name === '$literal') continue
    if (name.startsWith('$')) {
      const known =
        context.getOperator(OpType.EXPRESSION, name) ?? context.getOperator(OpType.ACCUMULATOR, name)
      if (!known) throw new CommandError(168, `Unrecognized expression '${name}'`)
      if (names.length > 1) {
        throw new CommandError(
          15983,
          `An object representing an expression must have exactly one field: ${names.join(', ')}`,
        )
      }
    }
    checkExpression(plain[name])
  }
}

/** `$expr` as a filter, with the variables of the command. */
export function expressionFilter(variables: Plain = {}): ExpressionCompiler {
  return (raw: RawValue) => {
    const expression = decode(raw)
    checkExpression(expression)
    const options = optionsFor(variables)
    return (document) => {
      const value = evaluate(decodeDocument(document.bytes, document.start), expression, options)
      return value !== false && value !== null && value !== undefined && Number(value) !== 0
    }
  }
}
