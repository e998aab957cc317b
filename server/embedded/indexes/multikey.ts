import type { Index } from './index-spec.ts'

/*
 * Which fields of an index some document reached through an array, and how deep: `a.b` goes through an array at
 * depth 1 when `a` is one, at depth 2 when `a.b` is. Each is one number, as the catalog keeps numbers; those below
 * FIRST_CODE were written when only the field's position was known, and stand for any depth.
 */
const FIRST_CODE = 1000
const DEPTHS = 256

/** The number for an array met after `depth` names of the path of the field at `position`. */
export const multikeyCode = (position: number, depth: number): number =>
  FIRST_CODE + position * DEPTHS + Math.min(depth, DEPTHS - 1)

/** Whether some document has an array on the way to a field, deeper than `depth` names of its path. */
export function isMultikey(index: Index, position: number, depth = 0): boolean {
  if (index.multikey.size === 0) return false
  for (const code of index.multikey) {
    if (code < FIRST_CODE ? code === position : isDeeper(code - FIRST_CODE, position, depth)) return true
  }
  return false
}

const isDeeper = (place: number, position: number, depth: number): boolean =>
  Math.floor(place / DEPTHS) === position && place % DEPTHS > depth
