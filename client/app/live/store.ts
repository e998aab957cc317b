import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { applyAll } from './reducer.ts'
import { emptyState, type LiveEvent, type LiveState } from './state.ts'

export const live = createStore<LiveState>(emptyState)

let waiting: LiveEvent[] = []
let scheduled = false

/** Applies an event now, after those that came before it. */
export function dispatch(event: LiveEvent): void {
  const events = [...waiting, event]
  waiting = []
  live.setState(applyAll(live.getState(), events), true)
}

/** Applies an event with the others of this frame: fifty messages a second are painted sixty times, not fifty more. */
export function dispatchSoon(event: LiveEvent): void {
  waiting.push(event)
  if (scheduled) return
  scheduled = true
  if (document.visibilityState === 'visible') requestAnimationFrame(flush)
  else setTimeout(flush, 0)
}

function flush(): void {
  scheduled = false
  if (!waiting.length) return
  const events = waiting
  waiting = []
  live.setState(applyAll(live.getState(), events), true)
}

/** What was asked for before must not be applied after: the epoch goes on. */
export function forgetEverything(): void {
  waiting = []
  live.setState({ ...emptyState(), epoch: live.getState().epoch + 1 }, true)
}

export const useLive = <T>(select: (state: LiveState) => T): T => useStore(live, select)
