import { documentOf, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { CommandError } from '../../errors.ts'
import { parsePath, valueAt } from '../../query/path.ts'
import type { SortField } from '../../query/sort.ts'
import type { Scope } from '../expressions/expression.ts'
import { millisecondsIn } from '../expressions/moments.ts'
import { doubleOf, isNumeric } from '../numbers.ts'

/** The documents of one partition, in order. */
export interface Partition {
  readonly documents: readonly Buffer[]
  /** The keys by which the documents are sorted. */
  readonly keys: readonly Buffer[]
  readonly scopes: readonly Scope[]
  readonly sort: readonly SortField[]
}

/** From where to where a window reaches, as positions; `end` is not part of it. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Computes one field for every document of a partition. */
export type WindowFunction = (partition: Partition) => (RawValue | undefined)[]

/** The one field by which a partition is sorted. */
export function onlySortField(sort: readonly SortField[], name: string): SortField {
  const [only, ...others] = sort
  if (!only || others.length > 0)
    throw new CommandError(5371602, `${name} requires a sortBy with exactly one element`)
  return only
}

/** The value a document is sorted by. */
export const sortValue = (bytes: Buffer, field: SortField): RawValue | undefined =>
  valueAt(documentOf(bytes), parsePath(field.name))

/** A number or a date as a place on a line. */
export function placeOf(value: RawValue | undefined): number | undefined {
  if (isNumeric(value)) return doubleOf(value)
  return value?.type === T.date ? Number(millisecondsIn(value)) : undefined
}
