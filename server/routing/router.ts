import type { RouteId } from '../../models/ids.ts'
import type { OutboundDoc } from '../../models/outbox.ts'
import type { OpenRoute } from '../directory.ts'

/** A route, and the sentence that says why it was chosen: kept on the message and shown. */
export interface Choice {
  route: OpenRoute
  reason: string
}

/** Chooses who carries a message. Asked once per attempt; an outcome that surely did not send may lead to another choice. */
export interface Router {
  /** Null where none of the routes that were not tried in this round can take it. */
  choose(message: OutboundDoc, routes: OpenRoute[], tried: ReadonlySet<RouteId>): Choice | null
}

/** The inbox's routes in the order they were connected. */
export class InOrder implements Router {
  choose(_message: OutboundDoc, routes: OpenRoute[], tried: ReadonlySet<RouteId>): Choice | null {
    const route = routes.find((each) => !tried.has(each.route._id))
    if (!route) return null
    const { title } = route.adapter
    const others = routes.length - 1
    return {
      route,
      reason:
        others === 0
          ? `${title}: the only route of this inbox.`
          : `${title}: next in order of ${routes.length} routes.`,
    }
  }
}
