import { documentOf, fieldsOf, itemsOf, type RawValue } from '../../bson/raw.ts'
import { isNumberType, T } from '../../bson/types.ts'
import { stringIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { type Compiler, scopeOf } from '../expressions/expression.ts'
import { splitPath } from '../expressions/field-path.ts'
import { truthOf } from '../expressions/operands.ts'
import { Reshaping } from './reshaping.ts'

/** A stage that makes one document of each. */
export type Reshape = (bytes: Buffer) => Buffer

const invalid = (stage: string, code: number, message: string) =>
  new CommandError(code, `Invalid ${stage} :: caused by :: ${message}`)

const isFlag = (value: RawValue): boolean => isNumberType(value.type) || value.type === T.bool

/** Whether a value nests further paths; a document that begins with an operator is an expression. */
const isNested = (value: RawValue): boolean => {
  if (value.type !== T.object) return false
  return fieldsOf(value)[0]?.name.startsWith('$') !== true
}

interface Named {
  readonly path: string
  readonly value: RawValue
}

/** The paths of a specification, written with dots or as documents in documents. */
function flatten(spec: RawValue, prefix: string, stage: string, emptyIsValue: boolean): Named[] {
  return fieldsOf(spec).flatMap(({ name, value }): Named[] => {
    const path = prefix + name
    if (!isNested(value)) return [{ path, value }]
    if (value.end - value.start === 5) {
      if (emptyIsValue) return [{ path, value }]
      throw invalid(stage, 51270, `An empty sub-projection is not a valid value. Found empty object at path`)
    }
    return flatten(value, `${path}.`, stage, emptyIsValue)
  })
}

function collision(stage: string, path: string, rest: string): CommandError {
  return path.endsWith(rest) && path !== rest
    ? invalid(stage, 31249, `Path collision at ${path} remaining portion ${rest}`)
    : invalid(stage, 31250, `Path collision at ${path}`)
}

const run = (reshaping: Reshaping): Reshape => {
  const scope = scopeOf(documentOf(Buffer.from([5, 0, 0, 0, 0])))
  return (bytes) => {
    scope.root = documentOf(bytes)
    return reshaping.document(bytes, scope)
  }
}

/** Compiles `$project`. */
export function compileProject(operand: RawValue, compiler: Compiler): Reshape {
  const stage = '$project'
  if (operand.type !== T.object) throw new CommandError(15969, '$project specification must be an object')
  const named = flatten(operand, '', stage, false)
  if (named.length === 0) throw invalid(stage, 51272, 'projection specification must have at least one field')
  const id = named.find(({ path }) => path === '_id')
  const others = named.filter((each) => each !== id)
  const excludes = (each: Named) => isFlag(each.value) && !truthOf(each.value)
  const decisive = others.length > 0 ? others : id ? [id] : []
  const mode = decisive.every(excludes) ? 'exclude' : 'include'
  const wrong = mode === 'include' ? others.find(excludes) : id && !isFlag(id.value) ? id : undefined
  if (wrong) {
    const isFirst = others[0] === wrong
    const [first] = others
    if (isFirst && first) {
      const other = others.find((each) => !excludes(each)) ?? first
      throw isFlag(other.value)
        ? invalid(stage, 31253, `Cannot do inclusion on field ${other.path} in exclusion projection`)
        : invalid(
            stage,
            other.value.type === T.object ? 31252 : 31310,
            `Cannot use an expression ${other.path} in an exclusion projection`,
          )
    }
    throw invalid(stage, 31254, `Cannot do exclusion on field ${wrong.path} in inclusion projection`)
  }
  const reshaping = new Reshaping(mode)
  if (mode === 'include' && (!id || (isFlag(id.value) && truthOf(id.value)))) reshaping.list(['_id'])
  for (const { path, value } of named) {
    if (path === '_id' && isFlag(value)) {
      if (mode === 'exclude' && !truthOf(value)) reshaping.list(['_id'])
      continue
    }
    const names = splitPath(path)
    if (names[0] === '_id' && reshaping.has('_id') && !id && mode === 'include' && path !== '_id') {
      // A part of the `_id` that is named stands for the whole that would be kept.
      const isWhole =
        named.findIndex((each) => each.path.startsWith('_id.')) ===
        named.findIndex((each) => each.path === path)
      if (isWhole) reshaping.unlist('_id')
    }
    const rest = isFlag(value) ? reshaping.list(names) : reshaping.compute(names, compiler.compile(value))
    if (rest !== undefined) throw collision(stage, path, rest)
  }
  return run(reshaping)
}

/** Compiles `$addFields`, also called `$set`. */
export function compileAddFields(operand: RawValue, compiler: Compiler, stage: string): Reshape {
  if (operand.type !== T.object) {
    throw new CommandError(40272, `${stage} specification stage must be an object, got something else`)
  }
  if (operand.end - operand.start === 5)
    throw invalid(stage, 40177, 'specification must have at least one field')
  const reshaping = new Reshaping('add')
  for (const { path, value } of flatten(operand, '', stage, true)) {
    const rest = reshaping.compute(splitPath(path), compiler.compile(value))
    if (rest !== undefined) {
      throw invalid(
        stage,
        40176,
        `specification contains two conflicting paths. Cannot specify both '${path}' and '${rest}'`,
      )
    }
  }
  return run(reshaping)
}

/** Compiles `$unset`. */
export function compileUnset(operand: RawValue): Reshape {
  const items = operand.type === T.array ? itemsOf(operand) : [operand]
  if (operand.type !== T.string && operand.type !== T.array)
    throw new CommandError(31002, '$unset specification must be a string or an array')
  if (items.length === 0)
    throw new CommandError(31119, '$unset specification must be a string or an array with at least one field')
  const reshaping = new Reshaping('exclude')
  for (const item of items) {
    if (item.type !== T.string)
      throw new CommandError(
        31120,
        '$unset specification must be a string or an array containing only string values',
      )
    const path = stringIn(item)
    const rest = reshaping.list(splitPath(path))
    if (rest !== undefined) throw collision('$unset', path, rest)
  }
  return run(reshaping)
}

/** Compiles `$replaceRoot` and `$replaceWith`. */
export function compileReplaceRoot(operand: RawValue, compiler: Compiler, stage: string): Reshape {
  const value = compiler.compile(stage === '$replaceWith' ? operand : newRootIn(operand))
  const scope = scopeOf(documentOf(Buffer.from([5, 0, 0, 0, 0])))
  return (bytes) => {
    scope.root = documentOf(bytes)
    const root = value(scope)
    if (root?.type !== T.object) {
      throw new CommandError(
        40228,
        `'newRoot' expression  must evaluate to an object, but resulting value was of another type`,
      )
    }
    return root.bytes.subarray(root.start, root.end)
  }
}

function newRootIn(operand: RawValue): RawValue {
  if (operand.type !== T.object)
    throw new CommandError(40229, '$replaceRoot stage specification must be an object')
  const fields = fieldsOf(operand)
  const [newRoot] = fields
  for (const { name } of fields) {
    if (name !== 'newRoot')
      throw new CommandError(40415, `BSON field '$replaceRoot.${name}' is an unknown field.`)
  }
  if (!newRoot)
    throw new CommandError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field")
  return newRoot.value
}

const RESHAPING: Readonly<Record<string, (operand: RawValue, compiler: Compiler, stage: string) => Reshape>> =
  {
    $project: compileProject,
    $addFields: compileAddFields,
    $set: compileAddFields,
    $unset: compileUnset,
    $replaceRoot: compileReplaceRoot,
    $replaceWith: compileReplaceRoot,
  }

/** The compiler of a stage that makes one document of each, when there is one of this name. */
export const reshapeNamed = (name: string) => (Object.hasOwn(RESHAPING, name) ? RESHAPING[name] : undefined)
