/**
 * Runs a piece of work in one tab at a time. Web Locks exist only on https and localhost, and a self-hosted inbox is
 * often plain http inside an office, so that a lease in local storage stands in for them there.
 */
export const alone = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  'locks' in navigator ? navigator.locks.request(name, work) : underLease(`${name}:lease`, work)

const LEASE_MS = 10_000
const SETTLE_MS = 60

async function underLease<T>(key: string, work: () => Promise<T>): Promise<T> {
  const mine = `${Math.random()}`
  for (;;) {
    const [, until] = (localStorage.getItem(key) ?? ' 0').split(' ')
    if (Number(until) < Date.now()) {
      localStorage.setItem(key, `${mine} ${Date.now() + LEASE_MS}`)
      // Two tabs may write at once; after a moment the last one stands, and both can see whose it is.
      await pause(SETTLE_MS)
      if (localStorage.getItem(key)?.startsWith(`${mine} `)) break
    }
    await pause(SETTLE_MS + Math.random() * SETTLE_MS)
  }
  try {
    return await work()
  } finally {
    localStorage.removeItem(key)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
