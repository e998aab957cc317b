import { fieldsOf, type RawValue } from '../bson/raw.ts'
import { T, typeName } from '../bson/types.ts'
import { arrayItems, stringIn } from '../bson/values.ts'
import { badValue, CommandError, failedToParse } from '../errors.ts'
import { compileFilter, type ExpressionCompiler, type Matcher } from '../query/matcher.ts'
import { parseFilter } from '../query/parse-filter.ts'

export type Operator =
  | '$set'
  | '$unset'
  | '$inc'
  | '$mul'
  | '$min'
  | '$max'
  | '$rename'
  | '$setOnInsert'
  | '$currentDate'
  | '$push'
  | '$addToSet'
  | '$pop'
  | '$pull'
  | '$pullAll'
  | '$bit'

const OPERATORS = new Set<string>([
  '$set',
  '$unset',
  '$inc',
  '$mul',
  '$min',
  '$max',
  '$rename',
  '$setOnInsert',
  '$currentDate',
  '$push',
  '$addToSet',
  '$pop',
  '$pull',
  '$pullAll',
  '$bit',
])

/** One change to one path. */
export interface Change {
  readonly operator: Operator
  readonly path: string
  readonly parts: readonly string[]
  readonly operand: RawValue
}

/** Filters for `$[name]`, by name. */
export type ArrayFilters = ReadonlyMap<string, Matcher>

/** What an update does to a document. */
export type Update =
  | { readonly kind: 'replacement'; readonly document: RawValue }
  | { readonly kind: 'pipeline'; readonly stages: readonly RawValue[] }
  | {
      readonly kind: 'changes'
      readonly changes: readonly Change[]
      readonly arrayFilters: ArrayFilters
      readonly positional: boolean
    }

const NO_FILTERS: ArrayFilters = new Map()

/** Reads an update: a replacement, a pipeline or operators. */
export function parseUpdate(
  update: RawValue,
  arrayFilters: RawValue | undefined,
  compileExpression: ExpressionCompiler,
): Update {
  if (update.type === T.array) {
    if (arrayFilters) throw failedToParse('arrayFilters may not be specified for pipeline-style updates')
    return { kind: 'pipeline', stages: arrayItems(update) ?? [] }
  }
  if (update.type !== T.object) {
    throw failedToParse('Update argument must be either an object or an array')
  }
  const fields = fieldsOf(update)
  if (!fields[0]?.name.startsWith('$')) {
    for (const { name } of fields) {
      if (name.startsWith('$')) {
        throw new CommandError(
          52,
          `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
        )
      }
    }
    return { kind: 'replacement', document: update }
  }
  const changes = fields.flatMap(({ name, value }) => parseOperator(name, value))
  refuseConflicts(changes)
  const filters = arrayFilters ? parseArrayFilters(arrayFilters, changes, compileExpression) : NO_FILTERS
  refuseUnknownFilters(changes, filters)
  changes.sort((a, b) => comparePaths(placeOf(a), placeOf(b)))
  return {
    kind: 'changes',
    changes,
    arrayFilters: filters,
    positional: changes.some((change) => change.parts.includes('$')),
  }
}

function parseOperator(operator: string, operands: RawValue): Change[] {
  if (!OPERATORS.has(operator)) {
    throw failedToParse(
      operator.startsWith('$')
        ? `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`
        : `The update document must contain only update operators; '${operator}' is none`,
    )
  }
  if (operands.type !== T.object) {
    throw failedToParse(
      `Modifiers operate on fields but we found type ${typeName(operands.type)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ...}`,
    )
  }
  return fieldsOf(operands).map(({ name, value }) => {
    const change: Change = {
      operator: operator as Operator,
      path: name,
      parts: splitPath(name),
      operand: value,
    }
    if (operator === '$rename') checkRename(change)
    return change
  })
}

function splitPath(path: string): string[] {
  const parts = path.split('.')
  if (path === '') throw new CommandError(56, 'An empty update path is not valid.')
  if (parts.includes('')) {
    throw new CommandError(
      56,
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    )
  }
  const first = parts[0] ?? ''
  if (first === '$' || first.startsWith('$[')) {
    throw badValue(`Cannot have array filter identifier or positional element at the start of path '${path}'`)
  }
  for (const part of parts) {
    if (part.startsWith('$') && part !== '$' && !/^\$\[[^\]]*\]$/.test(part)) {
      throw new CommandError(
        52,
        `The dollar ($) prefixed field '${part}' in '${path}' is not valid for storage.`,
      )
    }
  }
  if (parts.filter((part) => part === '$').length > 1) {
    throw badValue(`Too many positional (i.e. '$') elements found in path '${path}'`)
  }
  return parts
}

function checkRename({ path, operand }: Change): void {
  if (operand.type !== T.string) {
    throw badValue(`The 'to' field for $rename must be a string: ${path}: ${typeName(operand.type)}`)
  }
  const target = stringIn(operand)
  splitPath(target)
  for (const end of [path, target]) {
    if (end.split('.').some((part) => part.startsWith('$'))) {
      throw badValue(`The source and target field for $rename may not be dynamic: ${end}`)
    }
  }
  if (target === path)
    throw badValue(`The source and target field for $rename must differ: ${path}: "${target}"`)
}

/** No two changes may meet in one place. */
function refuseConflicts(changes: readonly Change[]): void {
  const paths: string[] = []
  for (const change of changes) {
    paths.push(change.path)
    if (change.operator === '$rename') paths.push(stringIn(change.operand))
  }
  const taken = new Set<string>()
  const inner = new Set<string>()
  const conflict = (path: string, at: string) =>
    new CommandError(40, `Updating the path '${path}' would create a conflict at '${at}'`)
  for (const path of paths) {
    if (taken.has(path) || inner.has(path)) throw conflict(path, path)
    let end = path.indexOf('.')
    while (end !== -1) {
      const ancestor = path.slice(0, end)
      if (taken.has(ancestor)) throw conflict(path, ancestor)
      inner.add(ancestor)
      end = path.indexOf('.', end + 1)
    }
    taken.add(path)
  }
}

function parseArrayFilters(
  value: RawValue,
  changes: readonly Change[],
  compileExpression: ExpressionCompiler,
): ArrayFilters {
  const filters = new Map<string, Matcher>()
  for (const item of arrayItems(value) ?? []) {
    if (item.type !== T.object) throw new CommandError(14, 'arrayFilters must contain documents')
    const names = new Set(filterNames(item))
    const name = [...names][0]
    if (name === undefined) {
      throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters')
    }
    if (names.size > 1) {
      throw failedToParse(
        `Error parsing array filter :: caused by :: Expected a single top-level field name, found ${[...names].map((each) => `'${each}'`).join(' and ')}`,
      )
    }
    if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) {
      throw badValue(
        `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`,
      )
    }
    if (filters.has(name))
      throw failedToParse(`Found multiple array filters with the same top-level field name ${name}`)
    if (!changes.some((change) => change.parts.includes(`$[${name}]`))) {
      throw failedToParse(`The array filter for identifier '${name}' was not used in the update`)
    }
    filters.set(name, compileFilter(parseFilter(item), compileExpression))
  }
  return filters
}

function filterNames(document: RawValue): string[] {
  return fieldsOf(document).flatMap(({ name, value }) => {
    if (name !== '$and' && name !== '$or' && name !== '$nor') return [name.split('.', 1)[0] ?? name]
    return (arrayItems(value) ?? []).flatMap(filterNames)
  })
}

function refuseUnknownFilters(changes: readonly Change[], filters: ArrayFilters): void {
  for (const change of changes) {
    for (const part of change.parts) {
      if (!part.startsWith('$[') || part === '$[]') continue
      const name = part.slice(2, -1)
      if (!filters.has(name)) {
        throw badValue(`No array filter found for identifier '${name}' in path '${change.path}'`)
      }
    }
  }
}

/** Where a change writes: a renamed field counts where it goes. */
const placeOf = (change: Change): readonly string[] =>
  change.operator === '$rename' ? stringIn(change.operand).split('.') : change.parts

/** MongoDB changes fields in the order of their names, numbers as numbers. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const left = a[i] ?? ''
    const right = b[i] ?? ''
    if (left === right) continue
    if (/^\d+$/.test(left) && /^\d+$/.test(right)) return Number(left) - Number(right)
    return left < right ? -1 : 1
  }
  return a.length - b.length
}
