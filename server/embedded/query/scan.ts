import type { Snapshot } from 'classic-level'
import type { IndexPlan, Plan, ScanRange } from '../indexes/planner.ts'
import type { Collection } from '../storage/collection.ts'
import { afterPrefix } from '../storage/keys.ts'
import type { KeyRange, Store } from '../storage/store.ts'

/** A stored document: where it lies and its bytes. */
export interface Stored {
  readonly key: Buffer
  readonly bytes: Buffer
}

/** What a scan has looked at, for `explain`. */
export interface ScanCount {
  keys: number
  documents: number
}

export interface ScanOptions {
  readonly store: Store
  readonly collection: Collection
  readonly snapshot?: Snapshot
  /** How many documents the reader is likely to want; decides how much is read ahead. */
  readonly expected: number
  readonly count?: ScanCount
}

const MAX_READ_AHEAD = 1000

/** The documents a plan leads to, in its order, in batches. They still have to be tested by the filter. */
export async function* scan(plan: Plan, options: ScanOptions): AsyncGenerator<Stored[]> {
  switch (plan.kind) {
    case 'collection': {
      const prefix = options.collection.prefix
      yield* scanDocuments({ gte: prefix, lt: afterPrefix(prefix) }, plan.reverse, options)
      return
    }
    case 'union': {
      const seen = new Set<string>()
      for (const branch of plan.branches) {
        for await (const batch of scanIndex(branch, options)) yield unseen(batch, seen)
      }
      return
    }
    case 'index':
      yield* scanIndex(plan, options)
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
  for (const range of plan.reverse ? [...plan.ranges].reverse() : plan.ranges) {
    if (plan.index.id === 0) keys.push(range.gte)
    else {
      const id = snapshot ? store.committed(range.gte, snapshot) : store.latest(range.gte)
      if (id) keys.push(Buffer.concat([collection.prefix, id]))
    }
  }
  return plan.index.multikey.size > 0 ? distinct(keys) : keys
}

function distinct(keys: Buffer[]): Buffer[] {
  const seen = new Map(keys.map((key) => [key.toString('latin1'), key]))
  return [...seen.values()]
}

async function* scanIndex(plan: IndexPlan, options: ScanOptions): AsyncGenerator<Stored[]> {
  const { index } = plan
  if (index.id === 0) {
    for (const range of inOrder(plan)) yield* scanDocuments(range, plan.reverse, options)
    return
  }
  const seen = index.multikey.size > 0 ? new Set<string>() : undefined
  const entries = plan.merge ? mergedEntries(plan, options) : orderedEntries(plan, options)
  for await (const ids of entries) {
    const found: Stored[] = []
    for (const id of ids) {
      const key = Buffer.concat([options.collection.prefix, id])
      const bytes = options.store.committed(key, options.snapshot)
      if (options.count) options.count.documents++
      if (bytes) found.push({ key, bytes })
    }
    yield seen ? unseen(found, seen) : found
  }
}

const inOrder = (plan: IndexPlan): readonly ScanRange[] =>
  plan.reverse ? [...plan.ranges].reverse() : plan.ranges

function unseen(batch: Stored[], seen: Set<string>): Stored[] {
  return batch.filter(({ key }) => {
    const name = key.toString('latin1')
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
}

async function* scanDocuments(
  range: KeyRange,
  reverse: boolean,
  options: ScanOptions,
): AsyncGenerator<Stored[]> {
  for await (const entries of readRange(range, reverse, options)) {
    if (options.count) options.count.documents += entries.length
    yield entries.map(([key, bytes]) => ({ key, bytes }))
  }
}

async function* orderedEntries(plan: IndexPlan, options: ScanOptions): AsyncGenerator<Buffer[]> {
  for (const range of inOrder(plan)) {
    for await (const entries of readRange(range, plan.reverse, options)) {
      if (options.count) options.count.keys += entries.length
      yield entries.map(([, id]) => id)
    }
  }
}

async function* readRange(range: KeyRange, reverse: boolean, options: ScanOptions) {
  const { store, snapshot, expected } = options
  const iterator = store.level.iterator({
    gte: range.gte,
    lt: range.lt,
    reverse,
    fillCache: true,
    highWaterMarkBytes: 256 * 1024,
    ...(snapshot ? { snapshot } : {}),
  })
  try {
    let size = Math.max(1, Math.min(expected, MAX_READ_AHEAD))
    while (true) {
      const entries = await iterator.nextv(size)
      if (entries.length === 0) return
      yield entries
      size = Math.min(size * 2, MAX_READ_AHEAD)
    }
  } finally {
    await iterator.close()
  }
}

/** Merges ranges that are each in order, one entry at a time. */
async function* mergedEntries(plan: IndexPlan, options: ScanOptions): AsyncGenerator<Buffer[]> {
  const direction = plan.reverse ? -1 : 1
  const heads = []
  try {
    for (const range of plan.ranges) {
      const reader = readRange(range, plan.reverse, options)
      const head = { reader, sortedFrom: range.sortedFrom, entries: [] as [Buffer, Buffer][], at: 0 }
      heads.push(head)
    }
    const live = []
    for (const head of heads) if (await advance(head)) live.push(head)
    while (live.length > 0) {
      let least = 0
      for (let i = 1; i < live.length; i++) {
        if (direction * compareHeads(live[i], live[least]) < 0) least = i
      }
      const chosen = live[least]
      const entry = chosen?.entries[chosen.at]
      if (!chosen || !entry) return
      if (options.count) options.count.keys++
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
