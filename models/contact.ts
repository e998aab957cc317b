import { model } from 'mongoose'
import type { ContactId, WorkspaceId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/** A person we talk to, on however many channels. */
export interface ContactDoc {
  _id: ContactId
  workspace: WorkspaceId
  name: string
  /** The contact this one was found to be. */
  mergedInto?: ContactId
  createdAt: Date
}

const schema = workspaceSchema<ContactDoc>(
  { name: { type: String, required: true }, mergedInto: String, createdAt: { type: Date, required: true } },
  [[{ workspace: 1, name: 1 }]],
)

export const Contact = model('Contact', schema, 'contacts')
