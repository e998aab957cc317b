import type { Mark } from '../../../models/content.ts'

/** A stretch of a text: words alone, or marked words with what is marked inside them. */
export type Stretch = string | { mark: Mark; inside: Stretch[] }

/**
 * A text cut at its marks. Whatever they are, no word is lost and none is said twice: a mark that crosses another, or
 * lies outside the text, is left out.
 */
export function stretchesOf(text: string, marks: readonly Mark[] = []): Stretch[] {
  const sound = marks
    .filter(({ start, end }) => start >= 0 && start < end && end <= text.length)
    .sort((one, other) => one.start - other.start || other.end - one.end)
  return between(text, 0, text.length, sound)
}

function between(text: string, from: number, to: number, marks: Mark[]): Stretch[] {
  const stretches: Stretch[] = []
  let at = from
  let left = marks
  for (let mark = left[0]; mark; mark = left[0]) {
    const { start, end } = mark
    const inside = left.slice(1).filter((one) => one.end <= end)
    left = left.slice(1).filter((one) => one.start >= end)
    if (start > at) stretches.push(text.slice(at, start))
    stretches.push({ mark, inside: between(text, start, end, inside) })
    at = end
  }
  if (at < to) stretches.push(text.slice(at, to))
  return stretches
}
