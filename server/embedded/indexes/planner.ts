import type { RawValue } from '../bson/raw.ts'
import { documentOf } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { badValue } from '../errors.ts'
import { conjuncts, type Filter } from '../query/filter.ts'
import type { SortField } from '../query/sort.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix, indexPrefix } from '../storage/keys.ts'
import type { KeyRange } from '../storage/store.ts'
import { ID_INDEX_SPECIFICATION, type Index, namesIndex, parseIndex } from './index-spec.ts'
import { descending, type Interval, intersect } from './intervals.ts'
import { implies, type Predicate, predicatesOf } from './predicates.ts'

/** The order of `_id`, in which the documents themselves lie. */
export const ID_INDEX: Index = { ...parseIndex(0, documentOf(ID_INDEX_SPECIFICATION)), unique: true }

/** A range of keys; in a merge, the bytes before `sortedFrom` are one value and the order begins after them. */
export interface ScanRange extends KeyRange {
  readonly sortedFrom: number
}

/** Reads an index, or all documents in the order of `_id`. */
export interface IndexPlan {
  readonly kind: 'index'
  readonly index: Index
  readonly ranges: readonly ScanRange[]
  readonly reverse: boolean
  readonly sorted: boolean
  /** The ranges are each in order and have to be merged. */
  readonly merge: boolean
  /** Bounds were found; without them the whole index is read, for its order. */
  readonly bounded: boolean
  /** Every field is bound to points: in a unique index each range holds one entry at most. */
  readonly exact: boolean
  readonly score: number
}

/** Reads every document. */
export interface CollectionPlan {
  readonly kind: 'collection'
  readonly reverse: boolean
  readonly sorted: boolean
}

/** Reads each branch of an `$or` by its own index. */
export interface UnionPlan {
  readonly kind: 'union'
  readonly branches: readonly IndexPlan[]
  readonly sorted: false
}

export type Plan = IndexPlan | CollectionPlan | UnionPlan

const MAX_RANGES = 4096
const MAX_MERGED_RANGES = 128

/** Chooses how to find the documents of a filter. */
export function plan(
  collection: Collection,
  filter: Filter,
  sort: readonly SortField[],
  hint?: RawValue,
): Plan {
  const predicates = predicatesOf(filter)
  const indexes = [ID_INDEX, ...collection.indexes.filter((index) => !index.building)]
  if (hint) return hinted(collection, indexes, filter, predicates, sort, hint)
  let best: IndexPlan | undefined
  for (const index of indexes) {
    const candidate = planIndex(collection, index, filter, predicates, sort)
    if (candidate && isUseful(candidate, sort.length > 0) && (!best || candidate.score > best.score))
      best = candidate
  }
  if (best?.bounded) return best
  const union = best?.sorted ? undefined : planUnion(collection, filter)
  return union ?? best ?? { kind: 'collection', reverse: false, sorted: sort.length === 0 }
}

/** Without bounds an index is read only for the order it gives. */
const isUseful = (candidate: IndexPlan, sorts: boolean): boolean =>
  candidate.bounded || (sorts && candidate.sorted)

function hinted(
  collection: Collection,
  indexes: readonly Index[],
  filter: Filter,
  predicates: readonly Predicate[],
  sort: readonly SortField[],
  hint: RawValue,
): Plan {
  if (hint.type === T.object && documentOf(hint.bytes.subarray(hint.start, hint.end)).end > 5) {
    const natural = naturalHint(hint)
    if (natural !== undefined) return { kind: 'collection', reverse: natural < 0, sorted: sort.length === 0 }
  }
  const index = indexes.find((each) => namesIndex(each, hint))
  if (!index)
    throw badValue(
      'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index',
    )
  const usable = planIndex(collection, index, filter, predicates, sort)
  if (usable) return usable
  // A sparse or partial index that may miss matches: MongoDB lets the hint have its way.
  return wholeIndex(collection, index)
}

function naturalHint(hint: RawValue): number | undefined {
  const name = hint.bytes.toString('latin1', hint.start + 5, hint.start + 13)
  if (name !== '$natural') return undefined
  return hint.bytes[hint.start + 4] === T.int ? hint.bytes.readInt32LE(hint.start + 14) : 1
}

function wholeIndex(collection: Collection, index: Index): IndexPlan {
  const prefix = entryPrefix(collection, index)
  return {
    kind: 'index',
    index,
    ranges: [{ gte: prefix, lt: afterPrefix(prefix), sortedFrom: 0 }],
    reverse: false,
    sorted: false,
    merge: false,
    bounded: false,
    exact: false,
    score: 0,
  }
}

/** Where an index's entries begin; the `_id` index is the documents. */
export const entryPrefix = (collection: Collection, index: Index): Buffer =>
  index.id === 0 ? collection.prefix : indexPrefix(collection.id, index.id)

function planUnion(collection: Collection, filter: Filter): UnionPlan | undefined {
  const or = conjuncts(filter).find((part) => part.kind === 'or')
  if (or?.kind !== 'or') return undefined
  const branches: IndexPlan[] = []
  for (const branch of or.filters) {
    const chosen = plan(collection, branch, [])
    if (chosen.kind === 'union') branches.push(...chosen.branches)
    else if (chosen.kind === 'index' && chosen.bounded) branches.push(chosen)
    else return undefined
  }
  return { kind: 'union', branches, sorted: false }
}

function planIndex(
  collection: Collection,
  index: Index,
  filter: Filter,
  predicates: readonly Predicate[],
  sort: readonly SortField[],
): IndexPlan | undefined {
  if (index.partial && !implies(filter, index.partial.filter)) return undefined
  if (index.sparse && !coversSparse(index, predicates)) return undefined
  const bounds = boundsOf(index, predicates)
  const prefix = entryPrefix(collection, index)
  const order = sortOrder(index, bounds, sort)
  const ranges = rangesOf(index, bounds, prefix, order?.mergeFrom ?? -1)
  const bounded = bounds.some((bound) => bound !== undefined)
  const tooMany = order?.mergeFrom !== undefined && ranges.length > MAX_MERGED_RANGES
  const sorted = sort.length === 0 || (order !== undefined && !tooMany)
  const merge = sort.length > 0 && sorted && (order?.mergeFrom ?? -1) > 0 && ranges.length > 1
  return {
    kind: 'index',
    index,
    ranges,
    reverse: sort.length > 0 && sorted && (order?.reverse ?? false),
    sorted,
    merge,
    bounded,
    exact: bounds.every(isPoints),
    score: scoreOf(index, bounds, sort.length > 0 && sorted),
  }
}

/** A sparse index misses documents that have none of its fields: some field must be demanded. */
const coversSparse = (index: Index, predicates: readonly Predicate[]): boolean =>
  index.fields.some((field) => predicates.some((each) => each.present && each.path === field.name))

type Bounds = Array<readonly Interval[] | undefined>

/** The intervals of each field of an index, as far as they narrow it. */
function boundsOf(index: Index, predicates: readonly Predicate[]): Bounds {
  const groups = new Map<string, Filter | undefined>()
  return index.fields.map((field, position) => {
    const usable = predicates.filter((each) => each.path === field.name)
    if (usable.length === 0) return undefined
    if (!index.multikey.has(position)) {
      return usable.map((each) => each.intervals).reduce((a, b) => intersect(a, b))
    }
    // Different items of an array may satisfy different predicates, so only one of them may narrow the scan,
    // unless one $elemMatch holds them together.
    const root = field.name.split('.', 1)[0] ?? ''
    const taken = groups.get(root)
    const chosen = groups.has(root)
      ? usable.find((each) => each.group !== undefined && each.group === taken)
      : (usable.find((each) => each.intervals.every((interval) => interval.point)) ?? usable[0])
    if (!chosen) return undefined
    groups.set(root, chosen.group)
    const together = usable.filter((each) => each.group !== undefined && each.group === chosen.group)
    return [chosen, ...together].map((each) => each.intervals).reduce((a, b) => intersect(a, b))
  })
}

const isPoints = (bound: readonly Interval[] | undefined): boolean =>
  bound?.every((interval) => interval.point) ?? false

function rangesOf(index: Index, bounds: Bounds, prefix: Buffer, mergeFrom: number): ScanRange[] {
  let heads = [{ bytes: prefix, sortedFrom: prefix.length }]
  for (let i = 0; i < bounds.length; i++) {
    const bound = bounds[i]
    const intervals = bound && index.fields[i]?.descending ? descending(bound) : bound
    if (!intervals || heads.length * intervals.length > MAX_RANGES) break
    if (!isPoints(intervals)) {
      return heads.flatMap(({ bytes, sortedFrom }) =>
        intervals.map(({ low, high }) => ({
          gte: cutKey(bytes, low.bytes, low.after),
          lt: cutKey(bytes, high.bytes, high.after),
          sortedFrom,
        })),
      )
    }
    heads = heads.flatMap((head) =>
      intervals.map(({ low }) => {
        const bytes = Buffer.concat([head.bytes, low.bytes])
        return { bytes, sortedFrom: i < mergeFrom ? bytes.length : head.sortedFrom }
      }),
    )
  }
  return heads.map(({ bytes, sortedFrom }) => ({ gte: bytes, lt: afterPrefix(bytes), sortedFrom }))
}

const cutKey = (head: Buffer, bytes: Buffer, after: boolean): Buffer => {
  const key = Buffer.concat([head, bytes])
  return after ? afterPrefix(key) : key
}

interface Order {
  readonly reverse: boolean
  /** How many leading fields are points of which there are several: their ranges have to be merged. */
  readonly mergeFrom?: number
}

/** Whether the index gives a sort, read forwards or backwards. */
function sortOrder(index: Index, bounds: Bounds, sort: readonly SortField[]): Order | undefined {
  if (sort.length === 0) return { reverse: false }
  if (index.hashed) return undefined
  let position = 0
  let reverse: boolean | undefined
  let mergeFrom: number | undefined
  for (const wanted of sort) {
    const fixed = index.fields.findIndex((field) => field.name === wanted.name)
    if (fixed >= 0 && bounds[fixed]?.length === 1 && isPoints(bounds[fixed]) && !index.multikey.has(fixed)) {
      // One value only: it does not matter to the order, if everything before it is bounded too.
      if (fixed < leadingPoints(bounds)) continue
    }
    while (position < index.fields.length && index.fields[position]?.name !== wanted.name) {
      const bound = bounds[position]
      if (!bound || !isPoints(bound) || (reverse !== undefined && bound.length !== 1)) return undefined
      if (bound.length !== 1) mergeFrom = position + 1
      position++
    }
    const field = index.fields[position]
    if (!field || index.multikey.has(position)) return undefined
    const backwards = field.descending !== wanted.descending
    if (reverse !== undefined && reverse !== backwards) return undefined
    reverse = backwards
    position++
  }
  if (mergeFrom === undefined) return { reverse: reverse ?? false }
  return { reverse: reverse ?? false, mergeFrom }
}

function leadingPoints(bounds: Bounds): number {
  let count = 0
  while (count < bounds.length && isPoints(bounds[count])) count++
  return count
}

function scoreOf(index: Index, bounds: Bounds, sorts: boolean): number {
  let score = sorts ? 14 : 0
  let bounded = 0
  for (const bound of bounds) {
    if (!bound) break
    bounded++
    if (isPoints(bound)) {
      score += bound.length <= 1 ? 20 : 18
      continue
    }
    score += bound.every((interval) => interval.low.bytes.length > 1 && interval.high.bytes.length > 1)
      ? 9
      : 6
    break
  }
  if (bounds.every(isPoints) && index.unique) score += 1000
  if (index.partial) score += 1
  return score - (index.fields.length - bounded) * 0.1
}
