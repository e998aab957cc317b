import { evaluateVariables } from '../aggregation/expressions/compile.ts'
import type { Plain } from '../bson/plain.ts'
import { fieldsOf, get, type RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import type { Request } from './request.ts'

/** Refuses by name what a statement may not carry. */
export function refuseUnknownFields(where: string, statement: RawValue, known: ReadonlySet<string>): void {
  for (const { name } of fieldsOf(statement)) {
    if (!known.has(name)) throw new CommandError(40415, `BSON field '${where}.${name}' is an unknown field.`)
  }
}

/** The variables of the command and, for pipelines, of the statement's constants. */
export function statementVariables(request: Request, statement: RawValue): Plain {
  const constants = get(statement, 'c')
  const variables = request.variables()
  return constants ? { ...variables, ...evaluateVariables(constants) } : variables
}
