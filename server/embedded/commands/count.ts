import type { RawValue } from '../bson/raw.ts'
import { documentOf, itemsOf } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { badValue } from '../errors.ts'
import { keyOf } from '../indexes/key-encoding.ts'
import { countSelection } from '../query/count.ts'
import { refuseCollation } from '../query/parse-filter.ts'
import { anyAtPath, parsePath } from '../query/path.ts'
import { type Documents, planSelection, type Selection, select, selectPoints } from '../query/select.ts'
import { type Handler, ok, type Request } from './request.ts'
import { selectionOf } from './selection.ts'

/** All documents of a selection, in portions. */
async function* documentsOf(request: Request, selection: Selection): Documents {
  const { catalog, store } = request.engine
  const collection = catalog.get(request.database, request.collectionName)
  if (!collection) return
  const decided = await planSelection(store, collection, selection)
  const points = selectPoints(store, collection, selection, decided.plan)
  if (points) yield points
  else yield* select(store, collection, selection, decided)
}

export const count: Handler = {
  options: ['count', 'query', 'limit', 'skip', 'hint', 'collation', 'fields'],
  run: async (request: Request) => {
    refuseCollation(request.value('collation'))
    const selection = selectionOf({
      filter: request.document('query'),
      skip: request.number('skip', 0),
      limit: request.number('limit', 0),
      hint: request.value('hint'),
      deadline: request.deadline,
      expected: 1000,
    })
    const { catalog, store } = request.engine
    const collection = catalog.get(request.database, request.collectionName)
    return ok({ n: collection ? await countSelection(store, collection, selection) : 0 })
  },
}

export const distinct: Handler = {
  options: ['distinct', 'key', 'query', 'collation', 'hint'],
  run: async (request: Request) => {
    refuseCollation(request.value('collation'))
    const key = request.string('key')
    if (!key) throw badValue('distinct needs a key')
    const path = parsePath(key)
    const selection = selectionOf({
      filter: request.document('query'),
      hint: request.value('hint'),
      deadline: request.deadline,
      expected: 1000,
    })
    const found = new Map<string, RawValue>()
    const note = (value: RawValue) => {
      const name = keyOf(value).toString('latin1')
      if (!found.has(name)) found.set(name, value)
    }
    for await (const batch of documentsOf(request, selection)) {
      for (const bytes of batch) {
        anyAtPath(documentOf(bytes), path, 0, (value) => {
          if (value?.type === T.array) itemsOf(value).forEach(note)
          else if (value) note(value)
          return false
        })
      }
    }
    const values = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
    return ok({ values })
  },
}
