import { equalValues } from '../bson/compare.ts'
import { documentFrom, documentOf, get, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { arrayItems, numberIn, stringIn } from '../bson/values.ts'
import { CommandError, namespaceNotFound } from '../errors.ts'
import { buildIndex } from '../indexes/build.ts'
import { ID_INDEX_SPECIFICATION, type Index, isSameIndex, namesIndex } from '../indexes/index-spec.ts'
import type { Collection } from '../storage/collection.ts'
import { answerAll, answerFirst } from './answers.ts'
import { Cursor } from './cursors.ts'
import { type Handler, ok, type Request } from './request.ts'

const isIdKey = (specification: RawValue): boolean => {
  const key = get(specification, 'key')
  const idKey = get(documentOf(ID_INDEX_SPECIFICATION), 'key')
  return key !== undefined && idKey !== undefined && equalValues(key, idKey)
}

export const createIndexes: Handler = {
  options: ['createIndexes', 'indexes', 'commitQuorum', 'ignoreUnknownIndexOptions'],
  run: async (request: Request) => {
    const { engine } = request
    const specifications = request.documents('indexes')
    if (specifications.length === 0) throw new CommandError(2, 'Must specify at least one index to create')
    const created = engine.catalog.get(request.database, request.collectionName) === undefined
    const wanted = specifications
      .filter((each) => !isIdKey(each))
      .map((each) => engine.catalog.newIndex(each))
    const collection = engine.catalog.ensure(request.database, request.collectionName)
    const before = collection.indexes.length + 1
    for (const index of wanted) {
      await collection.building.get(index.name)?.catch(() => undefined)
      if (collection.indexes.some((existing) => isSameIndex(existing, index))) continue
      await buildIndex(engine, collection, index)
    }
    await engine.store.commit()
    const after = collection.indexes.length + 1
    const answer = {
      numIndexesBefore: before,
      numIndexesAfter: after,
      createdCollectionAutomatically: created,
    }
    return ok(before === after ? { ...answer, note: 'all indexes already exist' } : answer)
  },
}

export const dropIndexes: Handler = {
  options: ['dropIndexes', 'deleteIndexes', 'index'],
  run: async (request: Request) => {
    const { catalog, store } = request.engine
    const collection = catalog.get(request.database, request.collectionName)
    if (!collection) throw namespaceNotFound(`ns not found ${request.namespace}`)
    const wanted = request.value('index')
    if (!wanted)
      throw new CommandError(40414, "BSON field 'dropIndexes.index' is missing but a required field")
    const before = collection.indexes.length + 1
    for (const index of chosenIndexes(collection, wanted)) catalog.dropIndex(collection, index)
    await store.commit()
    await catalog.clearDropped()
    return ok({ nIndexesWas: before })
  },
}

function chosenIndexes(collection: Collection, wanted: RawValue): Index[] {
  const names = arrayItems(wanted) ?? [wanted]
  return names.flatMap((name) => {
    if (name.type === T.string && stringIn(name) === '*') return collection.indexes
    if (name.type === T.string && stringIn(name) === '_id_')
      throw new CommandError(72, 'cannot drop _id index')
    const found = collection.indexes.filter((index) => namesIndex(index, name))
    if (found.length > 0) return found
    throw new CommandError(
      27,
      name.type === T.string
        ? `index not found with name [${stringIn(name)}]`
        : "can't find index with that key",
    )
  })
}

export const listIndexes: Handler = {
  options: ['listIndexes', 'cursor'],
  run: (request: Request) => {
    const collection = request.engine.catalog.get(request.database, request.collectionName)
    if (!collection) throw namespaceNotFound(`ns does not exist: ${request.namespace}`)
    const documents = [
      ID_INDEX_SPECIFICATION,
      ...collection.indexes.filter((index) => !index.building).map((index) => index.specification),
    ]
    const cursorOptions = request.document('cursor')
    const size = cursorOptions && get(cursorOptions, 'batchSize')
    if (!size || documents.length <= Number(numberIn(size))) return answerAll(request.namespace, documents)
    return answerFirst(
      request.engine.cursors,
      new Cursor(request.namespace, none(), documents),
      Number(numberIn(size)),
    )
  },
}

/** A source of nothing, for cursors whose documents are ready. */
async function* none(): AsyncGenerator<Buffer[]> {}

/** The key pattern of an index. */
export const keyPatternOf = (index: Index): RawValue =>
  get(documentOf(index.specification), 'key') ?? documentOf(documentFrom([]))
