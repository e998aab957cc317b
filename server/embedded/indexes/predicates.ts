import { compareValues, equalValues } from '../bson/compare.ts'
import { typeRank } from '../bson/types.ts'
import { conjuncts, type Filter, type Test } from '../query/filter.ts'
import { type Interval, intervalsOf, negatedIntervals } from './intervals.ts'

/** What a filter demands of one path, in a form an index can use. */
export interface Predicate {
  readonly path: string
  /** Undefined when nothing but the presence of the field is demanded. */
  readonly intervals: readonly Interval[] | undefined
  /** Documents without the path cannot pass. */
  readonly present: boolean
  /** Predicates of one `$elemMatch` are about the same item. */
  readonly group: Group | undefined
  /** The part of the filter it was read from. */
  readonly part: Filter
}

/** An `$elemMatch`: how many names lead to its array. */
export interface Group {
  readonly depth: number
}

/** The predicates every matching document must satisfy. */
export function predicatesOf(filter: Filter): Predicate[] {
  const found: Predicate[] = []
  for (const part of conjuncts(filter)) addPredicates(found, part, '', undefined)
  return found
}

function addPredicates(found: Predicate[], part: Filter, prefix: string, group: Group | undefined): void {
  if (part.kind === 'not') {
    const inner = conjuncts(part.filter)
    const only = inner.length === 1 ? inner[0] : undefined
    const intervals = only && negatedIntervals(only)
    if (!intervals || only?.kind !== 'leaf') return
    found.push({ path: prefix + only.field, intervals, present: false, group, part })
    return
  }
  if (part.kind !== 'leaf') return
  const path = part.field === '' ? prefix.slice(0, -1) : prefix + part.field
  if (part.test.op === 'elemMatch') {
    const items: Group = { depth: path.split('.').length }
    for (const inner of conjuncts(part.test.filter)) addPredicates(found, inner, `${path}.`, items)
    return
  }
  const present = impliesPresence(part.test)
  // An item that is a document lacks the field `0`, so `a.0` is null there too, whatever the index holds.
  if (!present && part.path.some(({ index }) => index >= 0)) return
  const intervals = intervalsOf(part.test)
  if (intervals || (present && part.test.op === 'exists'))
    found.push({ path, intervals, present, group, part })
}

/** Whether a document that passes must have the field. */
export function impliesPresence(test: Test): boolean {
  const isNull = (type: number) => typeRank(type) <= 5
  switch (test.op) {
    case 'eq':
    case 'gte':
    case 'lte':
      return !isNull(test.value.type)
    case 'in':
      return !test.values.some((value) => isNull(value.type))
    default:
      return true
  }
}

/** Whether every document that passes `filter` passes the filter of a partial index. */
export function implies(filter: Filter, wanted: Filter): boolean {
  switch (wanted.kind) {
    case 'and':
      return wanted.filters.every((part) => implies(filter, part))
    case 'or':
      return wanted.filters.some((part) => implies(filter, part))
    case 'leaf':
      return conjuncts(filter).some((part) => partImplies(part, wanted))
    case 'constant':
      return wanted.value
    default:
      return false
  }
}

function partImplies(part: Filter, wanted: Filter & { kind: 'leaf' }): boolean {
  if (part.kind === 'or') return part.filters.every((branch) => implies(branch, wanted))
  return part.kind === 'leaf' && part.field === wanted.field && testImplies(part.test, wanted.test)
}

function testImplies(test: Test, wanted: Test): boolean {
  if (wanted.op === 'exists') return impliesPresence(test)
  if (test.op === 'in' && test.patterns.length === 0) {
    return test.values.every((value) => testImplies({ op: 'eq', value }, wanted))
  }
  if (wanted.op === 'type') {
    if (test.op === 'eq') return wanted.types.has(test.value.type)
    return test.op === 'type' && [...test.types].every((type) => wanted.types.has(type))
  }
  if (wanted.op === 'in') {
    return test.op === 'eq' && wanted.values.some((value) => equalValues(value, test.value))
  }
  if (!('value' in wanted) || !('value' in test)) return false
  if (typeRank(test.value.type) !== typeRank(wanted.value.type)) return false
  return rangeImplies(test, wanted)
}

type Comparison = Test & { op: 'eq' | 'gt' | 'gte' | 'lt' | 'lte' }

function rangeImplies(test: Comparison, wanted: Comparison): boolean {
  const order = compareValues(test.value, wanted.value)
  switch (wanted.op) {
    case 'eq':
      return test.op === 'eq' && order === 0
    case 'gt':
      return order > 0 ? test.op === 'eq' || test.op.startsWith('g') : order === 0 && test.op === 'gt'
    case 'gte':
      return order >= 0 && (test.op === 'eq' || test.op.startsWith('g'))
    case 'lt':
      return order < 0 ? test.op === 'eq' || test.op.startsWith('l') : order === 0 && test.op === 'lt'
    case 'lte':
      return order <= 0 && (test.op === 'eq' || test.op.startsWith('l'))
  }
}
