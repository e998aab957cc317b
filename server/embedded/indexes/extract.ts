import { fieldOf, itemAt, itemsOf, NULL, type RawValue, UNDEFINED } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { ByteWriter } from '../bson/writer.ts'
import { CommandError } from '../errors.ts'
import type { Path } from '../query/path.ts'
import type { Index } from './index-spec.ts'
import { encodeDescending, encodeKey } from './key-encoding.ts'
import { multikeyCode } from './multikey.ts'

/** One entry a document has in an index: the values and their bytes. */
export interface IndexKey {
  readonly bytes: Buffer
  readonly values: readonly RawValue[]
}

/** All entries of a document in an index, and which fields were reached through an array (`multikey.ts`). */
export interface IndexKeys {
  readonly keys: readonly IndexKey[]
  readonly multikey: ReadonlySet<number>
}

const NO_KEYS: IndexKeys = { keys: [], multikey: new Set() }
const NONE: ReadonlySet<number> = new Set()

/** How far one field of a key has been followed. */
interface Slot {
  readonly value: RawValue | undefined
  readonly path: Path
  readonly step: number
  readonly final: boolean
}

/** The entries a document has in an index; none when the index does not hold it. */
export function indexKeys(index: Index, document: RawValue): IndexKeys {
  if (index.partial && !index.partial.matches(document)) return NO_KEYS
  const straight = index.fields.map(({ path }) => straightTo(document, path))
  if (index.sparse && straight.every((value) => value === undefined)) return NO_KEYS
  if (straight.every((value) => value?.type !== T.array)) {
    const values = straight.map((value) => value ?? NULL)
    return { keys: [{ bytes: encodeValues(index, values), values }], multikey: NONE }
  }
  const slots = index.fields.map(({ path }): Slot => follow({ value: document, path, step: 0, final: false }))
  const multikey = new Set<number>()
  const found: RawValue[][] = []
  expand(slots, found, multikey, index.sparse)
  if (index.hashed) throw new CommandError(16766, 'hashed indexes do not currently support array values')
  const keys = new Map<string, IndexKey>()
  for (const values of found) {
    const bytes = encodeValues(index, values)
    keys.set(bytes.toString('latin1'), { bytes, values })
  }
  return { keys: [...keys.values()], multikey }
}

/** The values of one path, through arrays: what a sort by that path looks at. */
export function valuesAtPath(document: RawValue, path: Path): RawValue[] {
  const slot = follow({ value: document, path, step: 0, final: false })
  if (slot.value?.type !== T.array) return [slot.value ?? NULL]
  const found: RawValue[][] = []
  expand([slot], found, new Set(), false)
  return found.map(([value]) => value ?? NULL)
}

/** What a path leads to through documents: its value, nothing, or the first array on the way. */
function straightTo(document: RawValue, path: Path): RawValue | undefined {
  let value: RawValue | undefined = document
  for (const { bytes } of path) {
    if (value?.type !== T.object) return value?.type === T.array ? value : undefined
    value = fieldOf(value, bytes)
  }
  return value
}

/** Walks through documents until a value, nothing, or an array is met. */
function follow(slot: Slot): Slot {
  let { value, step } = slot
  const { path } = slot
  while (step < path.length && value?.type === T.object) {
    value = fieldOf(value, path[step]?.bytes ?? Buffer.alloc(0))
    step++
  }
  if (step < path.length && value?.type !== T.array) value = undefined
  return { value, path, step, final: value?.type !== T.array }
}

/** Goes into the arrays a key meets; a sparse index holds nothing of an item that has none of its fields. */
function expand(slots: readonly Slot[], found: RawValue[][], multikey: Set<number>, sparse: boolean): void {
  const open = slots.findIndex((slot) => !slot.final)
  const array = slots[open]?.value
  if (!array) {
    if (sparse && slots.every((slot) => slot.value === undefined)) return
    found.push(slots.map((slot) => slot.value ?? NULL))
    return
  }
  const inArray = slots.map((slot, i) => {
    if (slot.final) return false
    if (slot.value?.start !== array.start || slot.value.bytes !== array.bytes) {
      throw new CommandError(171, 'cannot index parallel arrays')
    }
    multikey.add(multikeyCode(i, slot.step))
    return true
  })
  const items = itemsOf(array)
  if (items.length === 0) {
    expand(
      slots.map((slot, i) =>
        inArray[i] ? settled(slot, slot.step === slot.path.length ? UNDEFINED : undefined) : slot,
      ),
      found,
      multikey,
      sparse,
    )
    return
  }
  for (const item of items) {
    expand(
      slots.map((slot, i) => (inArray[i] ? intoItem(slot, array, item) : slot)),
      found,
      multikey,
      sparse,
    )
  }
}

const settled = (slot: Slot, value: RawValue | undefined): Slot => ({ ...slot, value, final: true })

function intoItem(slot: Slot, array: RawValue, item: RawValue): Slot {
  const part = slot.path[slot.step]
  if (!part) return settled(slot, item)
  if (part.index >= 0) {
    const chosen = itemAt(array, part.index)
    if (chosen) {
      if (item.type === T.object && fieldOf(item, part.bytes)) throw ambiguous(part.name)
      return follow({ ...slot, value: chosen, step: slot.step + 1 })
    }
  }
  if (item.type !== T.object) return settled(slot, undefined)
  return follow({ ...slot, value: item })
}

const ambiguous = (name: string): CommandError =>
  new CommandError(
    16746,
    `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${name}'`,
  )

const scratch = new ByteWriter(1024)

function encodeValues(index: Index, values: readonly RawValue[]): Buffer {
  scratch.clear()
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (!value) break
    if (index.fields[i]?.descending) encodeDescending(scratch, value)
    else encodeKey(scratch, value)
  }
  return scratch.take()
}
