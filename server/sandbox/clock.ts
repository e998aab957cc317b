/** What the simulators ask of time; a test gives its own. */
export interface Clock {
  now(): Date
  setTimeout(callback: () => void, ms: number): Timer
}
export interface Timer {
  cancel(): void
}

export const systemClock: Clock = {
  now: () => new Date(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}
