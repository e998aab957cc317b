import { model } from 'mongoose'
import type { ConversationId, InboxId, MediaId, WorkspaceId } from './ids.ts'
import { workspaceSchema } from './schema.ts'

/** A file we keep; its bytes are with `server/media`. Seen by its uploader, and by whoever sees the message it is in. */
export interface StoredFileDoc {
  _id: MediaId
  workspace: WorkspaceId
  name: string
  mime: string
  size: number
  sha256: string
  /** Where it belongs once it is part of a message; an upload that never is belongs to nobody and expires. */
  inbox?: InboxId
  conversation?: ConversationId
  uploadedBy?: string
  createdAt: Date
  expiresAt?: Date
}

const schema = workspaceSchema<StoredFileDoc>(
  {
    name: { type: String, required: true },
    mime: { type: String, required: true },
    size: { type: Number, required: true },
    sha256: { type: String, required: true },
    inbox: String,
    conversation: String,
    uploadedBy: String,
    createdAt: { type: Date, required: true },
    expiresAt: Date,
  },
  [
    [{ workspace: 1, createdAt: 1 }],
    [{ expiresAt: 1 }, { expireAfterSeconds: 0 }],
    // Bytes are shared by all that were sent the same: whether they are still somebody's.
    [{ sha256: 1 }],
  ],
)

export const StoredFile = model('StoredFile', schema, 'files')
