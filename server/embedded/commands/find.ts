import { itemsOf } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { numberIn } from '../bson/values.ts'
import { CommandError, notSupported } from '../errors.ts'
import { refuseCollation } from '../query/parse-filter.ts'
import { compileProjection } from '../query/projection.ts'
import { type Documents, planSelection, select, selectPoints } from '../query/select.ts'
import { answerAll, answerFirst, answerNext, batchSizeOf } from './answers.ts'
import { Cursor } from './cursors.ts'
import { type Handler, ok, type Request } from './request.ts'
import { selectionOf } from './selection.ts'

export const FIND_OPTIONS = [
  'find',
  'filter',
  'sort',
  'projection',
  'hint',
  'skip',
  'limit',
  'batchSize',
  'singleBatch',
  'collation',
  'let',
  'allowDiskUse',
  'allowPartialResults',
  'noCursorTimeout',
  'oplogReplay',
  'min',
  'max',
  'returnKey',
  'showRecordId',
  'tailable',
  'awaitData',
]

/** Reads a find command's selection; explain reads the same. */
export function findSelection(request: Request) {
  refuseCollation(request.value('collation'))
  for (const name of ['min', 'max'])
    if (request.value(name)) throw notSupported(`the option '${name}' of find`)
  for (const name of ['returnKey', 'showRecordId', 'tailable', 'awaitData']) {
    if (request.boolean(name, false)) throw notSupported(`the option '${name}' of find`)
  }
  const limit = request.number('limit', 0)
  if (limit < 0)
    throw new CommandError(51024, `BSON field 'limit' value must be >= 0, actual value '${limit}'`)
  return selectionOf({
    filter: request.document('filter'),
    sort: request.document('sort'),
    skip: request.number('skip', 0),
    limit,
    hint: request.value('hint'),
    deadline: request.deadline,
    expected: request.number('batchSize', 101),
    variables: request.variables(),
  })
}

export const find: Handler = {
  options: FIND_OPTIONS,
  run: async (request: Request) => {
    const { catalog, store, cursors } = request.engine
    const selection = findSelection(request)
    const batchSize = batchSizeOf(request)
    const projection = request.document('projection')
    const project =
      projection && compileProjection(projection, request.document('filter'), request.variables())
    const { namespace } = request
    const collection = catalog.get(request.database, request.collectionName)
    if (!collection) return answerAll(namespace, [])
    const decided = await planSelection(store, collection, selection)
    const points = selectPoints(store, collection, selection, decided.plan)
    if (points && points.length <= (batchSize ?? 101)) {
      return answerAll(namespace, project ? points.map(project) : points)
    }
    const found = select(store, collection, selection, decided)
    const cursor = new Cursor(namespace, project ? projected(found, project) : found)
    return answerFirst(cursors, cursor, batchSize, request.boolean('singleBatch', false))
  },
}

async function* projected(documents: Documents, project: (bytes: Buffer) => Buffer): Documents {
  for await (const batch of documents) yield batch.map(project)
}

export const getMore: Handler = {
  options: ['getMore', 'collection', 'batchSize', 'term', 'lastKnownCommittedOpTime'],
  run: (request: Request) => {
    const id = request.value('getMore')
    if (id?.type !== T.long)
      throw new CommandError(14, "BSON field 'getMore.getMore' is the wrong type, expected type 'long'")
    const collection = request.string('collection') ?? ''
    return answerNext(
      request.engine.cursors,
      BigInt(numberIn(id)),
      `${request.database}.${collection}`,
      request.number('batchSize', 0),
    )
  },
}

export const killCursors: Handler = {
  options: ['killCursors', 'cursors'],
  run: async (request: Request) => {
    const wanted = request.value('cursors')
    const killed: unknown[] = []
    const unknown: unknown[] = []
    for (const item of wanted?.type === T.array ? itemsOf(wanted) : []) {
      if (item.type !== T.long) throw new CommandError(14, 'cursor ids are longs')
      const gone = await request.engine.cursors.kill(BigInt(numberIn(item)))
      ;(gone ? killed : unknown).push(item)
    }
    return ok({ cursorsKilled: killed, cursorsNotFound: unknown, cursorsAlive: [], cursorsUnknown: [] })
  },
}
