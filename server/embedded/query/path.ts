import { encodedName, fieldOf, itemAt, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'

/** One step of a dotted path: a field name, which may also be the position of an array's item. */
export interface PathPart {
  readonly name: string
  readonly bytes: Buffer
  /** The array position the name can stand for, or -1. */
  readonly index: number
}

export type Path = readonly PathPart[]

const paths = new Map<string, Path>()

/** Splits a dotted path; paths are remembered. */
export function parsePath(text: string): Path {
  const known = paths.get(text)
  if (known) return known
  if (paths.size > 10_000) paths.clear()
  const path = text.split('.').map((name) => ({
    name,
    bytes: encodedName(name),
    index: /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : -1,
  }))
  paths.set(text, path)
  return path
}

/** Notes which item of the outermost array made a filter match; the positional `$` asks for it. */
export interface MatchTrace {
  index: number | undefined
}

/** Tries a value; an array that its position named is tried as a `whole`, not item by item. */
export type LeafTest = (value: RawValue | undefined, trace?: MatchTrace, whole?: boolean) => boolean

/** Tries every value a path leads to, through arrays as MongoDB goes through them, until one passes. */
export function anyAtPath(
  container: RawValue,
  path: Path,
  step: number,
  test: LeafTest,
  trace?: MatchTrace,
): boolean {
  const part = path[step]
  if (!part) return test(container, trace)
  const field = fieldOf(container, part.bytes)
  if (step === path.length - 1) return test(field, trace)
  if (field?.type === T.object) return anyAtPath(field, path, step + 1, test, trace)
  if (field?.type === T.array) return anyInArray(field, path, step + 1, test, trace)
  return test(undefined, trace)
}

function anyInArray(array: RawValue, path: Path, step: number, test: LeafTest, trace?: MatchTrace): boolean {
  const part = path[step]
  if (part && part.index >= 0) {
    const item = itemAt(array, part.index)
    if (item && anyBelowItem(item, path, step + 1, test, trace)) return true
  }
  const items = itemsOf(array)
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    if (item?.type !== T.object) continue
    if (anyAtPath(item, path, step, test, trace)) {
      if (trace) trace.index = i
      return true
    }
  }
  return false
}

function anyBelowItem(item: RawValue, path: Path, step: number, test: LeafTest, trace?: MatchTrace): boolean {
  if (step === path.length) return test(item, trace, true)
  if (item.type === T.object) return anyAtPath(item, path, step, test, trace)
  // A value without parts has nothing below it, not even something that is missing.
  return item.type === T.array && anyInArray(item, path, step, test, trace)
}

/** The value at a path that goes through documents only. */
export function valueAt(container: RawValue, path: Path): RawValue | undefined {
  let value: RawValue | undefined = container
  for (const part of path) {
    if (value?.type !== T.object) return undefined
    value = fieldOf(value, part.bytes)
  }
  return value
}
