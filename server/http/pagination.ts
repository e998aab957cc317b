import { Refusal } from '../errors.ts'

/** A place in a list sorted by a moment and, within it, by id. */
export interface Position {
  at: Date
  id: string
}

/** Reads `after`; throws for what no page of ours ever gave. */
export function position(after: string | undefined): Position | null {
  if (after === undefined) return null
  const match = /^(\d{1,15}) ([\w-]{1,64})$/.exec(Buffer.from(after, 'base64url').toString('utf8'))
  if (!match?.[2])
    throw new Refusal('invalid_request', 'after: give the `next` of an earlier page', {
      errors: [{ field: 'after', message: 'give the `next` of an earlier page' }],
    })
  return { at: new Date(Number(match[1])), id: match[2] }
}

/** Cuts a page from `limit + 1` rows, and says where the next one starts. */
export function pageOf<T>(
  found: T[],
  limit: number,
  positionOf: (last: T) => Position,
): { rows: T[]; next: string | null } {
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  if (found.length <= limit || !last) return { rows, next: null }
  const { at, id } = positionOf(last)
  return { rows, next: Buffer.from(`${at.getTime()} ${id}`).toString('base64url') }
}
