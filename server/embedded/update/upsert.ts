import { documentOf, get, type RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import { conjuncts, type Filter } from '../query/filter.ts'
import { type ApplyContext, applyToTree, withId } from './apply.ts'
import type { Update } from './parse-update.ts'
import { ObjectNode, openDocument } from './tree.ts'

/** What a filter says a document must be equal to: the seed of an upsert. */
export function equalities(filter: Filter): Map<string, RawValue> {
  const found = new Map<string, RawValue>()
  collect(filter, found)
  const paths = [...found.keys()].sort()
  for (const [i, path] of paths.entries()) {
    const outer = paths.slice(0, i).find((other) => path.startsWith(`${other}.`))
    if (outer !== undefined) {
      throw new CommandError(
        54,
        `cannot infer query fields to set, both paths '${outer}' and '${path}' are matched`,
      )
    }
  }
  return found
}

function collect(filter: Filter, found: Map<string, RawValue>): void {
  for (const part of conjuncts(filter)) {
    if (part.kind === 'or' && part.filters.length === 1 && part.filters[0]) collect(part.filters[0], found)
    if (part.kind !== 'leaf') continue
    const { test, field } = part
    const value =
      test.op === 'eq'
        ? test.value
        : test.op === 'in' && test.values.length === 1 && test.patterns.length === 0
          ? test.values[0]
          : undefined
    if (!value) continue
    if (found.has(field)) {
      throw new CommandError(54, `cannot infer query fields to set, path '${field}' is matched twice`)
    }
    found.set(field, value)
  }
}

/** The document an upsert inserts. Replacements take only the `_id` from the filter. */
export function upserted(
  filter: Filter,
  update: Exclude<Update, { kind: 'pipeline' }>,
  context: Omit<ApplyContext, 'arrayFilters' | 'inserting' | 'matchedIndex'>,
): Buffer {
  const seeds = equalities(filter)
  if (update.kind === 'replacement') return replacementWithId(update.document, seeds.get('_id'))
  const root = seedTree(seeds, context)
  applyToTree(
    root,
    update.changes,
    { ...context, arrayFilters: update.arrayFilters, matchedIndex: undefined, inserting: true },
    undefined,
  )
  return checked(withId(root), seeds.get('_id'))
}

/** The equalities as a document, for pipelines and operators to start from. */
export function seedTree(
  seeds: ReadonlyMap<string, RawValue>,
  context: Omit<ApplyContext, 'arrayFilters' | 'inserting' | 'matchedIndex'>,
): ObjectNode {
  const root = new ObjectNode()
  for (const [path, operand] of seeds) {
    applyToTree(
      root,
      [{ operator: '$set', path, parts: path.split('.'), operand }],
      { ...context, arrayFilters: new Map(), matchedIndex: undefined, inserting: true },
      undefined,
    )
  }
  return root
}

function replacementWithId(document: RawValue, id: RawValue | undefined): Buffer {
  const root = openDocument(document.bytes.subarray(document.start, document.end))
  if (id && !root.fields.has('_id')) root.fields.set('_id', id)
  return checked(withId(root), id)
}

function checked(bytes: Buffer, wanted: RawValue | undefined): Buffer {
  const id = get(documentOf(bytes), '_id')
  if (
    wanted &&
    id &&
    !id.bytes.subarray(id.start, id.end).equals(wanted.bytes.subarray(wanted.start, wanted.end))
  ) {
    throw new CommandError(
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    )
  }
  return bytes
}
