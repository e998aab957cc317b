/**
 * What we write into a message comes back with its echo. Other apps of the page write there too, so ours says what it is.
 */
const OURS = 'attempt:'

export const metadataOf = (attempt: string): string => OURS + attempt

export const attemptIn = (metadata: string | undefined): string | undefined =>
  metadata?.startsWith(OURS) && metadata.length <= OURS.length + 100
    ? metadata.slice(OURS.length) || undefined
    : undefined
