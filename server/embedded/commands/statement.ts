import { evaluateVariables } from '../aggregation/expressions/compile.ts'
import type { Plain } from '../bson/plain.ts'
import { fieldsOf, type RawValue } from '../bson/raw.ts'
import { isNumberType, T, typeName } from '../bson/types.ts'
import { CommandError, typeMismatch } from '../errors.ts'
import type { Request } from './request.ts'

/** What a field of a statement has to be. */
export interface FieldShape {
  readonly type: 'object' | 'array' | 'bool' | 'number' | 'hint' | 'any'
  readonly required?: boolean
}

/** The fields a statement may have, by name. */
export type StatementShape = Readonly<Record<string, FieldShape>>

/** One of a command's writes: its fields, of the types they have to be; those that are null are left out. */
export type Statement = ReadonlyMap<string, RawValue>

/** Reads a command's statements. One that is not as it has to be fails the command, before anything is written. */
export const statementsOf = (request: Request, name: string, shape: StatementShape): Statement[] =>
  request.documents(name).map((document) => readStatement(`${request.command.name}.${name}`, document, shape))

export function readStatement(where: string, document: RawValue, shape: StatementShape): Statement {
  const statement = new Map<string, RawValue>()
  for (const { name, value } of fieldsOf(document)) {
    const wanted = shape[name]
    if (!wanted) throw new CommandError(40415, `BSON field '${where}.${name}' is an unknown field.`)
    if (value.type === T.null) continue
    if (!isOfType(value, wanted.type)) {
      throw typeMismatch(
        `BSON field '${where}.${name}' is the wrong type '${typeName(value.type)}', expected type '${wanted.type}'`,
      )
    }
    statement.set(name, value)
  }
  for (const [name, { required }] of Object.entries(shape)) {
    if (required && !statement.has(name))
      throw new CommandError(40414, `BSON field '${where}.${name}' is missing but a required field`)
  }
  return statement
}

function isOfType({ type }: RawValue, wanted: FieldShape['type']): boolean {
  switch (wanted) {
    case 'object':
      return type === T.object
    case 'array':
      return type === T.array
    case 'bool':
      return type === T.bool
    case 'number':
      return isNumberType(type)
    case 'hint':
      return type === T.object || type === T.string
    case 'any':
      return true
  }
}

/** The variables of the command and, for pipelines, of the statement's constants. */
export function statementVariables(request: Request, statement: Statement): Plain {
  const constants = statement.get('c')
  const variables = request.variables()
  return constants ? { ...variables, ...evaluateVariables(constants) } : variables
}
