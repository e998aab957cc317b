import { fetchChanges } from '../api/endpoints.ts'
import { SignedOut } from '../session/session.ts'
import { createCatchUp } from './catch-up.ts'
import { openOutbox, sendWaiting } from './outbox.ts'
import { askChanges, connect, hangUp, isConnected, knock } from './socket.ts'
import { dispatch, forgetEverything, live } from './store.ts'

/** A broadcast can be lost with nobody noticing; this bounds for how long. */
const CHECK_EVERY_MS = 30_000
/** After this long in the background, timers were slowed and the line may be dead without knowing. */
const WAKE_AFTER_MS = 60_000

export const catchUp = createCatchUp({
  cursor: () => live.getState().cursor,
  ask: async (cursor) => {
    const { epoch } = live.getState()
    const changes = await (isConnected() ? askChanges(cursor) : fetchChanges(cursor))
    // What one agent asked for is not the next one's, who may have signed in meanwhile.
    if (live.getState().epoch !== epoch) throw new SignedOut()
    return changes
  },
  apply: (changes) => dispatch({ type: 'changes', changes }),
})

/** Events out of order fill their own gaps; those who come in a burst share one catch-up. */
const GAP_SETTLES_MS = 100

const tryCatchUp = (): void => {
  catchUp().then(sendWaiting, () => undefined)
}

let settling = false
const tryCatchUpSoon = (): void => {
  if (settling) return
  settling = true
  setTimeout(() => {
    settling = false
    tryCatchUp()
  }, GAP_SETTLES_MS)
}

/** Starts following the workspace for the agent who is signed in; the answer stops it and forgets what was held. */
export function goLive(onInboxesChanged: () => void): () => void {
  const closeOutbox = openOutbox()
  connect({ onConnect: tryCatchUp, onInboxesChanged })
  const check = setInterval(tryCatchUp, CHECK_EVERY_MS)
  const noticed = live.subscribe((state, before) => {
    if (state.gaps > before.gaps) tryCatchUpSoon()
  })
  let hiddenSince = 0
  const seen = (): void => {
    if (document.visibilityState === 'hidden') hiddenSince = Date.now()
    else if (hiddenSince && Date.now() - hiddenSince > WAKE_AFTER_MS) {
      knock()
      tryCatchUp()
    }
  }
  const back = (): void => {
    knock()
    tryCatchUp()
  }
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('online', back)
  return () => {
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('online', back)
    clearInterval(check)
    noticed()
    closeOutbox()
    hangUp()
    forgetEverything()
  }
}
