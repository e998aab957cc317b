import { ANSWER_WITHIN_MS } from '../api/transport.ts'

/**
 * Runs a piece of work in one tab at a time. Web Locks exist only on https and localhost, and a self-hosted inbox is
 * often plain http inside an office, so that a lease in local storage stands in for them there.
 */
export const alone = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  'locks' in navigator ? navigator.locks.request(name, work) : underLease(`${name}:lease`, work)

/** The work is one request: a lease must not end before it does. */
const LEASE_MS = ANSWER_WITHIN_MS + 10_000
const SETTLE_MS = 60

async function underLease<T>(key: string, work: () => Promise<T>): Promise<T> {
  const mine = `${Math.random()}`
  const isMine = (): boolean => localStorage.getItem(key)?.startsWith(`${mine} `) ?? false
  const release = (): void => {
    if (isMine()) localStorage.removeItem(key)
  }
  for (;;) {
    const [, until] = (localStorage.getItem(key) ?? ' 0').split(' ')
    if (Number(until) < Date.now()) {
      localStorage.setItem(key, `${mine} ${Date.now() + LEASE_MS}`)
      // Two tabs may write at once; after a moment the last one stands, and both can see whose it is.
      await pause(SETTLE_MS)
      if (isMine()) break
    }
    await pause(SETTLE_MS + Math.random() * SETTLE_MS)
  }
  // A tab that goes takes its work with it, as Web Locks have it: the next need not wait for the lease to end.
  window.addEventListener('pagehide', release)
  try {
    return await work()
  } finally {
    window.removeEventListener('pagehide', release)
    release()
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
