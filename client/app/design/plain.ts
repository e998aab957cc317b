/** Embeddings, overrides and isolates: marks that turn the direction of what follows, unseen. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g

/**
 * What somebody outside wrote, without the marks that make "gnp.exe" read as "exe.png". Nothing is lost to who writes
 * from right to left: every text here finds its direction by its own letters.
 */
export const plain = (words: string): string => words.replace(TURNING, '')

/** What a contact is called here. */
export const nameOf = ({ name, address }: { name: string; address: string }): string =>
  plain(name) || plain(address)
