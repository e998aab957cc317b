import { model } from 'mongoose'
import type { RouteId, WorkspaceId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/** How a route has been doing: what an admin looks at when something seems quiet. Days are UTC. */
export interface RouteHealthDoc {
  _id: RouteId
  workspace: WorkspaceId
  /** The last webhook that proved itself. */
  lastReceiptAt?: Date
  /** The last message the provider took. */
  lastSentAt?: Date
  /** Whether the provider was told where to post, when last tried. */
  webhook?: { state: 'set' | 'failed'; reason?: string; at: Date }
  day?: string
  /** Of that day: messages taken, and attempts that were not, by the provider's code. */
  sent?: number
  failures?: Record<string, { count: number; reason: string; at: Date }>
}

const schema = workspaceSchema<RouteHealthDoc>(
  {
    lastReceiptAt: Date,
    lastSentAt: Date,
    webhook: { type: { state: String, reason: String, at: Date, _id: false } },
    day: String,
    sent: Number,
    failures: {},
  } as never,
  [],
)

const Model = model('RouteHealth', schema, 'routeHealth')

/** What happened on a route since the last note. */
export interface Tally {
  workspace: WorkspaceId
  receiptAt?: Date
  sentAt?: Date
  sent: number
  errors: Map<string, { count: number; reason: string; at: Date }>
}

export const RouteHealth = Object.assign(Model, {
  /** Adds what happened to what is known; a new day begins at nothing. */
  async note(route: RouteId, tally: Tally, at: Date): Promise<void> {
    const { workspace, receiptAt, sentAt, sent, errors } = tally
    const day = at.toISOString().slice(0, 10)
    const own = { workspace, _id: route }
    await Model.updateOne(
      { ...own, day: { $ne: day } },
      { $set: { day, sent: 0, failures: {} } },
      { upsert: false },
    )
    const last = { ...(receiptAt && { lastReceiptAt: receiptAt }), ...(sentAt && { lastSentAt: sentAt }) }
    const failed = [...errors].map(([code, error]) => [fieldOf(code), error] as const)
    await Model.updateOne(
      own,
      {
        $set: {
          day,
          ...Object.fromEntries(
            failed.flatMap(([code, { reason, at }]) => [
              [`failures.${code}.reason`, reason],
              [`failures.${code}.at`, at],
            ]),
          ),
        },
        $inc: {
          sent,
          ...Object.fromEntries(failed.map(([code, { count }]) => [`failures.${code}.count`, count])),
        },
        ...(Object.keys(last).length > 0 ? { $max: last } : {}),
      },
      { upsert: true },
    )
  },

  async noteWebhook(
    workspace: WorkspaceId,
    route: RouteId,
    webhook: NonNullable<RouteHealthDoc['webhook']>,
  ): Promise<void> {
    await Model.updateOne({ workspace, _id: route }, { $set: { webhook } }, { upsert: true })
  },
})

/** A provider's code as the name of a field. */
const fieldOf = (code: string): string => code.replace(/[.$\0]/g, '_').slice(0, 60) || 'unknown'
