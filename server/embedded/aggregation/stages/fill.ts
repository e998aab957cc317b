import { documentOf, fieldsOf, get, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { stringIn, stringValue } from '../../bson/values.ts'
import { CommandError, failedToParse } from '../../errors.ts'
import { parseSort } from '../../query/sort.ts'
import { type Compiler, constant, type Expression, scopeOf } from '../expressions/expression.ts'
import { pathOf, splitPath } from '../expressions/field-path.ts'
import { objectFrom } from '../expressions/objects.ts'
import { isMissing } from '../numbers.ts'
import { windowFunctionNamed } from '../windows/functions.ts'
import { overPartitions, type WindowField } from './set-window-fields.ts'
import { perDocument, type Transform } from './stage.ts'
import { withValue } from './unwind.ts'

/** Compiles `$fill`: what is null or missing takes a value, the last one, or one between its neighbours. */
export function compileFill(operand: RawValue, compiler: Compiler): Transform {
  if (operand.type !== T.object) throw failedToParse('The $fill stage specification must be an object')
  const given = new Map(fieldsOf(operand).map(({ name, value }) => [name, value]))
  for (const name of given.keys()) {
    if (!['partitionBy', 'partitionByFields', 'sortBy', 'output'].includes(name))
      throw new CommandError(40415, `BSON field '$fill.${name}' is an unknown field.`)
  }
  const output = given.get('output')
  if (output?.type !== T.object)
    throw new CommandError(40414, "BSON field '$fill.output' is missing but a required field")
  if (fieldsOf(output).length === 0)
    throw new CommandError(6050203, "$fill must specify at least one field in 'output'")
  const values: { path: string[]; value: Expression }[] = []
  const windows: WindowField[] = []
  const sort = parseSort(given.get('sortBy'))
  for (const { name, value } of fieldsOf(output)) {
    const method = value.type === T.object ? get(value, 'method') : undefined
    const constantPart = value.type === T.object ? get(value, 'value') : undefined
    if ((method === undefined) === (constantPart === undefined))
      throw new CommandError(6050202, "Each fill output field must have exactly one of 'method' or 'value'")
    if (constantPart) values.push({ path: splitPath(name), value: compiler.compile(constantPart) })
    else {
      const chosen = method?.type === T.string ? stringIn(method) : ''
      if (chosen !== 'locf' && chosen !== 'linear')
        throw new CommandError(6050202, "Method must be either 'locf' or 'linear'")
      if (sort.length === 0)
        throw new CommandError(
          chosen === 'linear' ? 605001 : 6050204,
          `$${chosen === 'linear' ? 'linearFill' : 'locf'} must be specified with a top level sortBy expression`,
        )
      const operator = chosen === 'locf' ? '$locf' : '$linearFill'
      const compute = windowFunctionNamed(operator)(stringValue(`$${name}`), compiler, operator, () => [])
      windows.push({ path: splitPath(name), compute })
    }
  }
  const partition = partitionIn(given, compiler)
  const scope = scopeOf(NULL)
  const constants = perDocument((bytes) => {
    scope.root = documentOf(bytes)
    return values.reduce((made, { path, value }) => {
      if (!isMissing(pathOf((each) => each.root, path)(scope))) return made
      return withValue(made, path, value(scope) ?? NULL)
    }, bytes)
  })
  if (windows.length === 0 && sort.length === 0) return constants
  const windowed = overPartitions(partition, sort, windows)
  return (source) => constants(windowed(source))
}

function partitionIn(given: ReadonlyMap<string, RawValue>, compiler: Compiler): Expression {
  const by = given.get('partitionBy')
  const fields = given.get('partitionByFields')
  if (by && fields)
    throw new CommandError(
      6050204,
      "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'",
    )
  if (fields?.type === T.array) {
    const names = itemsOf(fields).map(stringIn)
    const paths = names.map((name) => pathOf((scope) => scope.root, splitPath(name)))
    return (scope) => objectFrom(names.map((name, i) => ({ name, value: paths[i]?.(scope) ?? NULL })))
  }
  if (by?.type === T.string && !stringIn(by).startsWith('$'))
    throw new CommandError(6050201, "Invalid 'partitionBy' expression: a string has to begin with $")
  return by ? compiler.compile(by) : constant(NULL)
}
