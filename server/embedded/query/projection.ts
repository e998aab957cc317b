import { compilerFor } from '../aggregation/expressions/compile.ts'
import { type Compiler, type Expression, scopeOf } from '../aggregation/expressions/expression.ts'
import { expressionFilter } from '../aggregation/expressions.ts'
import { decode, encode, type Plain } from '../bson/plain.ts'
import { arrayFrom, documentOf, fieldsOf, get, itemsOf, type RawValue } from '../bson/raw.ts'
import { isNumberType, T } from '../bson/types.ts'
import { arrayItems, isTruthy, numberIn } from '../bson/values.ts'
import { badValue, CommandError, notSupported } from '../errors.ts'
import { ArrayNode, closeDocument, ObjectNode, open, openDocument, type Slot } from '../update/tree.ts'
import { compileFilter, compileLeaf } from './matcher.ts'
import { parseFilter } from './parse-filter.ts'
import type { LeafTest, MatchTrace } from './path.ts'

/** Gives the projected form of a document. */
export type Projection = (bytes: Buffer) => Buffer

type PathTree = Map<string, PathTree | true>

interface Parsed {
  mode: 'inclusion' | 'exclusion' | undefined
  keepId: boolean | undefined
  readonly paths: PathTree
  readonly slices: Array<{ path: string[]; skip: number; count: number }>
  readonly matches: Array<{ path: string; test: LeafTest }>
  readonly computed: Array<{ path: string[]; expression: Expression }>
  readonly compiler: Compiler
  positional: string[] | undefined
}

/** Compiles a projection; the filter is asked which item a positional `$` means. */
export function compileProjection(
  spec: RawValue,
  filter: RawValue | undefined,
  variables: Plain,
): Projection {
  const parsed: Parsed = {
    mode: undefined,
    keepId: undefined,
    paths: new Map(),
    slices: [],
    matches: [],
    computed: [],
    compiler: compilerFor(variables),
    positional: undefined,
  }
  for (const { name, value } of fieldsOf(spec)) parseField(parsed, name, value)
  const mode =
    parsed.mode ?? (parsed.keepId === true && parsed.slices.length === 0 ? 'inclusion' : 'exclusion')
  if (mode === 'inclusion') {
    if (parsed.keepId !== false) addPath(parsed.paths, ['_id'])
    for (const { path } of parsed.slices) addPath(parsed.paths, path)
    for (const { path } of parsed.matches) addPath(parsed.paths, [path])
  } else if (parsed.keepId === false) addPath(parsed.paths, ['_id'])
  const position = parsed.positional && filter ? positionIn(filter, variables) : undefined
  if (isPlain(parsed) && parsed.paths.size === 0 && mode === 'exclusion') return (bytes) => bytes
  return (bytes) => {
    const root = openDocument(bytes)
    const kept = mode === 'inclusion' ? include(root, parsed.paths) : exclude(root, parsed.paths)
    for (const { path, skip, count } of parsed.slices) slice(kept, path, 0, skip, count)
    for (const { path, test } of parsed.matches) keepFirstMatch(kept, path, test)
    if (parsed.positional && position) keepPosition(kept, parsed.positional, position(bytes))
    if (parsed.computed.length > 0) compute(kept, parsed.computed, bytes)
    return closeDocument(kept)
  }
}

const isPlain = (parsed: Parsed): boolean =>
  parsed.slices.length + parsed.matches.length + parsed.computed.length === 0 && !parsed.positional

function parseField(parsed: Parsed, name: string, value: RawValue): void {
  if (name === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string')
  if (name.startsWith('$'))
    throw new CommandError(
      16410,
      `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
    )
  if (name.endsWith('.$')) {
    setMode(parsed, 'inclusion', name)
    if (parsed.positional)
      throw new CommandError(31276, 'Cannot specify more than one positional projection per query.')
    parsed.positional = name.slice(0, -2).split('.')
    addPath(parsed.paths, parsed.positional)
    return
  }
  const path = name.split('.')
  if (isNumberType(value.type) || value.type === T.bool) {
    const included = value.type === T.bool ? isTruthy(value) : Number(decodeNumber(value)) !== 0
    if (name === '_id') {
      parsed.keepId = included
      return
    }
    setMode(parsed, included ? 'inclusion' : 'exclusion', name)
    addPath(parsed.paths, path)
    return
  }
  if (value.type === T.object) parseObject(parsed, name, path, value)
  else addComputed(parsed, name, path, value)
}

const decodeNumber = (value: RawValue): unknown =>
  value.type === T.decimal ? String(decode(value)) : numberIn(value)

function parseObject(parsed: Parsed, name: string, path: string[], value: RawValue): void {
  const first = fieldsOf(value)[0]
  if (!first)
    throw new CommandError(51270, `An empty sub-projection is not a valid value. Found empty object at path`)
  if (first.name === '$slice' && isFindSlice(first.value)) {
    parsed.slices.push({ path, ...parseSlice(first.value) })
    return
  }
  if (first.name === '$slice') refuseSlice(first.value)
  if (first.name === '$elemMatch') {
    if (path.length > 1) throw new CommandError(31275, 'Cannot use $elemMatch projection on a nested field.')
    const filter = parseFilter(documentOf(encodeSpec('item', value)))
    if (filter.kind !== 'leaf') throw badValue('elemMatch: Invalid argument, object required')
    parsed.matches.push({ path: name, test: compileLeaf(filter.test, expressionFilter()) })
    setMode(parsed, 'inclusion', name)
    return
  }
  if (first.name === '$meta') throw notSupported('$meta in a projection')
  if (first.name.startsWith('$')) {
    addComputed(parsed, name, path, value)
    return
  }
  for (const field of fieldsOf(value)) parseField(parsed, `${name}.${field.name}`, field.value)
}

function encodeSpec(name: string, value: RawValue): Buffer {
  const node = new ObjectNode()
  node.fields.set(name, value)
  return closeDocument(node)
}

function addComputed(parsed: Parsed, name: string, path: string[], value: RawValue): void {
  const expression = parsed.compiler.compile(value)
  setMode(parsed, 'inclusion', name)
  if (name === '_id') parsed.keepId = false
  parsed.computed.push({ path, expression })
}

function setMode(parsed: Parsed, mode: 'inclusion' | 'exclusion', name: string): void {
  if (parsed.mode && parsed.mode !== mode) {
    throw mode === 'exclusion'
      ? new CommandError(31254, `Cannot do exclusion on field ${name} in inclusion projection`)
      : new CommandError(31253, `Cannot do inclusion on field ${name} in exclusion projection`)
  }
  parsed.mode = mode
}

function addPath(tree: PathTree, path: readonly string[]): void {
  const [name, ...rest] = path
  if (name === undefined) return
  const existing = tree.get(name)
  if (rest.length === 0) {
    if (existing instanceof Map) throw new CommandError(31250, `Path collision at ${name}`)
    tree.set(name, true)
    return
  }
  if (existing === true)
    throw new CommandError(31249, `Path collision at ${path.join('.')} remaining portion ${rest.join('.')}`)
  const child: PathTree = existing ?? new Map()
  tree.set(name, child)
  addPath(child, rest)
}

/** What is no slice of `find` has to be one of the expression language, which takes two or three arguments. */
function refuseSlice(value: RawValue): void {
  const count = arrayItems(value)?.length ?? 1
  if (count === 2 || count === 3) return
  throw new CommandError(
    28667,
    `Invalid $slice syntax. The given syntax did not match the find() syntax because :: Location31273: $slice only supports numbers and [skip, limit] arrays :: The given syntax did not match the expression $slice syntax. :: caused by :: Expression $slice takes at least 2 arguments, and at most 3, but ${count} were passed in.`,
  )
}

const isFindSlice = (value: RawValue): boolean =>
  isNumberType(value.type) || (arrayItems(value)?.every((item) => isNumberType(item.type)) ?? false)

function parseSlice(value: RawValue): { skip: number; count: number } {
  const numbers = (arrayItems(value) ?? [value]).map((item) => Math.trunc(Number(decodeNumber(item))))
  if (numbers.length === 1) {
    const count = numbers[0] ?? 0
    return count < 0 ? { skip: count, count: -count } : { skip: 0, count }
  }
  const [skip = 0, count = 0] = numbers
  if (numbers.length !== 2)
    throw new CommandError(28667, 'Invalid $slice syntax. The given syntax did not match the find() syntax')
  if (count <= 0)
    throw new CommandError(
      28724,
      'First argument to $slice must be an array or number; the second must be positive',
    )
  return { skip, count }
}

function include(node: ObjectNode, tree: PathTree): ObjectNode {
  const kept = new ObjectNode()
  for (const [name, slot] of node.fields) {
    const below = tree.get(name)
    if (below === true) kept.fields.set(name, slot)
    else if (below) {
      const part = includePart(slot, below)
      if (part) kept.fields.set(name, part)
    }
  }
  return kept
}

function includePart(slot: Slot, tree: PathTree): Slot | undefined {
  const opened = open(slot)
  if (opened instanceof ObjectNode) return include(opened, tree)
  if (!(opened instanceof ArrayNode)) return undefined
  opened.items = opened.items.flatMap((item) => includePart(item, tree) ?? [])
  return opened
}

function exclude(node: ObjectNode, tree: PathTree): ObjectNode {
  for (const [name, below] of tree) {
    const slot = node.fields.get(name)
    if (slot === undefined) continue
    if (below === true) node.fields.delete(name)
    else node.fields.set(name, excludePart(slot, below))
  }
  return node
}

function excludePart(slot: Slot, tree: PathTree): Slot {
  const opened = open(slot)
  if (opened instanceof ObjectNode) return exclude(opened, tree)
  if (opened instanceof ArrayNode) opened.items = opened.items.map((item) => excludePart(item, tree))
  return opened
}

function slice(slot: Slot, path: readonly string[], step: number, skip: number, count: number): void {
  if (slot instanceof ArrayNode) {
    slot.items = slot.items.map(open)
    for (const item of slot.items) if (item instanceof ObjectNode) slice(item, path, step, skip, count)
    return
  }
  if (!(slot instanceof ObjectNode)) return
  const name = path[step] ?? ''
  const current = slot.fields.get(name)
  if (current === undefined) return
  const opened = open(current)
  slot.fields.set(name, opened)
  if (step < path.length - 1) slice(opened, path, step + 1, skip, count)
  else if (opened instanceof ArrayNode) {
    const from = skip < 0 ? Math.max(0, opened.items.length + skip) : skip
    opened.items = opened.items.slice(from, from + count)
  }
}

function keepFirstMatch(node: ObjectNode, path: string, test: LeafTest): void {
  const slot = node.fields.get(path)
  const array = slot && encode(slotValue(slot))
  const trace: MatchTrace = { index: undefined }
  node.fields.delete(path)
  if (array?.type !== T.array || !test(array, trace)) return
  const item = itemsOf(array)[trace.index ?? 0]
  if (item) node.fields.set(path, arrayFrom([item]))
}

/** A slot's value; nothing has opened it yet when it is still raw. */
const slotValue = (slot: Slot): unknown => {
  const holder = new ObjectNode()
  holder.fields.set('value', slot)
  return get(documentOf(closeDocument(holder)), 'value')
}

function positionIn(filter: RawValue, variables: Plain): (bytes: Buffer) => number | undefined {
  const matches = compileFilter(parseFilter(filter), expressionFilter(variables))
  return (bytes) => {
    const trace: MatchTrace = { index: undefined }
    matches(documentOf(bytes), trace)
    return trace.index
  }
}

const POSITIONAL = "Executor error during find command :: caused by :: positional operator '.$'"

function matched(position: number | undefined): number {
  if (position !== undefined) return position
  throw new CommandError(51246, `${POSITIONAL} couldn't find a matching element in the array`)
}

/** Of the first array on the path, only the matched item is left; where there is no array, nothing changes. */
function keepPosition(node: ObjectNode, path: readonly string[], position: number | undefined): void {
  let current: Slot = node
  for (const [i, name] of path.entries()) {
    if (!(current instanceof ObjectNode)) return
    const child: Slot | undefined = current.fields.get(name)
    if (child === undefined) return
    const opened = open(child)
    current.fields.set(name, opened)
    if (opened instanceof ArrayNode) {
      opened.items = opened.items.slice(matched(position), matched(position) + 1)
      if (opened.items.length > 0) return
      throw new CommandError(51247, `${POSITIONAL} element mismatch`)
    }
    if (i === path.length - 1) return
    current = opened
  }
}

function compute(node: ObjectNode, computed: Parsed['computed'], bytes: Buffer): void {
  const scope = scopeOf(documentOf(bytes))
  for (const { path, expression } of computed) {
    const value = expression(scope)
    if (value !== undefined) place(node, path, value)
  }
}

function place(node: ObjectNode, path: readonly string[], value: RawValue): void {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    node.fields.set(name, value)
    return
  }
  const current = node.fields.get(name)
  const opened = current && open(current)
  const child = opened instanceof ObjectNode ? opened : new ObjectNode()
  node.fields.set(name, child)
  place(child, rest, value)
}
