import type { RawValue } from '../bson/raw.ts'
import { documentOf } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { badValue } from '../errors.ts'
import { conjuncts, type Filter } from '../query/filter.ts'
import type { SortField } from '../query/sort.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix } from '../storage/keys.ts'
import { boundFields, entryPrefix, ID_INDEX, planById, planIndex } from './candidates.ts'
import { type Index, namesIndex } from './index-spec.ts'
import type { IndexPlan, Plan, Undecided, UnionPlan } from './plan.ts'
import { type Predicate, predicatesOf } from './predicates.ts'

/** What is asked of a collection. */
export interface Question {
  readonly filter: Filter
  readonly sort: readonly SortField[]
  readonly hint?: RawValue | undefined
}

/**
 * How to find the documents of a filter: a plan, when reason alone tells which is best, and otherwise the
 * candidates, between which `decide.ts` decides by looking.
 */
export function plan(collection: Collection, { filter, sort, hint }: Question): Plan | Undecided {
  if (hint) return hinted(collection, filter, sort, hint)
  const byId = planById(collection, filter)
  if (byId) return byId
  const predicates = predicatesOf(filter)
  const candidates = candidatesOf(collection, filter, predicates, sort)
  const union = planUnion(collection, filter)
  const [only] = candidates
  if (only && candidates.length === 1 && !union) return only
  if (union && !only) return union
  if (!only) return { kind: 'collection', reverse: false, sorted: sort.length === 0 }
  const all = union ? [...candidates, union] : candidates
  return { kind: 'undecided', candidates: all, shape: shapeOf(all, predicates, sort) }
}

/** The plans that no other is surely at least as good as; the best by its score first. */
function candidatesOf(
  collection: Collection,
  filter: Filter,
  predicates: readonly Predicate[],
  sort: readonly SortField[],
): IndexPlan[] {
  const found: IndexPlan[] = []
  const add = (index: Index): void => {
    const candidate = planIndex(collection, index, filter, predicates, sort)
    if (candidate) found.push(candidate)
  }
  add(ID_INDEX)
  for (const index of collection.indexes) if (!index.building) add(index)
  if (found.length < 2) return found
  const exact = found.find((each) => each.exact && each.index.unique)
  if (exact) return [exact]
  found.sort((a, b) => b.score - a.score)
  return found.filter((each, i) => !found.some((other, j) => j < i && isAsGood(other, each)))
}

/** Whether one plan reads no more than another, whatever is stored: it goes by the same fields, and gives the order. */
function isAsGood(one: IndexPlan, other: IndexPlan): boolean {
  if (other.sorted && !one.sorted) return false
  if ((other.index.partial || other.index.sparse) && !one.exact) return false
  const fields = namesOf(one)
  return namesOf(other).every((name) => fields.includes(name))
}

const namesOf = ({ index, bounds }: IndexPlan): string[] =>
  index.fields.slice(0, boundFields(bounds)).map((field) => field.name)

function shapeOf(
  candidates: readonly (IndexPlan | UnionPlan)[],
  predicates: readonly Predicate[],
  sort: readonly SortField[],
): string {
  const indexes = (each: IndexPlan | UnionPlan): string =>
    each.kind === 'index' ? `${each.index.id}` : each.branches.map(indexes).join('|')
  const asked = predicates.map(({ path, intervals }) => {
    const points = intervals?.every((interval) => interval.point)
    return `${path}${points ? (intervals?.length === 1 ? '=' : '@') : '~'}`
  })
  const order = sort.map(({ name, descending }) => (descending ? `-${name}` : name))
  return `${candidates.map(indexes).join()};${asked.join()};${order.join()}`
}

function hinted(collection: Collection, filter: Filter, sort: readonly SortField[], hint: RawValue): Plan {
  const natural = naturalHint(hint)
  if (natural !== undefined) return { kind: 'collection', reverse: natural < 0, sorted: sort.length === 0 }
  const index = [ID_INDEX, ...collection.indexes.filter((each) => !each.building)].find((each) =>
    namesIndex(each, hint),
  )
  if (!index)
    throw badValue(
      'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index',
    )
  return (
    planIndex(collection, index, filter, predicatesOf(filter), sort) ??
    wholeIndex(collection, index, sort.length === 0)
  )
}

function naturalHint(hint: RawValue): number | undefined {
  if (hint.type !== T.object || hint.end - hint.start <= 5) return undefined
  const { bytes, start } = documentOf(hint.bytes.subarray(hint.start, hint.end))
  if (bytes.toString('latin1', start + 5, start + 14) !== '$natural\0') return undefined
  return bytes[start + 4] === T.int ? bytes.readInt32LE(start + 14) : 1
}

/** A sparse or partial index that may miss matches: MongoDB lets the hint have its way. */
function wholeIndex(collection: Collection, index: Index, sorted: boolean): IndexPlan {
  const prefix = entryPrefix(collection, index)
  return {
    kind: 'index',
    index,
    bounds: [],
    ranges: [{ gte: prefix, lt: afterPrefix(prefix), sortedFrom: 0 }],
    reverse: false,
    sorted,
    merge: false,
    bounded: false,
    exact: false,
    score: 0,
  }
}

/** Each branch of an `$or` by the index that serves it best, with what is demanded beside the `$or`. */
function planUnion(collection: Collection, filter: Filter): UnionPlan | undefined {
  const parts = conjuncts(filter)
  const or = parts.find((part) => part.kind === 'or')
  if (or?.kind !== 'or') return undefined
  const beside = parts.filter((part) => part.kind !== 'or')
  const branches: IndexPlan[] = []
  for (const branch of or.filters) {
    const found = planBranch(
      collection,
      beside.length === 0 ? branch : { kind: 'and', filters: [branch, ...beside] },
    )
    if (!found) return undefined
    branches.push(...found)
  }
  return { kind: 'union', branches, sorted: false }
}

function planBranch(collection: Collection, filter: Filter): readonly IndexPlan[] | undefined {
  const byId = planById(collection, filter)
  if (byId) return [byId]
  const [best] = candidatesOf(collection, filter, predicatesOf(filter), [])
  return best ? [best] : planUnion(collection, filter)?.branches
}
