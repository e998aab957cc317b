import { model } from 'mongoose'
import { CHANNELS, type Channel, PROVIDERS, type Provider } from './channels.ts'
import type { InboxId, RouteId, WorkspaceId } from './ids.ts'
import { newId } from './ids.ts'
import { workspaceSchema } from './schema.ts'
import type { Sealed, Vault } from './vault.ts'

/** One provider account that can carry an inbox's messages. */
export interface RouteDoc {
  _id: RouteId
  workspace: WorkspaceId
  inbox: InboxId
  channel: Channel
  provider: Provider
  /** The address it sends as; empty where the credentials say it. */
  sender: string
  /** Where the provider's API is; absent means the provider's own address. */
  apiBase?: string
  credentials: Sealed
  /** The last position kept of a provider that is polled. */
  position?: string
  createdAt: Date
}

const schema = workspaceSchema<RouteDoc>(
  {
    inbox: { type: String, required: true },
    channel: { type: String, enum: CHANNELS, required: true },
    provider: { type: String, enum: PROVIDERS, required: true },
    sender: { type: String, default: '' },
    apiBase: String,
    credentials: { type: { key: String, iv: String, tag: String, text: String, _id: false }, required: true },
    position: String,
    createdAt: { type: Date, required: true },
  },
  [[{ workspace: 1, inbox: 1 }], [{ inbox: 1, provider: 1 }], [{ provider: 1, sender: 1 }]],
)

/** What its credentials are sealed for: a copy in another route does not open. */
const placeOf = (id: RouteId): string => `routes.credentials:${id}`

const Model = model('Route', schema, 'routes')

export const Route = Object.assign(Model, {
  async open(
    given: Pick<RouteDoc, 'workspace' | 'inbox' | 'channel' | 'provider' | 'sender' | 'apiBase'> & {
      credentials: unknown
      at: Date
    },
    vault: Vault,
  ): Promise<RouteDoc> {
    const { at, credentials, ...rest } = given
    const id = newId<RouteId>()
    const route: RouteDoc = {
      ...rest,
      _id: id,
      credentials: vault.seal(credentials, placeOf(id)),
      createdAt: at,
    }
    await Model.create(route)
    return route
  },

  credentials(route: RouteDoc, vault: Vault): unknown {
    return vault.open(route.credentials, placeOf(route._id))
  },

  /** Points a route to another address, account and sender of the same provider. */
  async lead(
    workspace: WorkspaceId,
    id: RouteId,
    to: { apiBase: string; sender: string; credentials: unknown },
    vault: Vault,
  ): Promise<void> {
    const credentials = vault.seal(to.credentials, placeOf(id))
    const { apiBase, sender } = to
    await Model.updateOne({ workspace, _id: id }, { $set: { apiBase, sender, credentials } })
  },

  /** Seals again, with the current key, whatever an older one still seals. Returns how many there were. */
  async resealAll(vault: Vault): Promise<number> {
    const routes = await Model.find({}, null, { acrossWorkspaces: 'key rotation' }).lean<RouteDoc[]>()
    const stale = routes.filter((route) => vault.isStale(route.credentials))
    for (const route of stale) {
      const sealed = vault.seal(vault.open(route.credentials, placeOf(route._id)), placeOf(route._id))
      await Model.updateOne({ workspace: route.workspace, _id: route._id }, { $set: { credentials: sealed } })
    }
    return stale.length
  },
})
