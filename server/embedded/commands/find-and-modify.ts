import { documentOf } from '../bson/raw.ts'
import { failedToParse } from '../errors.ts'
import { refuseCollation } from '../query/parse-filter.ts'
import { compileProjection } from '../query/projection.ts'
import { selectForWrite } from '../query/select-for-write.ts'
import { NO_FILTER, prepareChange, refuseExpressions } from './change.ts'
import { idOf } from './insert.ts'
import { type Handler, ok, type Request } from './request.ts'
import { selectionOf } from './selection.ts'
import { validation } from './validation.ts'

export const findAndModify: Handler = {
  options: [
    'findAndModify',
    'findandmodify',
    'query',
    'sort',
    'remove',
    'update',
    'new',
    'fields',
    'upsert',
    'arrayFilters',
    'hint',
    'collation',
    'let',
  ],
  run: async (request: Request) => {
    refuseCollation(request.value('collation'))
    const removes = request.boolean('remove', false)
    const answersNew = request.boolean('new', false)
    const upsert = request.boolean('upsert', false)
    const document = request.value('update')
    if (removes) {
      if (document) throw failedToParse("Cannot specify both an 'update' and 'remove'=true")
      if (upsert) throw failedToParse("Cannot specify both 'upsert'=true and 'remove'=true")
      if (answersNew)
        throw failedToParse(
          "Cannot specify both 'new'=true and 'remove'=true; 'remove' always returns the deleted document",
        )
    } else if (!document) throw failedToParse("Either an 'update' or 'remove'=true must be specified")
    const variables = request.variables()
    const fields = request.document('fields')
    const project = fields && compileProjection(fields, request.document('query'), variables)
    const selection = selectionOf({
      filter: request.document('query') ?? NO_FILTER,
      sort: request.document('sort'),
      hint: request.value('hint'),
      deadline: request.deadline,
      variables,
    })
    if (upsert) refuseExpressions(selection.filter)
    const change =
      document && prepareChange(request.engine, document, request.value('arrayFilters'), variables)
    const { catalog, store } = request.engine
    const collection = upsert
      ? catalog.ensure(request.database, request.collectionName)
      : catalog.get(request.database, request.collectionName)
    let value: Buffer | undefined
    let found = false
    let upserted: Buffer | undefined
    if (collection) {
      const valid = validation(request, collection)
      await selectForWrite(store, collection, selection, false, (chosen) => {
        if (chosen) {
          found = true
          value = chosen.bytes
          if (!change) return collection.remove(chosen.key, chosen.bytes)
          const after = change.apply(chosen)
          if (!after.equals(chosen.bytes)) {
            valid?.(after, chosen.bytes)
            collection.replace(chosen.key, chosen.bytes, after, change.touched)
          }
          if (answersNew) value = after
        } else if (change && upsert) {
          upserted = change.insert(selection.filter)
          valid?.(upserted)
          collection.insert(upserted)
          if (answersNew) value = upserted
        }
      })
      await store.commit()
    }
    const lastErrorObject: Record<string, unknown> = { n: found || upserted ? 1 : 0 }
    if (!removes) lastErrorObject.updatedExisting = found
    if (upserted) lastErrorObject.upserted = idOf(upserted)
    return ok({ lastErrorObject, value: value ? documentOf(project ? project(value) : value) : null })
  },
}
