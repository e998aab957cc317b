import { encodedName, fieldOf, itemAt, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { selectionOf } from '../../commands/selection.ts'
import type { Filter } from '../../query/filter.ts'
import { compileFilter } from '../../query/matcher.ts'
import { anyAtPath, type Path, parsePath } from '../../query/path.ts'
import { planSelection, select } from '../../query/select.ts'
import type { PipelineContext } from '../context.ts'
import { keyText } from '../expressions/order.ts'
import { expressionFilter } from '../expressions.ts'

/** What a document is joined by: the values at a path, the items of arrays one by one; null where there is nothing. */
export function localValues(document: RawValue, path: readonly string[]): RawValue[] {
  const found: RawValue[] = []
  visit(document, path, 0, found)
  return found.length === 0 ? [NULL] : found
}

function visit(value: RawValue | undefined, path: readonly string[], step: number, found: RawValue[]): void {
  if (value === undefined) return
  const name = path[step]
  if (name === undefined) {
    if (value.type === T.array) found.push(...itemsOf(value))
    else found.push(value)
  } else if (value.type === T.object) visit(fieldOf(value, encodedName(name)), path, step + 1, found)
  else if (value.type === T.array) {
    if (/^(0|[1-9]\d{0,8})$/.test(name)) visit(itemAt(value, Number(name)), path, step + 1, found)
    for (const item of itemsOf(value)) if (item.type === T.object) visit(item, path, step, found)
  }
}

/** Text that is equal for values that join. */
export const joinKey = (value: RawValue): string => keyText(value.type === T.undefined ? NULL : value)

/** The keys under which a document is found: those of all values a filter would see at the path. */
export function joinKeys(document: RawValue, path: Path): Set<string> {
  const keys = new Set<string>()
  anyAtPath(document, path, 0, (value) => {
    if (value?.type === T.array) for (const item of itemsOf(value)) keys.add(joinKey(item))
    keys.add(joinKey(value ?? NULL))
    return false
  })
  return keys
}

/** The documents of a collection that have one of the values in a field; an index on it serves. */
export async function findJoined(
  context: PipelineContext,
  from: string,
  field: string,
  values: readonly RawValue[],
  restriction?: Filter,
): Promise<Buffer[]> {
  const { catalog, store } = context.engine
  const collection = catalog.get(context.database, from)
  if (!collection || values.length === 0) return []
  const wanted: Filter = {
    kind: 'leaf',
    field,
    path: parsePath(field),
    test: { op: 'in', values, patterns: [] },
  }
  const filter: Filter = restriction ? { kind: 'and', filters: [wanted, restriction] } : wanted
  const selection = {
    ...selectionOf({ deadline: context.deadline, expected: 1000 }),
    filter,
    matches: compileFilter(filter, expressionFilter(context.variables)),
  }
  const plan = await planSelection(store, collection, selection)
  const found: Buffer[] = []
  for await (const batch of select(store, collection, selection, plan)) {
    found.push(...batch)
  }
  return found
}
