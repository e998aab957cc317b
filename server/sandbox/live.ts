import type { Response } from 'express'
import type { SandboxEvent } from './protocol.ts'
import type { Stage } from './stage.ts'

const HEARTBEAT_MS = 20_000
/** A page that does not read is let go: it comes back by itself and asks afresh. */
const MAX_BUFFERED_BYTES = 1_048_576

/** What happens on these phones, and with webhooks and faults, as server-sent events until the page leaves. */
export function streamEvents(stage: Stage, response: Response, handsets: ReadonlySet<string>): void {
  response.set({
    'content-type': 'text/event-stream',
    // Compression would hold events back until it has a block full.
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  response.write('retry: 1000\n\n')

  const listener = (event: SandboxEvent): void => {
    if ('handset' in event && !handsets.has(event.handset)) return
    if (response.writableLength > MAX_BUFFERED_BYTES) response.destroy()
    else response.write(`data: ${JSON.stringify(event)}\n\n`)
  }
  const unsubscribe = stage.subscribe(listener)
  const leave = stage.onClose(() => response.end())
  let heartbeat = stage.clock.setTimeout(beat, HEARTBEAT_MS)
  function beat(): void {
    response.write(': still here\n\n')
    heartbeat = stage.clock.setTimeout(beat, HEARTBEAT_MS)
  }
  response.once('close', () => {
    unsubscribe()
    leave()
    heartbeat.cancel()
  })
}
