import { acknowledges, declines } from '../../adapters/adapter.ts'
import type { Address, InboxId, ProviderMessageId, RouteId } from '../../models/ids.ts'
import type { Directory, OpenRoute } from '../directory.ts'
import type { Log } from '../log.ts'
import type { Providers } from '../providers.ts'

interface Place {
  inbox: InboxId
  route: RouteId
}

/**
 * What politeness asks after an event: a tap is acknowledged, a group is left with a word. Nothing leans on them: they are
 * made once, nobody waits for them, and failing is silent.
 */
export class Courtesies {
  readonly #parts: { directory: Directory; providers: Providers; log: Log }

  constructor(parts: { directory: Directory; providers: Providers; log: Log }) {
    this.#parts = parts
  }

  acknowledge(place: Place, providerId: ProviderMessageId): void {
    const { providers } = this.#parts
    this.#make(place, async (open) => {
      if (acknowledges(open.adapter)) await open.adapter.acknowledge(providerId, providers.call(open))
    })
  }

  decline(place: Place, where: Address): void {
    const { providers } = this.#parts
    this.#make(place, async (open) => {
      if (declines(open.adapter)) await open.adapter.decline(where, providers.call(open))
    })
  }

  #make({ inbox, route }: Place, courtesy: (open: OpenRoute) => Promise<void>): void {
    const { directory, log } = this.#parts
    void directory
      .routeById(inbox, route)
      .then((open) => open && courtesy(open))
      .catch((error: unknown) => log.debug({ event: 'courtesy.failed', error }))
  }
}
