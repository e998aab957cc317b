import type { RawValue } from '../bson/raw.ts'
import type { Path } from './path.ts'
import type { Pattern } from './regex.ts'

/** What a value must be. */
export type Test =
  | { readonly op: 'eq' | 'gt' | 'gte' | 'lt' | 'lte'; readonly value: RawValue }
  | { readonly op: 'in'; readonly values: readonly RawValue[]; readonly patterns: readonly Pattern[] }
  | { readonly op: 'regex'; readonly pattern: Pattern }
  | { readonly op: 'exists' }
  | { readonly op: 'type'; readonly types: ReadonlySet<number> }
  | { readonly op: 'size'; readonly size: number }
  | { readonly op: 'mod'; readonly divisor: bigint; readonly remainder: bigint }
  | { readonly op: 'bits'; readonly mode: 'all' | 'any'; readonly set: boolean; readonly mask: bigint }
  | { readonly op: 'elemMatch'; readonly filter: Filter; readonly ofValues: boolean }

/** A parsed filter: what the matcher runs and the planner reads. */
export type Filter =
  | { readonly kind: 'and' | 'or' | 'nor'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'leaf'; readonly field: string; readonly path: Path; readonly test: Test }
  | { readonly kind: 'expr'; readonly expression: RawValue }
  | { readonly kind: 'constant'; readonly value: boolean }

/** Matches everything. */
export const EVERYTHING: Filter = { kind: 'and', filters: [] }

/** The parts that must all hold. */
export function conjuncts(filter: Filter): readonly Filter[] {
  if (filter.kind !== 'and') return [filter]
  return filter.filters.some((part) => part.kind === 'and')
    ? filter.filters.flatMap(conjuncts)
    : filter.filters
}
