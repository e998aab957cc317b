import type { Snapshot } from 'classic-level'
import type { IndexPlan, Plan, ScanRange } from '../indexes/plan.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix } from '../storage/keys.ts'
import type { KeyRange, Store } from '../storage/store.ts'

/** A stored document: where it lies and its bytes. */
export interface Stored {
  readonly key: Buffer
  readonly bytes: Buffer
}

/** What a scan has looked at. */
export interface ScanCount {
  keys: number
  documents: number
}

export interface ScanOptions {
  readonly store: Store
  readonly collection: Collection
  readonly snapshot: Snapshot
  /** How many documents the reader is likely to want; decides how much is read ahead. */
  readonly expected: number
  readonly count: ScanCount
}

const MAX_READ_AHEAD = 1000
const MAX_READ_AHEAD_BYTES = 256 * 1024

/** The documents a plan leads to, in its order, in batches. They still have to be tested by the filter. */
export async function* scan(plan: Plan, options: ScanOptions): AsyncGenerator<Stored[]> {
  const ranges = documentRanges(plan, options.collection)
  if (ranges) {
    const { count } = options
    for (const range of ranges) {
      for await (const entries of pairs(range, plan, options)) {
        count.documents += entries.length
        yield entries.map(([key, bytes]) => ({ key, bytes }))
      }
    }
    return
  }
  for await (const keys of scanKeys(plan, options)) yield fetch(keys, options)
}

function fetch(keys: readonly Buffer[], { store, snapshot, count }: ScanOptions): Stored[] {
  const found: Stored[] = []
  count.documents += keys.length
  for (const key of keys) {
    const bytes = store.committed(key, snapshot)
    if (bytes) found.push({ key, bytes })
  }
  return found
}

/** The keys of the documents a plan leads to, in its order, each once. */
export async function* scanKeys(plan: Plan, options: ScanOptions): AsyncGenerator<Buffer[]> {
  const ranges = documentRanges(plan, options.collection)
  if (ranges) {
    for (const range of ranges) yield* read(options.store.level.keys(limits(range, plan, options)), options)
  } else if (plan.kind === 'union') {
    const seen = new Set<string>()
    for (const branch of plan.branches) {
      for await (const keys of scanKeys(branch, options)) yield unseen(keys, seen)
    }
  } else if (plan.kind === 'index') yield* indexedKeys(plan, options)
}

/** Where the documents themselves are read in order; undefined when an index has to tell which. */
function documentRanges(plan: Plan, { prefix }: Collection): readonly KeyRange[] | undefined {
  if (plan.kind === 'collection') return [{ gte: prefix, lt: afterPrefix(prefix) }]
  return plan.kind === 'index' && plan.index.id === 0 ? inOrder(plan) : undefined
}

async function* indexedKeys(plan: IndexPlan, options: ScanOptions): AsyncGenerator<Buffer[]> {
  const { prefix } = options.collection
  const seen = plan.index.multikey.size > 0 ? new Set<string>() : undefined
  for await (const ids of plan.merge ? mergedIds(plan, options) : orderedIds(plan, options)) {
    options.count.keys += ids.length
    const keys = ids.map((id) => Buffer.concat([prefix, id]))
    yield seen ? unseen(keys, seen) : keys
  }
}

async function* orderedIds(plan: IndexPlan, options: ScanOptions): AsyncGenerator<Buffer[]> {
  for (const range of inOrder(plan)) {
    yield* read(options.store.level.values(limits(range, plan, options)), options)
  }
}

/** The keys of the documents a plan surely leads to without reading a range, or undefined. */
export function pointKeys(
  plan: Plan,
  store: Store,
  collection: Collection,
  snapshot?: Snapshot,
): Buffer[] | undefined {
  if (plan.kind !== 'index' || !plan.index.unique || !plan.exact || plan.merge || plan.ranges.length > 256)
    return undefined
  const keys: Buffer[] = []
  for (const range of inOrder(plan)) {
    if (plan.index.id === 0) keys.push(range.gte)
    else {
      const id = snapshot ? store.committed(range.gte, snapshot) : store.latest(range.gte)
      if (id) keys.push(Buffer.concat([collection.prefix, id]))
    }
  }
  return plan.index.multikey.size > 0 ? unseen(keys, new Set()) : keys
}

const inOrder = (plan: IndexPlan): readonly ScanRange[] =>
  plan.reverse ? [...plan.ranges].reverse() : plan.ranges

function unseen(keys: Buffer[], seen: Set<string>): Buffer[] {
  return keys.filter((key) => {
    const name = key.toString('latin1')
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
}

const limits = ({ gte, lt }: KeyRange, plan: Plan, { snapshot }: ScanOptions) => ({
  gte,
  lt,
  reverse: plan.kind !== 'union' && plan.reverse,
  highWaterMarkBytes: MAX_READ_AHEAD_BYTES,
  snapshot,
})

const pairs = (range: KeyRange, plan: Plan, options: ScanOptions) =>
  read(options.store.level.iterator(limits(range, plan, options)), options)

interface Reader<Item> {
  nextv(size: number): Promise<Item[]>
  close(): Promise<void>
}

/** Reads to the end, first what is expected to be wanted, then ever more at a time. */
async function* read<Item>(reader: Reader<Item>, { expected }: ScanOptions): AsyncGenerator<Item[]> {
  try {
    let size = Math.max(1, Math.min(expected, MAX_READ_AHEAD))
    while (true) {
      const items = await reader.nextv(size)
      if (items.length === 0) return
      yield items
      size = Math.min(size * 2, MAX_READ_AHEAD)
    }
  } finally {
    await reader.close()
  }
}

/** Merges ranges that are each in order, one entry at a time. */
async function* mergedIds(plan: IndexPlan, options: ScanOptions): AsyncGenerator<Buffer[]> {
  const direction = plan.reverse ? -1 : 1
  const heads = plan.ranges.map(
    (range): Head => ({
      reader: pairs(range, plan, options),
      sortedFrom: range.sortedFrom,
      entries: [],
      at: 0,
    }),
  )
  try {
    const live: Head[] = []
    for (const head of heads) if (await advance(head)) live.push(head)
    while (live.length > 0) {
      let least = 0
      for (let i = 1; i < live.length; i++) {
        if (direction * compareHeads(live[i], live[least]) < 0) least = i
      }
      const chosen = live[least]
      const entry = chosen?.entries[chosen.at]
      if (!chosen || !entry) return
      yield [entry[1]]
      chosen.at++
      if (chosen.at >= chosen.entries.length && !(await advance(chosen))) live.splice(least, 1)
    }
  } finally {
    await Promise.all(heads.map((head) => head.reader.return(undefined)))
  }
}

interface Head {
  readonly reader: AsyncGenerator<[Buffer, Buffer][]>
  readonly sortedFrom: number
  entries: [Buffer, Buffer][]
  at: number
}

async function advance(head: Head): Promise<boolean> {
  const next = await head.reader.next()
  head.at = 0
  head.entries = next.done ? [] : next.value
  return head.entries.length > 0
}

function compareHeads(a: Head | undefined, b: Head | undefined): number {
  const left = a?.entries[a.at]?.[0]
  const right = b?.entries[b.at]?.[0]
  if (!left || !right || !a || !b) return 0
  return left.compare(right, b.sortedFrom, right.length, a.sortedFrom, left.length)
}
