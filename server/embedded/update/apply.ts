import { equalValues } from '../bson/compare.ts'
import { documentOf, fieldsOf, get, NULL, RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { emptyObject, newObjectId, stringIn } from '../bson/values.ts'
import { badValue, CommandError } from '../errors.ts'
import { describeValue } from '../storage/describe-value.ts'
import { type ModifyContext, modify } from './modifiers.ts'
import type { ArrayFilters, Change } from './parse-update.ts'
import { ArrayNode, closeDocument, closeSlot, ObjectNode, open, openDocument, type Slot } from './tree.ts'

/** What changes need to know besides the document. */
export interface ApplyContext extends Omit<ModifyContext, 'id'> {
  readonly arrayFilters: ArrayFilters
  /** The array item that made the filter match, for `$`. */
  readonly matchedIndex: number | undefined
  /** The document is about to be inserted: `$setOnInsert` counts. */
  readonly inserting: boolean
}

/** A change on its way down a path. */
interface Walk {
  readonly change: Change
  readonly context: ApplyContext
  readonly id: RawValue | undefined
  /** Paths that lead nowhere are made, except for operators that only take away. */
  readonly creates: boolean
}

const TAKES_AWAY = new Set(['$unset', '$pull', '$pullAll', '$pop', '$rename'])

/** The longest array a single position may make. */
const MAX_PADDING = 1_500_000

/** Applies operators to a document's bytes. */
export function applyChanges(before: Buffer, changes: readonly Change[], context: ApplyContext): Buffer {
  const root = openDocument(before)
  const id = get(documentOf(before), '_id')
  applyToTree(root, changes, context, id)
  const after = root.fields.get('_id')
  if (id && !(after && equalValues(closeSlot(after), id))) {
    throw new CommandError(
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    )
  }
  return closeDocument(root)
}

export function applyToTree(
  root: ObjectNode,
  changes: readonly Change[],
  context: ApplyContext,
  id: RawValue | undefined,
): void {
  for (const change of changes) {
    if (change.operator === '$setOnInsert' && !context.inserting) continue
    if (change.operator === '$rename') rename(root, change, context, id)
    else step(root, change.parts, 0, { change, context, id, creates: !TAKES_AWAY.has(change.operator) })
  }
}

function step(node: Slot, parts: readonly string[], at: number, walk: Walk): void {
  if (node instanceof ObjectNode) stepIntoObject(node, parts, at, walk)
  else if (node instanceof ArrayNode) stepIntoArray(node, parts, at, walk)
}

function stepIntoObject(node: ObjectNode, parts: readonly string[], at: number, walk: Walk): void {
  const name = parts[at] ?? ''
  if (name.startsWith('$')) {
    throw badValue(
      name === '$'
        ? 'The positional operator did not find the match needed from the query.'
        : `Cannot apply array updates to non-array element ${parts[at - 1]}: ${describeValue(closeSlot(node))}`,
    )
  }
  const current = node.fields.get(name)
  if (at === parts.length - 1) {
    const changed = modify(current, walk.change, contextOf(walk))
    if (changed === undefined) {
      if (walk.change.operator === '$unset') node.fields.delete(name)
    } else node.fields.set(name, changed)
    return
  }
  const next = descend(current, parts, at, walk)
  if (next === undefined) return
  node.fields.set(name, next)
  step(next, parts, at + 1, walk)
}

/** The opened child a path goes on into, made when it is missing; undefined when there is nothing to do. */
function descend(
  current: Slot | undefined,
  parts: readonly string[],
  at: number,
  walk: Walk,
): Slot | undefined {
  const name = parts[at] ?? ''
  const following = parts[at + 1] ?? ''
  if (current === undefined) {
    if (following.startsWith('$[')) {
      throw badValue(
        `The path '${parts.slice(0, at + 1).join('.')}' must exist in the document in order to apply array updates.`,
      )
    }
    return walk.creates ? open(emptyObject()) : undefined
  }
  const opened = open(current)
  if (!(opened instanceof RawValue)) return opened
  if (following.startsWith('$[')) {
    throw badValue(`Cannot apply array updates to non-array element ${name}: ${describeValue(opened)}`)
  }
  if (!walk.creates) {
    refuseTraversal(walk, following, name, opened)
    return undefined
  }
  throw new CommandError(
    28,
    `Cannot create field '${following}' in element {${name}: ${describeValue(opened)}}`,
  )
}

/** What only takes away may lead nowhere, but only `$unset` where nothing could ever be. */
function refuseTraversal({ change }: Walk, part: string, name: string, value: RawValue): void {
  if (change.operator === '$unset') return
  throw new CommandError(
    28,
    `Cannot use the part (${part}) of (${change.path}) to traverse the element ({${name}: ${describeValue(value)}})`,
  )
}

function stepIntoArray(node: ArrayNode, parts: readonly string[], at: number, walk: Walk): void {
  const part = parts[at] ?? ''
  if (part.startsWith('$')) {
    for (const position of positions(node, part, walk)) stepIntoItem(node, position, parts, at, walk)
    return
  }
  if (!isPosition(part)) {
    if (!walk.creates) {
      refuseTraversal(walk, part, parts[at - 1] ?? '', closeSlot(node))
      return
    }
    throw new CommandError(
      28,
      `Cannot create field '${part}' in element {${parts[at - 1]}: ${describeValue(closeSlot(node))}}`,
    )
  }
  stepIntoItem(node, Number(part), parts, at, walk)
}

const isPosition = (part: string): boolean => /^(0|[1-9]\d*)$/.test(part)

function positions(node: ArrayNode, part: string, walk: Walk): number[] {
  if (part === '$') {
    const { matchedIndex } = walk.context
    if (matchedIndex === undefined) {
      throw badValue('The positional operator did not find the match needed from the query.')
    }
    return [matchedIndex]
  }
  const all = node.items.map((_, i) => i)
  if (part === '$[]') return all
  const name = part.slice(2, -1)
  const matches = walk.context.arrayFilters.get(name)
  return all.filter((i) => {
    const item = node.items[i]
    return item !== undefined && matches?.(wrap(name, closeSlot(item)))
  })
}

/** An array filter sees the item as a field of a document. */
function wrap(name: string, item: RawValue): RawValue {
  const node = new ObjectNode()
  node.fields.set(name, item)
  return documentOf(closeDocument(node))
}

function stepIntoItem(
  node: ArrayNode,
  position: number,
  parts: readonly string[],
  at: number,
  walk: Walk,
): void {
  const current = node.items[position]
  if (at === parts.length - 1) {
    const changed = modify(current, walk.change, contextOf(walk))
    if (changed !== undefined) setItem(node, position, changed)
    else if (walk.change.operator === '$unset' && current !== undefined) node.items[position] = NULL
    return
  }
  const next = descend(current, parts, at, walk)
  if (next === undefined) return
  setItem(node, position, next)
  step(next, parts, at + 1, walk)
}

function setItem(node: ArrayNode, position: number, slot: Slot): void {
  if (position - node.items.length > MAX_PADDING) {
    throw new CommandError(33, `array index ${position} is too far past the end of the array`)
  }
  while (node.items.length < position) node.items.push(NULL)
  node.items[position] = slot
}

const contextOf = (walk: Walk): ModifyContext => ({ ...walk.context, id: walk.id })

function rename(root: ObjectNode, change: Change, context: ApplyContext, id: RawValue | undefined): void {
  const moved = takeOut(root, change.parts)
  if (moved === undefined) return
  const target = stringIn(change.operand)
  const set: Change = { operator: '$set', path: target, parts: target.split('.'), operand: closeSlot(moved) }
  root.fields.delete(target)
  step(root, set.parts, 0, { change: set, context, id, creates: true })
}

/** Removes a field and answers it. A rename may not go through arrays. */
function takeOut(root: ObjectNode, parts: readonly string[]): Slot | undefined {
  let node = root
  for (const [i, part] of parts.entries()) {
    const current = node.fields.get(part)
    if (current === undefined) return undefined
    if (i === parts.length - 1) {
      node.fields.delete(part)
      return current
    }
    const opened = open(current)
    const next = parts[i + 1] ?? ''
    if (opened instanceof ArrayNode && isPosition(next)) {
      if (Number(next) >= opened.items.length) return undefined
      throw badValue(
        `The source field cannot be an array element, '${parts.join('.')}' has an array field called '${part}'`,
      )
    }
    if (!(opened instanceof ObjectNode)) {
      throw new CommandError(
        28,
        `cannot use the part (${next} of ${parts.join('.')}) to traverse the element ({${part}: ${describeValue(closeSlot(opened))}})`,
      )
    }
    node.fields.set(part, opened)
    node = opened
  }
  return undefined
}

/** Puts `_id` first, made when it is missing, as every stored document has it. */
export function withId(root: ObjectNode): Buffer {
  const id = root.fields.get('_id') ?? newObjectId()
  const ordered = new ObjectNode()
  ordered.fields.set('_id', id)
  for (const [name, slot] of root.fields) if (name !== '_id') ordered.fields.set(name, slot)
  checkId(closeSlot(id))
  return closeDocument(ordered)
}

/** Refuses what cannot be an `_id`. */
export function checkId(id: RawValue): void {
  if (id.type === T.array) throw new CommandError(53, "The '_id' value cannot be of type array")
  if (id.type === T.regex) throw new CommandError(53, "The '_id' value cannot be of type regex")
  if (id.type === T.undefined) throw new CommandError(53, "The '_id' value cannot be of type undefined")
  const dollar = id.type === T.object && fieldsOf(id).find(({ name }) => name.startsWith('$'))
  if (dollar) {
    throw new CommandError(
      52,
      `_id fields may not contain '$'-prefixed fields: ${dollar.name} is not valid for storage.`,
    )
  }
}
