import { model, Schema } from 'mongoose'
import type { WorkspaceId } from './ids.ts'

/** A tenant: everything else belongs to exactly one. */
export interface WorkspaceDoc {
  _id: WorkspaceId
  name: string
  createdAt: Date
}

const schema = new Schema<WorkspaceDoc>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    createdAt: { type: Date, required: true },
  } as never,
  { versionKey: false, strict: 'throw', autoIndex: false, autoCreate: false },
)

export const Workspace = model('Workspace', schema, 'workspaces')
