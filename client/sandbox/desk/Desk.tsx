import type { State } from '../state.ts'
import type { Doings } from '../useSandbox.ts'
import { Trouble } from './Trouble.tsx'
import { Webhooks } from './Webhooks.tsx'

/** What a customer never sees: the provider's side of things. */
export function Desk({ state, doings }: { state: State; doings: Doings }) {
  return (
    <aside className="desk" aria-label="Behind the scenes">
      <Trouble channel={state.channel} faults={state.faults} doings={doings} />
      <Webhooks webhooks={state.webhooks} />
    </aside>
  )
}
