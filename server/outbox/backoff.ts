/** The first wait is drawn below this, and each further one below twice the one before. */
const BASE_MS = 1_000
const LONGEST_MS = 5 * 60_000

/**
 * Milliseconds to wait before another try: exponential with full jitter, so that a provider that comes back is not met by
 * everybody at once. A provider's own wish (Retry-After) is a floor, and gets a little jitter too.
 * @param tries tries so far that surely did not send
 * @param random a number in [0, 1)
 */
export function backoffMs(tries: number, random: () => number, retryAfterMs?: number): number {
  const drawn = random() * Math.min(LONGEST_MS, BASE_MS * 2 ** Math.min(tries, 20))
  return Math.round(retryAfterMs === undefined ? drawn : retryAfterMs + drawn / 4)
}
