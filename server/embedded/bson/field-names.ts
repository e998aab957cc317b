/*
 * Names met before, by a hash of their bytes. Documents have few names, and to make a string of bytes is a call out of
 * JavaScript: to know a name again costs a tenth of that, which was an eighth of the time of a bulk of updates.
 */
const SLOTS = 4096
const LONGEST = 64

interface Known {
  readonly bytes: Uint8Array
  readonly text: string
}
const known: (Known | undefined)[] = Array(SLOTS).fill(undefined)

/** The next state of the hash of a name. */
export const hashOf = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) | 0

/** The text of a name whose hash was made of its bytes. */
export function knownName(bytes: Buffer, start: number, end: number, hash: number): string {
  if (end - start > LONGEST) return bytes.toString('utf8', start, end)
  const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1)
  const met = known[slot]
  if (met && isSame(met.bytes, bytes, start, end)) return met.text
  const text = bytes.toString('utf8', start, end)
  known[slot] = { bytes: Uint8Array.prototype.slice.call(bytes, start, end), text }
  return text
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false
  return true
}
