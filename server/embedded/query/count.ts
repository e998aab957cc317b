import type { Snapshot } from 'classic-level'
import { CommandError } from '../errors.ts'
import { entryPrefix, ID_INDEX } from '../indexes/candidates.ts'
import { isCovered } from '../indexes/covered.ts'
import type { IndexPlan, Plan } from '../indexes/plan.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix } from '../storage/keys.ts'
import type { KeyRange, Store } from '../storage/store.ts'
import { EVERYTHING } from './filter.ts'
import { type ScanCount, scanKeys } from './scan.ts'
import { planSelection, type Selection, select, selectPoints } from './select.ts'

/** How many documents a selection finds. Where an index tells it alone, no document is read. */
export async function countSelection(
  store: Store,
  collection: Collection,
  selection: Selection,
  count: ScanCount = { keys: 0, documents: 0 },
): Promise<number> {
  const decided = await planSelection(store, collection, { ...selection, sort: [] })
  const { plan } = decided
  const points = selectPoints(store, collection, selection, plan)
  if (points) {
    count.documents += points.length
    return points.length
  }
  if (isToldByKeys(plan, selection))
    return sliced(await countKeys(store, collection, selection, plan, count), selection)
  let n = 0
  for await (const batch of select(store, collection, selection, decided, count)) n += batch.length
  return n
}

/** Whether a selection is counted by keys alone. */
export const isToldByKeys = (plan: Plan, { filter, hint }: Selection): boolean =>
  (filter === EVERYTHING && hint === undefined) || (plan.kind === 'index' && isCovered(plan, filter))

const sliced = (found: number, { skip, limit }: Selection): number =>
  Math.max(0, (limit === 0 ? found : Math.min(found, skip + limit)) - skip)

async function countKeys(
  store: Store,
  collection: Collection,
  selection: Selection,
  plan: Plan,
  count: ScanCount,
): Promise<number> {
  const snapshot = store.snapshot()
  try {
    let n = 0
    const tally = (entries: readonly unknown[]): void => {
      n += entries.length
      if (selection.deadline > 0 && Date.now() > selection.deadline)
        throw new CommandError(50, 'operation exceeded time limit')
    }
    if (plan.kind === 'index' && !isOneEntryEach(plan)) {
      const options = { store, collection, snapshot, expected: ENTRIES_PER_TURN, count }
      for await (const keys of scanKeys(plan, options)) tally(keys)
      return n
    }
    const ranges = plan.kind === 'index' ? plan.ranges : [rangeOfAll(collection)]
    for (const range of ranges) await tallyEntries(store, range, snapshot, tally)
    count.keys += n
    return n
  } finally {
    await snapshot.close()
  }
}

/** A document has several entries only where it is in the index by several items of an array. */
const isOneEntryEach = ({ index, exact, ranges }: IndexPlan): boolean =>
  index.multikey.size === 0 || (exact && ranges.length === 1)

/** Some index that holds every document once, as its entries are shorter than documents; or the documents. */
function rangeOfAll(collection: Collection): KeyRange {
  const whole = collection.indexes.find(
    (index) => !index.building && !index.sparse && !index.partial && index.multikey.size === 0,
  )
  const prefix = entryPrefix(collection, whole ?? ID_INDEX)
  return { gte: prefix, lt: afterPrefix(prefix) }
}

const ENTRIES_PER_TURN = 1000

async function tallyEntries(
  store: Store,
  { gte, lt }: KeyRange,
  snapshot: Snapshot,
  tally: (entries: readonly unknown[]) => void,
): Promise<void> {
  const isDocuments = gte[0] === 1
  const options = { gte, lt, snapshot, fillCache: true, highWaterMarkBytes: 256 * 1024 }
  // What is counted is not looked at; a short string costs a fifth of a Buffer.
  const entries = isDocuments
    ? store.level.keys(options)
    : store.level.values<Buffer, string>({ ...options, keyEncoding: 'buffer', valueEncoding: 'utf8' })
  try {
    while (true) {
      const read = await entries.nextv(ENTRIES_PER_TURN)
      if (read.length === 0) return
      tally(read)
    }
  } finally {
    await entries.close()
  }
}
