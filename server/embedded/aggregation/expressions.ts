import { Context, evalExpr, OpType, ProcessingMode } from 'mingo/core'
import type { Options } from 'mingo/types'
import { decode, decodeDocument, type Plain } from '../bson/plain.ts'
import type { RawValue } from '../bson/raw.ts'
import { badValue, CommandError } from '../errors.ts'
import type { ExpressionCompiler } from '../query/matcher.ts'
import { context, copyOptions, type RunningOptions } from './operators.ts'

const PLAIN: Partial<Options> = {
  context,
  processingMode: ProcessingMode.CLONE_OFF,
  scriptEnabled: false,
  useStrictMode: true,
}

/** Options as mingo takes them, where more has to be said than variables. */
export const plainOptions = (more: Partial<Options>): Partial<Options> => ({ ...PLAIN, ...more })

/** mingo makes its running options from plain ones by copying every operator; that is done once. */
const running = (() => {
  let captured: RunningOptions | undefined
  const capture = (_document: unknown, _expression: unknown, options: Options) => {
    captured = options as RunningOptions
    return null
  }
  const withCapture = Context.from(context).addExpressionOps({ $capture: capture } as Parameters<
    Context['addExpressionOps']
  >[0])
  evalExpr({}, { $capture: 1 }, { ...PLAIN, context: withCapture } as Options)
  if (!captured) throw new Error('mingo evaluated nothing')
  return captured
})()

/** Options for mingo, with the variables of `let`. */
export function optionsFor(variables: Plain): Options {
  const options = copyOptions(running).update({ root: null, variables })
  // Asked once, the time stays the same for everything that uses these options.
  void options.now
  return options
}

/** Runs an expression, and gives its failures a code. */
export function evaluate(document: unknown, expression: unknown, options: Options): unknown {
  try {
    return evalExpr(document, expression, options)
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
