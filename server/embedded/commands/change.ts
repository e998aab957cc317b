import { expressionFilter } from '../aggregation/expressions.ts'
import { applyPipeline } from '../aggregation/pipeline-update.ts'
import { equalValues } from '../bson/compare.ts'
import type { Plain } from '../bson/plain.ts'
import { documentOf, EMPTY_DOCUMENT, get, type RawValue } from '../bson/raw.ts'
import type { Engine } from '../engine.ts'
import { CommandError } from '../errors.ts'
import type { Filter } from '../query/filter.ts'
import type { Chosen } from '../query/select-for-write.ts'
import { applyChanges, withId } from '../update/apply.ts'
import { parseUpdate, type Update } from '../update/parse-update.ts'
import { closeDocument, openDocument } from '../update/tree.ts'
import { equalities, seedTree, upserted } from '../update/upsert.ts'

/** An update, ready to be applied to any number of documents. */
export interface PreparedChange {
  readonly update: Update
  readonly touched: ReadonlySet<string> | undefined
  /** The document after the update. */
  readonly apply: (chosen: Chosen) => Buffer
  /** The document an upsert inserts. */
  readonly insert: (filter: Filter) => Buffer
}

/** Reads an update statement's `u` and `arrayFilters`. */
export function prepareChange(
  engine: Engine,
  updateDocument: RawValue,
  arrayFilters: RawValue | undefined,
  variables: Plain,
): PreparedChange {
  const compileExpression = expressionFilter(variables)
  const update = parseUpdate(updateDocument, arrayFilters, compileExpression)
  const common = {
    now: engine.clock.now(),
    timestamp: () => engine.store.timestamp(),
    compileExpression,
  }
  return {
    update,
    touched: touchedBy(update),
    apply: ({ bytes, trace }) => {
      switch (update.kind) {
        case 'replacement':
          return replacementFor(bytes, update.document)
        case 'pipeline':
          return sameId(bytes, applyPipeline(bytes, update.stages, variables))
        case 'changes':
          return applyChanges(bytes, update.changes, {
            ...common,
            arrayFilters: update.arrayFilters,
            matchedIndex: trace.index,
            inserting: false,
          })
      }
    },
    insert: (filter) => {
      if (update.kind !== 'pipeline') return upserted(filter, update, common)
      const seed = closeDocument(seedTree(equalities(filter), common))
      return withId(openDocument(applyPipeline(seed, update.stages, variables)))
    },
  }
}

/** The top-level fields operators can change; undefined when any field may. */
function touchedBy(update: Update): ReadonlySet<string> | undefined {
  if (update.kind !== 'changes') return undefined
  const touched = new Set<string>()
  for (const { parts, operator, operand } of update.changes) {
    touched.add(parts[0] ?? '')
    if (operator === '$rename')
      touched.add(operand.bytes.toString('utf8', operand.start + 4, operand.end - 1).split('.', 1)[0] ?? '')
  }
  return touched
}

function replacementFor(before: Buffer, document: RawValue): Buffer {
  const root = openDocument(document.bytes.subarray(document.start, document.end))
  const id = get(documentOf(before), '_id')
  const given = get(document, '_id')
  if (given && id && !equalValues(given, id)) {
    throw new CommandError(
      66,
      "After applying the update, the (immutable) field '_id' was found to have been altered to a different value",
    )
  }
  if (id) root.fields.set('_id', id)
  return withId(root)
}

function sameId(before: Buffer, after: Buffer): Buffer {
  const id = get(documentOf(before), '_id')
  const kept = get(documentOf(after), '_id')
  if (!kept) {
    const root = openDocument(after)
    if (id) root.fields.set('_id', id)
    return withId(root)
  }
  if (id && !equalValues(id, kept)) {
    throw new CommandError(
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    )
  }
  return after
}

/** A filter that an upsert would take its fields from may not ask by an expression. */
export function refuseExpressions(filter: Filter): void {
  switch (filter.kind) {
    case 'expr':
      throw new CommandError(224, '$expr is not allowed in the query predicate for an upsert')
    case 'not':
      refuseExpressions(filter.filter)
      return
    case 'and':
    case 'or':
    case 'nor':
      filter.filters.forEach(refuseExpressions)
      return
    case 'leaf':
    case 'constant':
  }
}

export const NO_FILTER = documentOf(EMPTY_DOCUMENT)
