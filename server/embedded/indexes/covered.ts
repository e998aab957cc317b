import { T } from '../bson/types.ts'
import { conjuncts, type Filter, type Test } from '../query/filter.ts'
import { boundFields } from './candidates.ts'
import { isMultikey } from './multikey.ts'
import type { IndexPlan } from './plan.ts'
import { implies } from './predicates.ts'

/** Whether the entries in a plan's ranges are of just the documents that pass: nothing has to be read to count them. */
export function isCovered(plan: IndexPlan, filter: Filter): boolean {
  const { index, bounds } = plan
  const used = boundFields(bounds)
  const told = new Set<Filter>()
  for (let i = 0; i < used; i++) {
    for (const { part, group } of bounds[i]?.predicates ?? []) {
      if (group || part.kind !== 'leaf') continue
      const multikey = isMultikey(index, i)
      // An index goes into the array that lies at a position, a filter tries it as a whole.
      if (multikey && part.path.some((step) => step.index >= 0)) continue
      if (isExact(part.test, multikey)) told.add(part)
    }
  }
  const partial = index.partial?.filter
  return conjuncts(filter).every(
    (part) => told.has(part) || (partial !== undefined && implies(partial, part)),
  )
}

/** Whether the intervals of a test hold no value that fails it. */
function isExact(test: Test, multikey: boolean): boolean {
  switch (test.op) {
    case 'eq':
    case 'gte':
    case 'lte':
    case 'gt':
    case 'lt':
      return isExactValue(test.value.type, multikey)
    case 'in':
      return test.patterns.length === 0 && test.values.every(({ type }) => isExactValue(type, multikey))
    default:
      return false
  }
}

/** In an array, what is held as null may be an item without the field, which is not equal to null. */
function isExactValue(type: number, multikey: boolean): boolean {
  switch (type) {
    case T.null:
      return !multikey
    case T.int:
    case T.long:
    case T.double:
    case T.decimal:
    case T.string:
    case T.objectId:
    case T.bool:
    case T.date:
    case T.timestamp:
      return true
    default:
      return false
  }
}
