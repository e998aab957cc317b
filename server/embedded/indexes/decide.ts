import type { Collection } from '../storage/collection.ts'
import type { Store } from '../storage/store.ts'
import type { Decision } from './decisions.ts'
import type { IndexPlan, Plan, ScanRange, Undecided, UnionPlan } from './plan.ts'
import { plan, type Question } from './planner.ts'

type Candidate = IndexPlan | UnionPlan

/** How far the keys of the candidates are counted: first a few, then more, until one has no more. */
const COUNTED = [100, 1_000, 8_000]

/** A plan, and the shape under which it was decided on, when there was something to decide. */
export interface Decided {
  readonly plan: Plan
  readonly shape?: string
  readonly rejected?: readonly Plan[]
}

/**
 * The plan for a question. Where several indexes serve, their ranges are counted, once for a shape; the plan is
 * always made of the collection as it is when this resolves.
 */
export async function decide(
  store: Store,
  collection: Collection,
  question: Question,
  wanted: number,
): Promise<Decided> {
  let planned = plan(collection, question)
  if (planned.kind !== 'undecided') return { plan: planned }
  const shape = withLimit(planned, wanted)
  if (!collection.decisions.get(shape)) {
    collection.decisions.set(shape, await weigh(store, planned.candidates, wanted))
    planned = plan(collection, question)
    if (planned.kind !== 'undecided') return { plan: planned }
  }
  return chosen(collection, planned, withLimit(planned, wanted))
}

function chosen(collection: Collection, { candidates }: Undecided, shape: string): Decided {
  const decision = collection.decisions.get(shape)
  if (decision) decision.uses++
  const [first] = candidates
  const found = candidates[decision?.position ?? 0] ?? first
  return found
    ? { plan: found, shape, rejected: candidates.filter((each) => each !== found) }
    : { plan: { kind: 'collection', reverse: false, sorted: false } }
}

/** Ten documents in order may be had by another way than ten thousand. */
const withLimit = ({ shape }: Undecided, wanted: number): string =>
  wanted === 0 ? shape : `${shape};${Math.ceil(Math.log2(wanted))}`

async function weigh(store: Store, candidates: readonly Candidate[], wanted: number): Promise<Decision> {
  const keys = await estimate(store, candidates)
  const fewest = Math.max(1, Math.min(...keys))
  const costs = candidates.map((candidate, i) => costOf(candidate, keys[i] ?? 0, fewest, wanted))
  const position = costs.indexOf(Math.min(...costs))
  return { position, keys: costs[position] ?? 0, uses: 0 }
}

/**
 * What a candidate will read. No more documents match than the most selective candidate has keys; one that is in
 * order may stop when it has found what is wanted, and is taken to find them evenly.
 */
function costOf(candidate: Candidate, keys: number, fewest: number, wanted: number): number {
  if (!candidate.sorted) return keys * SORTING
  return wanted > 0 ? Math.min(keys, (wanted * keys) / fewest) : keys
}

/** To sort is dearer than to read: every document has its keys extracted and compared. */
const SORTING = 1.5

/** About how many keys the ranges of each candidate hold. */
async function estimate(store: Store, candidates: readonly Candidate[]): Promise<number[]> {
  const ranges = candidates.map(rangesOf)
  for (const limit of COUNTED) {
    const counts = await Promise.all(ranges.map((each) => countKeys(store, each, limit)))
    const exact = counts.some((count) => count < limit)
    if (!exact && limit !== COUNTED.at(-1)) continue
    return Promise.all(
      counts.map((count, i) => (count < limit ? count : extrapolate(store, ranges[i] ?? [], count))),
    )
  }
  return []
}

const rangesOf = (candidate: Candidate): readonly ScanRange[] =>
  candidate.kind === 'index' ? candidate.ranges : candidate.branches.flatMap((branch) => branch.ranges)

async function countKeys(store: Store, ranges: readonly ScanRange[], limit: number): Promise<number> {
  let count = 0
  for (const { gte, lt } of ranges) {
    const iterator = store.level.keys({ gte, lt, fillCache: false })
    try {
      count += (await iterator.nextv(limit - count)).length
    } finally {
      await iterator.close()
    }
    if (count >= limit) return count
  }
  return count
}

/** Bytes on disk tell how much more there is than was counted; what is not on disk yet is not seen. */
async function extrapolate(store: Store, ranges: readonly ScanRange[], counted: number): Promise<number> {
  const sizes = await Promise.all(ranges.map(({ gte, lt }) => store.level.approximateSize(gte, lt)))
  return counted + sizes.reduce((sum, size) => sum + size, 0) / BYTES_PER_KEY
}

/** An index entry in LevelDB's blocks, its prefix shared with its neighbour's and compressed. */
const BYTES_PER_KEY = 24
