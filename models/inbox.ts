import { model } from 'mongoose'
import { CHANNELS, type Channel } from './channels.ts'
import type { InboxId, WorkspaceId } from './ids.ts'
import { newId } from './ids.ts'
import { workspaceSchema } from './schema.ts'
import type { WindowRule } from './windows.ts'

/** One connected address: a bot, an SMS sender. What it is reached through are its routes. */
export interface InboxDoc {
  _id: InboxId
  workspace: WorkspaceId
  name: string
  channel: Channel
  /** The provider's rule on when we may write; null where there is none. */
  window: WindowRule | null
  createdAt: Date
}

const schema = workspaceSchema<InboxDoc>(
  {
    name: { type: String, required: true },
    channel: { type: String, enum: CHANNELS, required: true },
    window: { type: String, enum: ['whatsapp', 'messenger', null], default: null },
    createdAt: { type: Date, required: true },
  },
  [[{ workspace: 1, name: 1 }]],
)

const Model = model('Inbox', schema, 'inboxes')

export const Inbox = Object.assign(Model, {
  async connect(
    given: Pick<InboxDoc, 'workspace' | 'name' | 'channel' | 'window'> & { at: Date },
  ): Promise<InboxDoc> {
    const { at, ...rest } = given
    const inbox: InboxDoc = { ...rest, _id: newId<InboxId>(), createdAt: at }
    await Model.create(inbox)
    return inbox
  },
})
