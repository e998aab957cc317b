import type { Timestamp } from 'bson'
import { Schema, type SchemaDefinition } from 'mongoose'
import { tenancy } from './tenancy.ts'

/**
 * The moment of a document's last change by the database's own logical clock: it never repeats or runs backwards, whatever
 * the machines' clocks do, and is what the catch-up cursor counts in.
 */
export type Touched = Timestamp

/** Asks the database to stamp a change; goes into every update that agents may see. */
export const TOUCH = { $currentDate: { touched: { $type: 'timestamp' as const } } }

/** A collection of one workspace's things: string ids, no version key, nothing stored that the definition lacks. */
export function workspaceSchema<T>(
  definition: SchemaDefinition,
  indexes: [Record<string, 1 | -1>, object?][] = [],
): Schema<T> {
  const schema = new Schema<T>(
    {
      _id: { type: String, required: true },
      workspace: { type: String, required: true },
      ...definition,
    } as never,
    {
      versionKey: false,
      strict: 'throw',
      strictQuery: 'throw',
      minimize: false,
      id: false,
      autoIndex: false,
      autoCreate: false,
    },
  )
  schema.plugin(tenancy as never)
  for (const [fields, options] of indexes) schema.index(fields, options ?? {})
  return schema
}
