import { model } from 'mongoose'
import type { ContactId, WorkspaceId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/** A person we talk to, on however many channels. */
export interface ContactDoc {
  _id: ContactId
  workspace: WorkspaceId
  name: string
  createdAt: Date
}

const schema = workspaceSchema<ContactDoc>(
  { name: { type: String, required: true }, createdAt: { type: Date, required: true } },
  [[{ workspace: 1, name: 1 }]],
)

export const Contact = model('Contact', schema, 'contacts')
