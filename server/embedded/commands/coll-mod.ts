import type { Plain } from '../bson/plain.ts'
import { get, type RawValue } from '../bson/raw.ts'
import { isNumberType } from '../bson/types.ts'
import { numberIn } from '../bson/values.ts'
import { CommandError, namespaceNotFound } from '../errors.ts'
import { namesIndex, withExpiry } from '../indexes/index-spec.ts'
import type { Collection } from '../storage/collection.ts'
import { type Handler, ok, type Request } from './request.ts'
import { optionsWith, validatorOptions } from './validation.ts'

/** Changes a collection's validator, or how long an index lets its documents live. */
export const collMod: Handler = {
  options: ['collMod', 'index', 'validator', 'validationLevel', 'validationAction'],
  run: async (request: Request) => {
    const { catalog, store } = request.engine
    const collection = catalog.get(request.database, request.collectionName)
    if (!collection) throw namespaceNotFound(`ns does not exist: ${request.namespace}`)
    const changed = validatorOptions(request)
    const wanted = request.document('index')
    const answer = wanted ? changeExpiry(collection, wanted) : {}
    if (changed.length > 0) collection.options = optionsWith(collection.options, changed)
    catalog.save(collection)
    await store.commit()
    return ok(answer)
  },
}

function changeExpiry(collection: Collection, wanted: RawValue): Plain {
  const named = get(wanted, 'name') ?? get(wanted, 'keyPattern')
  if (!named) throw new CommandError(72, 'Must specify either index name or key pattern.')
  const index = collection.indexes.find((each) => namesIndex(each, named))
  if (!index) throw new CommandError(27, 'cannot find the index to change')
  const seconds = get(wanted, 'expireAfterSeconds')
  if (!seconds || !isNumberType(seconds.type)) throw new CommandError(72, 'no expireAfterSeconds field')
  const before = index.expireAfterSeconds
  index.expireAfterSeconds = Number(numberIn(seconds))
  index.specification = withExpiry(index.specification, index.expireAfterSeconds)
  return {
    ...(before === undefined ? {} : { expireAfterSeconds_old: before }),
    expireAfterSeconds_new: index.expireAfterSeconds,
  }
}
