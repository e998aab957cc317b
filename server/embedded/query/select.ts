import { documentOf, type RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import { type Decided, decide } from '../indexes/decide.ts'
import type { Plan } from '../indexes/plan.ts'
import type { Collection } from '../storage/collection.ts'
import type { Store } from '../storage/store.ts'
import type { Filter } from './filter.ts'
import type { Matcher } from './matcher.ts'
import { pointKeys, type ScanCount, type Stored, scan } from './scan.ts'
import { Sorter, type SortField } from './sort.ts'

/** What to read of a collection. */
export interface Selection {
  readonly filter: Filter
  readonly matches: Matcher
  readonly sort: readonly SortField[]
  readonly skip: number
  /** Zero for no limit. */
  readonly limit: number
  readonly hint: RawValue | undefined
  /** When to give up, in milliseconds of the machine's clock; zero for never. */
  readonly deadline: number
  /** How many documents the first answer carries. */
  readonly expected: number
}

/** Documents, in portions. */
export type Documents = AsyncGenerator<Buffer[]>

const SORT_MEMORY_BYTES = 100 * 1024 * 1024

/** How a selection will be read. */
export const planSelection = (store: Store, collection: Collection, selection: Selection): Promise<Decided> =>
  decide(store, collection, selection, selection.limit === 0 ? 0 : selection.skip + selection.limit)

/** The documents a selection finds without reading a range, at once; undefined when it has to scan. */
export function selectPoints(
  store: Store,
  collection: Collection,
  selection: Selection,
  plan: Plan,
): Buffer[] | undefined {
  if (plan.kind !== 'index' || !plan.exact || !plan.index.unique) return undefined
  // One read needs no snapshot to be of one moment.
  const snapshot = plan.index.id === 0 && plan.ranges.length === 1 ? undefined : store.snapshot()
  try {
    const keys = pointKeys(plan, store, collection, snapshot)
    if (!keys) return undefined
    const found: Buffer[] = []
    for (const key of keys) {
      const bytes = store.committed(key, snapshot)
      if (bytes && selection.matches(documentOf(bytes))) found.push(bytes)
    }
    const sorted = plan.sorted || found.length < 2 ? found : sortAll(found, selection)
    return sliceOf(sorted, selection)
  } finally {
    void snapshot?.close()
  }
}

function sortAll(documents: Buffer[], selection: Selection): Buffer[] {
  const sorter = new Sorter<Buffer>(selection.sort, 0, documentOf)
  for (const bytes of documents) sorter.add(bytes)
  return sorter.sorted()
}

const sliceOf = (documents: Buffer[], { skip, limit }: Selection): Buffer[] =>
  skip === 0 && limit === 0 ? documents : documents.slice(skip, limit === 0 ? undefined : skip + limit)

/** The documents of a selection, in order, as they were at one moment. */
export async function* select(
  store: Store,
  collection: Collection,
  selection: Selection,
  { plan, shape }: Decided,
  count: ScanCount = { keys: 0, documents: 0 },
): Documents {
  const snapshot = store.snapshot()
  const options = { store, collection, snapshot, expected: expectedOf(selection, plan), count }
  try {
    if (plan.sorted) yield* streamed(selection, scan(plan, options))
    else yield await sorted(selection, scan(plan, options))
  } finally {
    if (shape !== undefined) collection.decisions.learn(shape, Math.max(count.keys, count.documents))
    await snapshot.close()
  }
}

function expectedOf({ expected, skip, limit }: Selection, plan: Plan): number {
  if (!plan.sorted) return 1000
  return skip + (limit === 0 ? expected : Math.min(expected, limit))
}

function* checked(batch: readonly Stored[], selection: Selection): Generator<Buffer> {
  if (selection.deadline > 0 && Date.now() > selection.deadline) {
    throw new CommandError(50, 'operation exceeded time limit')
  }
  for (const { bytes } of batch) if (selection.matches(documentOf(bytes))) yield bytes
}

async function* streamed(selection: Selection, scanned: AsyncIterable<Stored[]>): Documents {
  let skip = selection.skip
  let left = selection.limit === 0 ? Number.POSITIVE_INFINITY : selection.limit
  for await (const batch of scanned) {
    const found: Buffer[] = []
    for (const bytes of checked(batch, selection)) {
      if (skip > 0) skip--
      else found.push(bytes)
      if (found.length >= left) break
    }
    left -= found.length
    if (found.length > 0) yield found
    if (left <= 0) return
  }
}

async function sorted(selection: Selection, scanned: AsyncIterable<Stored[]>): Promise<Buffer[]> {
  const kept = selection.limit === 0 ? 0 : selection.limit + selection.skip
  const sorter = new Sorter<Buffer>(selection.sort, kept, documentOf)
  let size = 0
  for await (const batch of scanned) {
    for (const bytes of checked(batch, selection)) {
      sorter.add(bytes)
      size += bytes.length
    }
    if (kept === 0 && size > SORT_MEMORY_BYTES) {
      throw new CommandError(
        292,
        'Sort exceeded memory limit of 104857600 bytes. An index on the sorted fields, or a limit, would serve it.',
      )
    }
  }
  return sliceOf(sorter.sorted(), selection)
}
