import type { Changes } from '../../../server/realtime/protocol.ts'

/** What a catch-up needs of its surroundings; the tests give their own. */
export interface Road {
  cursor: () => string | null
  ask: (cursor: string | null) => Promise<Changes>
  apply: (changes: Changes) => void
}

/**
 * The one road back to the present, whatever happened: first start, reconnect, wake, gap, or only the clock. One at a
 * time; whoever asks while one is under way gets another after it, since the first may have been answered too early.
 */
export function createCatchUp(road: Road): () => Promise<void> {
  let running: Promise<void> | null = null
  let again = false

  const once = async (): Promise<void> => {
    for (;;) {
      const changes = await road.ask(road.cursor())
      road.apply(changes)
      if (!changes.more) return
    }
  }

  const run = async (): Promise<void> => {
    do {
      again = false
      try {
        await once()
      } catch (error) {
        // Whoever asked meanwhile may have a line again where this one lost its own.
        if (!again) throw error
      }
    } while (again)
  }

  return () => {
    if (running) again = true
    running ??= run().finally(() => {
      running = null
    })
    return running
  }
}
