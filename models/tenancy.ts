import type { Aggregate, Query, Schema } from 'mongoose'

/** A query that names no workspace, or one that tries to reach over the wall. A fault of ours, never of the caller's. */
export class WorkspaceMissing extends Error {
  override name = 'WorkspaceMissing'
  constructor(model: string, operation: string) {
    super(`${model}.${operation} names no workspace`)
  }
}

declare module 'mongoose' {
  interface QueryOptions {
    /** Why this query may look into every workspace: the worker's and the sweeps' own, never a request's. */
    acrossWorkspaces?: string
  }
}

const QUERIES = [
  'find',
  'findOne',
  'findOneAndUpdate',
  'findOneAndReplace',
  'findOneAndDelete',
  'updateOne',
  'updateMany',
  'deleteOne',
  'deleteMany',
  'countDocuments',
  'estimatedDocumentCount',
  'distinct',
  'replaceOne',
] as const

/**
 * No tenant sees another: refuses every query without a workspace before it reaches the database. Work that is by its
 * nature for all of them (the outbox, the sweeps) says so with `acrossWorkspaces` and its reason.
 */
export function tenancy(schema: Schema): void {
  for (const operation of QUERIES) {
    schema.pre(operation, function (this: Query<unknown, unknown>) {
      if (this.getOptions().acrossWorkspaces) return
      if (typeof this.getFilter().workspace !== 'string')
        throw new WorkspaceMissing(this.model.modelName, operation)
    })
  }
  schema.pre('aggregate', function (this: Aggregate<unknown>) {
    const [first] = this.pipeline()
    const match = first && '$match' in first ? first.$match : undefined
    if (typeof match?.workspace !== 'string') throw new WorkspaceMissing('aggregate', 'pipeline')
  })
}
