import { expressionFilter } from '../aggregation/expressions.ts'
import type { Plain } from '../bson/plain.ts'
import { documentOf, EMPTY_DOCUMENT, type RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import { EVERYTHING, type Filter } from '../query/filter.ts'
import { compileFilter, type Matcher } from '../query/matcher.ts'
import { parseFilter } from '../query/parse-filter.ts'
import type { Selection } from '../query/select.ts'
import { parseSort } from '../query/sort.ts'

interface Wanted {
  readonly filter?: RawValue | undefined
  readonly sort?: RawValue | undefined
  readonly skip?: number
  readonly limit?: number
  readonly hint?: RawValue | undefined
  readonly deadline?: number
  readonly expected?: number
  readonly variables?: Plain
}

const everything: Matcher = () => true

/** Reads what a command asks of a collection. */
export function selectionOf(wanted: Wanted): Selection {
  const document = wanted.filter ?? documentOf(EMPTY_DOCUMENT)
  const filter: Filter = document.end - document.start === 5 ? EVERYTHING : parseFilter(document)
  const skip = wanted.skip ?? 0
  const limit = wanted.limit ?? 0
  if (skip < 0) throw new CommandError(51024, `BSON field 'skip' value must be >= 0, actual value '${skip}'`)
  return {
    filter,
    matches: filter === EVERYTHING ? everything : compileFilter(filter, expressionFilter(wanted.variables)),
    sort: parseSort(wanted.sort),
    skip,
    limit: Math.abs(limit),
    hint: wanted.hint,
    deadline: wanted.deadline ?? 0,
    expected: wanted.expected ?? 101,
  }
}
