import { LRUCache } from 'lru-cache'
import { knowsProfiles } from '../../adapters/adapter.ts'
import type { MessageEvent } from '../../adapters/events.ts'
import { Identity } from '../../models/identity.ts'
import type { InboxId, RouteId } from '../../models/ids.ts'
import type { InboxDoc } from '../../models/inbox.ts'
import type { Directory } from '../directory.ts'
import type { Log } from '../log.ts'
import type { Providers } from '../providers.ts'

/** Who would not be named is not asked for again at once: it costs their messages time. */
const ASK_AGAIN_MS = 60 * 60_000

/**
 * Asks the provider who somebody is where its messages do not say and we do not know: before their first message is
 * written, so that it carries their name. A provider that does not tell holds nothing up for long.
 */
export class Introductions {
  readonly #parts: { directory: Directory; providers: Providers; log: Log }
  readonly #unnamed = new LRUCache<string, true>({ max: 10_000, ttl: ASK_AGAIN_MS })

  constructor(parts: { directory: Directory; providers: Providers; log: Log }) {
    this.#parts = parts
  }

  /** The message, with what the provider tells of who wrote it. */
  async of(
    inbox: InboxDoc,
    place: { inbox: InboxId; route: RouteId },
    event: MessageEvent,
  ): Promise<MessageEvent> {
    if (event.profile.name !== undefined) return event
    const { directory, providers, log } = this.#parts
    const open = await directory.routeById(place.inbox, place.route)
    if (!open || !knowsProfiles(open.adapter)) return event
    const who = `${inbox._id} ${event.from}`
    if (this.#unnamed.has(who) || (await Identity.isNamed(inbox.workspace, inbox.channel, event.from)))
      return event
    try {
      const profile = await open.adapter.profileOf(event.from, providers.call(open))
      return { ...event, profile: { ...event.profile, ...profile } }
    } catch (error) {
      this.#unnamed.set(who, true)
      log.debug({ event: 'introduction.failed', provider: open.route.provider, error })
      return event
    }
  }
}
