import { encode, type Plain } from '../../bson/plain.ts'
import {
  arrayFrom,
  documentFrom,
  documentOf,
  type Field,
  fieldsOf,
  itemsOf,
  NULL,
  RawValue,
} from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { dateValue, stringIn } from '../../bson/values.ts'
import { CommandError, notSupported } from '../../errors.ts'
import { type Compiler, constant, constantOf, type Expression, type Names, scopeOf } from './expression.ts'
import { checkFieldName, pathOf, splitPath } from './field-path.ts'
import { OPERATORS } from './operators.ts'
import { checkVariableName } from './variable-name.ts'

const ROOT: Expression = (scope) => scope.root

/** What exists in MongoDB and is not served here. */
const NOT_SERVED = new Set(['$function', '$accumulator', '$meta', '$where'])

class ScopeCompiler implements Compiler {
  readonly names: Names
  readonly now: number
  readonly #depth: number

  constructor(names: Names, depth: number, now: number) {
    this.names = names
    this.#depth = depth
    this.now = now
  }

  bind(name: string) {
    const position = this.#depth
    const names = new Map(this.names).set(name, (scope) => scope.locals[position])
    return { position, inner: new ScopeCompiler(names, position + 1, this.now) }
  }

  compile(expression: RawValue): Expression {
    switch (expression.type) {
      case T.string:
        return this.#text(stringIn(expression), expression)
      case T.object:
        return this.#object(expression)
      case T.array:
        return this.#array(itemsOf(expression).map((item) => this.compile(item)))
      default:
        return constant(expression)
    }
  }

  #text(text: string, value: RawValue): Expression {
    if (!text.startsWith('$')) return constant(value)
    if (text.startsWith('$$')) return this.#variable(text.slice(2))
    if (text === '$') throw new CommandError(16872, "'$' by itself is not a valid FieldPath")
    return pathOf(this.names.get('CURRENT') ?? ROOT, splitPath(text.slice(1)))
  }

  #variable(text: string): Expression {
    const [name = '', ...path] = text === '' ? [''] : text.split('.')
    if (name === '') throw new CommandError(9, 'empty variable names are not allowed')
    const variable = this.names.get(name)
    if (!variable) {
      if (!/^[A-Za-z\x80-\uffff][\w\x80-\uffff]*$/.test(name))
        throw new CommandError(9, `'${name}' contains an invalid character for a variable name`)
      throw new CommandError(17276, `Use of undefined variable: ${name}`)
    }
    return path.length === 0 ? variable : pathOf(variable, splitPath(path.join('.')))
  }

  #array(items: Expression[]): Expression {
    if (items.every((item) => constantOf(item))) {
      return constant(arrayFrom(items.map((item) => constantOf(item)?.value ?? NULL)))
    }
    return (scope) => arrayFrom(items.map((item) => item(scope) ?? NULL))
  }

  #object(expression: RawValue): Expression {
    const fields = fieldsOf(expression)
    const first = fields[0]
    if (first?.name.startsWith('$')) {
      if (fields.length > 1) {
        throw new CommandError(
          15983,
          `An object representing an expression must have exactly one field: { ${fields.map(({ name }) => name).join(', ')} }`,
        )
      }
      return this.#operator(first)
    }
    const parts = fields.map(({ name, value }) => {
      if (name.includes('.')) throw new CommandError(16412, `FieldPath field names may not contain '.'.`)
      checkFieldName(name)
      return { name, part: this.compile(value) }
    })
    if (parts.every(({ part }) => constantOf(part))) {
      return constant(objectFrom(parts.map(({ name, part }) => ({ name, value: constantOf(part)?.value }))))
    }
    return (scope) => objectFrom(parts.map(({ name, part }) => ({ name, value: part(scope) })))
  }

  #operator({ name, value }: Field): Expression {
    const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined
    if (operator) return operator(value, this, name)
    if (NOT_SERVED.has(name)) throw notSupported(name)
    throw new CommandError(168, `Unrecognized expression '${name}'`)
  }
}

/** A document of fields, without those that are missing. */
function objectFrom(fields: readonly { name: string; value: RawValue | undefined }[]): RawValue {
  return documentOf(documentFrom(fields.filter((field): field is Field => field.value !== undefined)))
}

/** A compiler of expressions that may use these variables. */
export function compilerFor(variables: Plain, now = Date.now()): Compiler {
  const names = new Map<string, Expression>([
    ['ROOT', ROOT],
    ['REMOVE', constant(undefined)],
    ['NOW', constant(dateValue(now))],
  ])
  for (const [name, value] of Object.entries(variables)) {
    const isGiven = value === undefined || value instanceof RawValue
    names.set(name, constant(isGiven ? value : encode(value)))
  }
  names.set('CURRENT', variables.CURRENT === undefined ? ROOT : (names.get('CURRENT') ?? ROOT))
  return new ScopeCompiler(names, 0, now)
}

/** The variables of a `let`, each of which is an expression that needs no document. */
export function evaluateVariables(given: RawValue, outer: Plain = {}): Plain {
  const compiler = compilerFor(outer)
  const variables: Plain = {}
  for (const { name, value } of fieldsOf(given)) {
    checkVariableName(name)
    variables[name] = compiler.compile(value)(scopeOf(documentOf(documentFrom([])))) ?? null
  }
  return variables
}
