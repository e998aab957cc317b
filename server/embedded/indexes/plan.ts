import type { KeyRange } from '../storage/store.ts'
import type { Index } from './index-spec.ts'
import type { Interval } from './intervals.ts'
import type { Predicate } from './predicates.ts'

/** A range of keys; in a merge, the bytes before `sortedFrom` are one value and the order begins after them. */
export interface ScanRange extends KeyRange {
  readonly sortedFrom: number
}

/** What narrows one field of an index, and the predicates it comes from. */
export interface Bound {
  readonly intervals: readonly Interval[]
  readonly predicates: readonly Predicate[]
}

/** Reads an index, or all documents in the order of `_id`. */
export interface IndexPlan {
  readonly kind: 'index'
  readonly index: Index
  /** By field, as far as the index is narrowed. */
  readonly bounds: readonly (Bound | undefined)[]
  readonly ranges: readonly ScanRange[]
  readonly reverse: boolean
  readonly sorted: boolean
  /** The ranges are each in order and have to be merged. */
  readonly merge: boolean
  /** Bounds were found; without them the whole index is read, for its order or because it holds less. */
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

/** Plans of which only a look at the indexes tells which is best. */
export interface Undecided {
  readonly kind: 'undecided'
  readonly candidates: readonly (IndexPlan | UnionPlan)[]
  /** What such plans have in common, whatever the values: a decision holds for all of them. */
  readonly shape: string
}
