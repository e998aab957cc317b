import { LRUCache } from 'lru-cache'
import type { Adapter } from '../adapters/adapter.ts'
import { adapterFor } from '../adapters/registry.ts'
import type { Channel, Provider } from '../models/channels.ts'
import type { InboxId, RouteId } from '../models/ids.ts'
import { Inbox, type InboxDoc } from '../models/inbox.ts'
import { Route, type RouteDoc } from '../models/route.ts'
import type { Vault } from '../models/vault.ts'

/** A route with what it takes to use it: its adapter and its opened credentials. Never leaves the process. */
export interface OpenRoute {
  route: RouteDoc
  adapter: Adapter
  credentials: unknown
  apiBase: string
}
export interface OpenInbox {
  inbox: InboxDoc
  routes: OpenRoute[]
}

/** Another node's change to an inbox is seen after this at the latest. */
const FRESH_MS = 3_000
/** One number belongs to one inbox; of a number connected twice by mistake both hear. */
const MOST_OF_ONE_SENDER = 10
const WEBHOOKS = 'a webhook names its inbox, and the inbox its workspace'

/**
 * The inboxes of all workspaces as webhooks and the worker ask for them: by id, many times a second. Absence is
 * remembered as well, so that guessing ids costs the database nothing.
 */
export class Directory {
  readonly #vault: Vault
  readonly #senders = new LRUCache<string, Pick<RouteDoc, '_id' | 'inbox'>[]>({ max: 5_000, ttl: FRESH_MS })
  readonly #inboxes = new LRUCache<InboxId, { found: OpenInbox | null }>({ max: 5_000, ttl: FRESH_MS })

  constructor(vault: Vault) {
    this.#vault = vault
  }

  async inbox(id: InboxId): Promise<OpenInbox | null> {
    const known = this.#inboxes.get(id)
    if (known) return known.found
    const found = await this.#read(id)
    this.#inboxes.set(id, { found })
    return found
  }

  /** The route a provider's webhook came for. */
  async route(inbox: InboxId, provider: Provider): Promise<(OpenRoute & { inbox: InboxDoc }) | null> {
    const open = await this.inbox(inbox)
    const route = open?.routes.find((each) => each.route.provider === provider)
    return open && route ? { ...route, inbox: open.inbox } : null
  }

  /** Every route of a provider on a channel. */
  async routesOf(provider: Provider, channel: Channel): Promise<(OpenRoute & { inbox: InboxDoc })[]> {
    const found = await Route.find({ provider, channel }, { inbox: 1 }, { acrossWorkspaces: WEBHOOKS }).lean<
      Pick<RouteDoc, '_id' | 'inbox'>[]
    >()
    const routes = await Promise.all(found.map(({ _id, inbox }) => this.routeById(inbox, _id)))
    return routes.filter((route) => route !== null)
  }

  /** Every route of a provider on a channel that sends as this: whose webhook it is, where an address serves many. */
  async routesOfSender(
    provider: Provider,
    channel: Channel,
    sender: string,
  ): Promise<(OpenRoute & { inbox: InboxDoc })[]> {
    const key = `${provider} ${channel} ${sender}`
    const known = this.#senders.get(key)
    const ids =
      known ??
      (await Route.find({ provider, channel, sender }, { inbox: 1 }, { acrossWorkspaces: WEBHOOKS })
        .limit(MOST_OF_ONE_SENDER)
        .lean<Pick<RouteDoc, '_id' | 'inbox'>[]>())
    if (!known) this.#senders.set(key, ids)
    const routes = await Promise.all(ids.map(({ _id, inbox }) => this.routeById(inbox, _id)))
    return routes.filter((route) => route !== null)
  }

  async routeById(inbox: InboxId, id: RouteId): Promise<(OpenRoute & { inbox: InboxDoc }) | null> {
    const open = await this.inbox(inbox)
    const route = open?.routes.find((each) => each.route._id === id)
    return open && route ? { ...route, inbox: open.inbox } : null
  }

  /** Every route there is, for what runs per route: polling, setting webhooks. */
  async all(): Promise<OpenInbox[]> {
    const ids = await Inbox.find({}, { _id: 1 }, { acrossWorkspaces: WEBHOOKS }).lean<
      Pick<InboxDoc, '_id'>[]
    >()
    const open = await Promise.all(ids.map(({ _id }) => this.inbox(_id)))
    return open.filter((inbox) => inbox !== null)
  }

  forget(id: InboxId): void {
    this.#inboxes.delete(id)
  }

  async #read(id: InboxId): Promise<OpenInbox | null> {
    const inbox = await Inbox.findOne({ _id: id }, null, { acrossWorkspaces: WEBHOOKS }).lean<InboxDoc>()
    if (!inbox) return null
    const routes = await Route.find({ workspace: inbox.workspace, inbox: id })
      .sort({ _id: 1 })
      .lean<RouteDoc[]>()
    return { inbox, routes: routes.map((route) => this.open(route)) }
  }

  open(route: RouteDoc): OpenRoute {
    const adapter = adapterFor(route.provider, route.channel)
    return {
      route,
      adapter,
      credentials: adapter.credentials.parse(Route.credentials(route, this.#vault)),
      apiBase: route.apiBase ?? adapter.apiBase,
    }
  }
}
