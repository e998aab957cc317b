import { documentOf } from '../bson/raw.ts'
import type { Collection } from '../storage/collection.ts'
import type { Store } from '../storage/store.ts'
import type { MatchTrace } from './path.ts'
import { pointKeys, type Stored, scanKeys } from './scan.ts'
import { planSelection, type Selection } from './select.ts'
import { Sorter, sortKey } from './sort.ts'

/** A document chosen for a write, as it is now. */
export interface Chosen extends Stored {
  readonly trace: MatchTrace
}

/**
 * Finds what a write is about. Candidates come from disk; each is looked at again in its newest version, with
 * what others have written since, in the same turn in which `decide` acts on it. So no two writers act on one
 * state, and none acts on a state that has passed.
 */
export async function selectForWrite(
  store: Store,
  collection: Collection,
  selection: Selection,
  multi: boolean,
  decide: (chosen: Chosen | undefined) => void,
): Promise<void> {
  const { plan } = await planSelection(store, collection, multi ? selection : { ...selection, limit: 1 })
  const current = (key: Buffer): Chosen | undefined => {
    const bytes = store.latest(key)
    const trace: MatchTrace = { index: undefined }
    return bytes && selection.matches(documentOf(bytes), trace) ? { key, bytes, trace } : undefined
  }
  const keys = selection.sort.length === 0 || multi ? pointKeys(plan, store, collection) : undefined
  if (keys) {
    decideOnKeys(keys, multi, current, decide)
    return
  }
  const watch = collection.watch()
  const snapshot = store.snapshot()
  const count = { keys: 0, documents: 0 }
  try {
    const seen = new Set<string>()
    const sorter = plan.sorted
      ? undefined
      : new Sorter<Stored>(selection.sort, 0, ({ bytes }) => documentOf(bytes))
    let decided = false
    const expected = multi || sorter ? 1000 : 4
    for await (const keys of scanKeys(plan, { store, collection, snapshot, expected, count })) {
      for (const key of keys) {
        const name = multi ? key.toString('latin1') : ''
        if (multi && seen.has(name)) continue
        const chosen = current(key)
        if (!chosen) continue
        if (multi) {
          seen.add(name)
          decide(chosen)
          decided = true
        } else if (sorter) sorter.add(chosen)
        else {
          decide(better(chosen, watch, selection, current))
          return
        }
      }
    }
    if (multi) {
      for (const [name, key] of [...watch]) {
        const chosen = seen.has(name) ? undefined : current(key)
        if (!chosen) continue
        decide(chosen)
        decided = true
      }
      if (!decided) decide(undefined)
      return
    }
    const first = sorter
      ?.sorted()
      .reduce<Chosen | undefined>((found, { key }) => found ?? current(key), undefined)
    decide(better(first, watch, selection, current))
  } finally {
    collection.unwatch(watch)
    await snapshot.close()
  }
}

function decideOnKeys(
  keys: Buffer[],
  multi: boolean,
  current: (key: Buffer) => Chosen | undefined,
  decide: (chosen: Chosen | undefined) => void,
): void {
  let found = false
  for (const key of keys) {
    const chosen = current(key)
    if (!chosen) continue
    found = true
    decide(chosen)
    if (!multi) return
  }
  if (!found) decide(undefined)
}

/** What was written since the scan began may come before what the scan found. */
function better(
  found: Chosen | undefined,
  watch: ReadonlyMap<string, Buffer>,
  selection: Selection,
  current: (key: Buffer) => Chosen | undefined,
): Chosen | undefined {
  if (found && selection.sort.length === 0) return found
  let best = found
  let bestKey = best && sortKey(documentOf(best.bytes), selection.sort)
  for (const key of watch.values()) {
    const chosen = current(key)
    if (!chosen) continue
    const chosenKey = sortKey(documentOf(chosen.bytes), selection.sort)
    if (bestKey && bestKey.compare(chosenKey) <= 0) continue
    best = chosen
    bestKey = chosenKey
  }
  return best
}
