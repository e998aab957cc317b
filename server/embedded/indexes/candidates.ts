import type { RawValue } from '../bson/raw.ts'
import { documentOf } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { conjuncts, type Filter } from '../query/filter.ts'
import type { SortField } from '../query/sort.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix, indexPrefix } from '../storage/keys.ts'
import { ID_INDEX_SPECIFICATION, type Index, parseIndex } from './index-spec.ts'
import { descending, type Interval, intersect } from './intervals.ts'
import { isMultikey } from './multikey.ts'
import type { Bound, IndexPlan, ScanRange } from './plan.ts'
import { implies, type Predicate } from './predicates.ts'

/** The order of `_id`, in which the documents themselves lie. */
export const ID_INDEX: Index = { ...parseIndex(0, documentOf(ID_INDEX_SPECIFICATION)), unique: true }

const MAX_RANGES = 4096
const MAX_MERGED_RANGES = 128

/** Where an index's entries begin; the `_id` index is the documents. */
export const entryPrefix = (collection: Collection, index: Index): Buffer =>
  index.id === 0 ? collection.prefix : indexPrefix(collection.id, index.id)

/** The plan of a filter that names one `_id`: by far the most frequent, and no other index is as good. */
export function planById(collection: Collection, filter: Filter): IndexPlan | undefined {
  for (const part of conjuncts(filter)) {
    if (part.kind !== 'leaf' || part.field !== '_id' || part.test.op !== 'eq') continue
    if (isOneId(part.test.value)) return byId(collection, part, part.test.value)
  }
  return undefined
}

/** Arrays are no ids, and null is equal to two values. */
const isOneId = ({ type }: RawValue): boolean => type !== T.array && type !== T.null && type !== T.undefined

function byId(collection: Collection, part: Filter, value: RawValue): IndexPlan {
  const gte = collection.documentKey(value)
  const bytes = gte.subarray(collection.prefix.length)
  const intervals = [
    { low: { bytes, after: false, value }, high: { bytes, after: true, value }, point: true },
  ]
  const predicate: Predicate = { path: '_id', intervals, present: true, group: undefined, part }
  return {
    kind: 'index',
    index: ID_INDEX,
    bounds: [{ intervals, predicates: [predicate] }],
    // Only a scan asks where the range ends.
    ranges: [
      {
        gte,
        sortedFrom: 0,
        get lt() {
          return afterPrefix(gte)
        },
      },
    ],
    reverse: false,
    sorted: true,
    merge: false,
    bounded: true,
    exact: true,
    score: 0,
  }
}

/** The plan by one index, or undefined when the index may miss documents of the filter or does not serve it. */
export function planIndex(
  collection: Collection,
  index: Index,
  filter: Filter,
  predicates: readonly Predicate[],
  sort: readonly SortField[],
): IndexPlan | undefined {
  const leading = index.fields[0]?.name
  const selective = index.partial !== undefined || index.sparse
  if (!selective && sort.length === 0 && !predicates.some((each) => each.path === leading)) return undefined
  if (index.partial && !implies(filter, index.partial.filter)) return undefined
  if (index.sparse && !coversSparse(index, predicates)) return undefined
  const bounds = boundsOf(index, predicates)
  const bounded = bounds[0] !== undefined
  const order = sortOrder(index, bounds, sort)
  if (!bounded && !selective && !order) return undefined
  const ranges = rangesOf(index, bounds, entryPrefix(collection, index), order?.mergeFrom ?? -1)
  const mergeFrom = order?.mergeFrom ?? 0
  const mergeable = mergeFrom <= boundFields(bounds) && ranges.length <= MAX_MERGED_RANGES
  const sorted = sort.length === 0 || (order !== undefined && (mergeFrom === 0 || mergeable))
  if (!bounded && !selective && !sorted) return undefined
  return {
    kind: 'index',
    index,
    bounds,
    ranges,
    reverse: sort.length > 0 && sorted && (order?.reverse ?? false),
    sorted,
    merge: sort.length > 0 && sorted && mergeFrom > 0 && ranges.length > 1,
    bounded,
    exact: bounds.every(isPoints),
    score: scoreOf(index, bounds, sort.length > 0 && sorted),
  }
}

/** A sparse index misses documents that have none of its fields: some field must be demanded. */
const coversSparse = (index: Index, predicates: readonly Predicate[]): boolean =>
  index.fields.some((field) => predicates.some((each) => each.present && each.path === field.name))

type Bounds = (Bound | undefined)[]
type Narrowing = Predicate & { readonly intervals: readonly Interval[] }

const narrows = (each: Predicate): each is Narrowing => each.intervals !== undefined

/** The intervals of each field of an index, as far as they narrow it. */
function boundsOf(index: Index, predicates: readonly Predicate[]): Bounds {
  const groups = new Map<string, Predicate['group']>()
  return index.fields.map((field, position) => {
    const usable = predicates.filter((each): each is Narrowing => each.path === field.name && narrows(each))
    if (usable.length === 0) return undefined
    if (!isMultikey(index, position)) return boundOf(usable)
    // Different items of an array may satisfy different predicates, so only one of them may narrow the scan,
    // unless one $elemMatch holds them together and there is no further array inside its items.
    const root = field.name.split('.', 1)[0] ?? ''
    const isOneItem = (each: Predicate): boolean =>
      each.group !== undefined && !isMultikey(index, position, each.group.depth)
    const chosen = groups.has(root)
      ? usable.find((each) => isOneItem(each) && each.group === groups.get(root))
      : (usable.find((each) => each.intervals.every((interval) => interval.point)) ?? usable[0])
    if (!chosen) return undefined
    const together = isOneItem(chosen)
    groups.set(root, together ? chosen.group : undefined)
    return boundOf(together ? usable.filter((each) => each.group === chosen.group) : [chosen])
  })
}

function boundOf(predicates: readonly Narrowing[]): Bound {
  return { intervals: predicates.map((each) => each.intervals).reduce((a, b) => intersect(a, b)), predicates }
}

const isPoints = (bound: Bound | undefined): boolean =>
  bound?.intervals.every((interval) => interval.point) ?? false

const countOf = (bound: Bound | undefined): number => bound?.intervals.length ?? 0

/** How many fields the ranges of these bounds go by: points, and after them one range. */
export function boundFields(bounds: readonly (Bound | undefined)[]): number {
  let ranges = 1
  for (let i = 0; i < bounds.length; i++) {
    const bound = bounds[i]
    ranges *= countOf(bound)
    if (!bound || ranges > MAX_RANGES) return i
    if (!isPoints(bound)) return i + 1
  }
  return bounds.length
}

function rangesOf(index: Index, bounds: Bounds, prefix: Buffer, mergeFrom: number): ScanRange[] {
  const used = boundFields(bounds)
  let heads = [{ bytes: prefix, sortedFrom: prefix.length }]
  for (let i = 0; i < used; i++) {
    const bound = bounds[i] as Bound
    const intervals = index.fields[i]?.descending ? descending(bound.intervals) : bound.intervals
    if (!isPoints(bound)) {
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
  const fixedFields = leadingPoints(bounds)
  for (const wanted of sort) {
    const fixed = index.fields.findIndex((field) => field.name === wanted.name)
    // One value only: it does not matter to the order, if everything before it is bounded too.
    if (fixed >= 0 && fixed < fixedFields && countOf(bounds[fixed]) === 1 && !isMultikey(index, fixed))
      continue
    while (position < index.fields.length && index.fields[position]?.name !== wanted.name) {
      const bound = bounds[position]
      if (!bound || !isPoints(bound) || (reverse !== undefined && countOf(bound) !== 1)) return undefined
      if (countOf(bound) !== 1) mergeFrom = position + 1
      position++
    }
    const field = index.fields[position]
    if (!field || isMultikey(index, position)) return undefined
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

/** A first guess, for plans between which nothing else decides. */
function scoreOf(index: Index, bounds: Bounds, sorts: boolean): number {
  let score = sorts ? 14 : 0
  let bounded = 0
  for (const bound of bounds) {
    if (!bound) break
    bounded++
    if (isPoints(bound)) {
      score += countOf(bound) <= 1 ? 20 : 18
      continue
    }
    score += bound.intervals.every(({ low, high }) => low.bytes.length > 1 && high.bytes.length > 1) ? 9 : 6
    break
  }
  if (index.partial) score += 1
  return score - (index.fields.length - bounded) * 0.1
}
