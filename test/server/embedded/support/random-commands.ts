import type { Random } from './random.ts'
import { arrayFilter, filter } from './random-filters.ts'
import { modifiers, update } from './random-updates.ts'
import { type Doc, document, id, numeric, OPEN_FIELDS, PATHS, scalar } from './random-values.ts'

export const DATABASE = 'random_commands'

/** How many collections the seeds share: the indexes of a collection are made once, as one server takes seconds for one. */
export const WORLDS = 24

/** A command, and what its answer may be compared by. */
export interface Step {
  readonly command: Doc
  /** The order of the answered documents is part of the answer. */
  readonly ordered: boolean
  /** After a difference in its answer the collections differ too. */
  readonly writes: boolean
}

const INDEXES: readonly Doc[] = [
  { key: { a: 1 } },
  { key: { b: -1 } },
  { key: { 'a.b': 1 } },
  { key: { l: 1 } },
  { key: { n: 1, a: 1 } },
  { key: { s: -1, 't.k': 1 } },
  { key: { 't.k': 1, n: -1 } },
  { key: { n: 1, s: -1 } },
  { key: { d: 1 }, sparse: true },
  { key: { c: 1 }, partialFilterExpression: { n: { $gte: 1 } } },
  { key: { n: 1, s: 1 }, unique: true },
  { key: { 'a.c': 1 }, unique: true, sparse: true },
  { key: { s: 1 }, unique: true, partialFilterExpression: { n: { $gt: 3 } } },
  { key: { l: -1 }, unique: true, sparse: true },
]

/** The indexes of a seed's collection. */
export function indexesOf(world: number, random: Random): Doc[] {
  if (world < 3) return []
  const chosen = new Set(random.times(1 + random.below(3), () => random.pick(INDEXES)))
  return [...chosen].map((index, i) => ({ ...index, name: `i${i}` }))
}

/** The commands of a seed: the collection is empty before the first. */
export function* commandsOf(
  collection: string,
  indexes: readonly Doc[],
  random: Random,
  count: number,
): Generator<Step> {
  const everything = (): Step => ({
    command: { find: collection, sort: { _id: 1 } },
    ordered: true,
    writes: false,
  })
  const first = random.times(14, (i) => document(random, i))
  yield { command: { insert: collection, documents: first, ordered: false }, ordered: true, writes: true }
  let unseen = true
  for (let i = 1; i < count; i++) {
    if (unseen && random.chance(0.55)) {
      unseen = false
      yield everything()
      continue
    }
    const step = next(collection, indexes, random)
    unseen ||= step.writes
    yield step
  }
}

function next(collection: string, indexes: readonly Doc[], random: Random): Step {
  const kind = random.below(100)
  if (kind < 26) return find(collection, indexes, random)
  if (kind < 34) return insert(collection, random)
  if (kind < 60) return updateStep(collection, random)
  if (kind < 64) return deletion(collection, random)
  if (kind < 78) return findAndModify(collection, random)
  if (kind < 84) return count(collection, random)
  if (kind < 90) return read({ distinct: collection, key: random.pick(PATHS), query: filter(random, 1) })
  if (kind < 98) return aggregate(collection, random)
  return faulty(collection, random)
}

const read = (command: Doc): Step => ({ command, ordered: false, writes: false })
const write = (command: Doc): Step => ({ command, ordered: true, writes: true })

function find(collection: string, indexes: readonly Doc[], random: Random): Step {
  const positional = random.chance(0.08) ? arrayFilter(random) : undefined
  const command: Doc = { find: collection, filter: positional?.filter ?? filter(random) }
  const ordered = random.chance(0.75)
  const whole = !positional && random.chance(0.5)
  if (ordered) command.sort = whole ? sort(random) : plainSort(random)
  if (positional) command.projection = { [`${positional.path}.$`]: 1 }
  else if (!whole && random.chance(0.7)) command.projection = projection(random)
  if (ordered && !whole && random.chance(0.4)) command.skip = random.below(5)
  if (ordered && !whole && random.chance(0.6)) command.limit = random.below(6)
  if (random.chance(0.15)) command.batchSize = 1 + random.below(4)
  if (ordered && random.chance(0.05)) command.singleBatch = true
  const plain = indexes.filter((index) => !index.sparse && !index.partialFilterExpression)
  if (random.chance(0.15)) {
    const chosen =
      plain.length > 0 && random.chance(0.7) ? random.pick(plain) : { name: '_id_', key: { _id: 1 } }
    command.hint = random.chance(0.5) ? chosen.name : chosen.key
  }
  return { command, ordered, writes: false }
}

function sort(random: Random, paths: readonly string[] = PATHS): Doc {
  const made: Doc = {}
  for (let i = 0; i <= random.below(2); i++) made[random.pick(paths)] = random.pick([1, -1])
  return { ...made, _id: random.pick([1, -1]) }
}

/**
 * A sort by what is never an empty array: the other server has that beside null, MongoDB before it, so only whole
 * collections are sorted by any path, where the difference shows as such.
 */
const plainSort = (random: Random): Doc => sort(random, ['n', 's', 'x', '_id'])

const FIELDS = [...OPEN_FIELDS, 'n', 's', 'l', 't', 'a.b', 'b.a', 't.k', 't.v', 'c.a', 'a.b.c', 't.v.w']

function projection(random: Random): Doc {
  switch (random.below(8)) {
    case 0:
      return {
        [random.pick(['l', 't', 'c'])]: {
          $slice: random.chance(0.5) ? random.below(5) - 2 : [random.below(4) - 2, 1 + random.below(2)],
        },
      }
    case 1:
      return { [random.pick(['l', 'c'])]: { $elemMatch: { $gte: random.below(4) } }, n: 1 }
    case 2:
      return { t: { $elemMatch: { k: random.below(4) } } }
    case 3:
      return { n: 1, z: random.pick(['$a', '$t.k', { $literal: 1 }, { $ifNull: ['$b', 'none'] }, '$a.b']) }
    default:
      return paths(random)
  }
}

function paths(random: Random): Doc {
  const included = random.chance(0.6) ? 1 : 0
  const made: Doc = {}
  for (let i = 0; i <= random.below(3); i++) {
    const path = random.pick(FIELDS)
    const clash = Object.keys(made).some(
      (other) => `${other}.`.startsWith(`${path}.`) || `${path}.`.startsWith(`${other}.`),
    )
    if (!clash) made[path] = included
  }
  if (random.chance(0.25)) made._id = random.below(2)
  return made
}

const insert = (collection: string, random: Random): Step =>
  write({
    insert: collection,
    documents: random.times(1 + random.below(5), () => document(random, id(random))),
    ordered: random.chance(0.5),
  })

function updateStep(collection: string, random: Random): Step {
  const statements = random.times(random.chance(0.8) ? 1 : 3, () => statement(random))
  return write({ update: collection, updates: statements, ordered: random.chance(0.6) })
}

function statement(random: Random): Doc {
  if (random.chance(0.12)) return { q: filter(random, 1), u: modifiers(random), multi: true }
  const { u, arrayFilters, filter: asked } = update(random)
  const upsert = !arrayFilters && random.chance(0.2)
  const made: Doc = { q: { _id: id(random), ...asked, ...(upsert ? seeds(random) : {}) }, u }
  if (upsert) made.upsert = true
  if (arrayFilters) made.arrayFilters = arrayFilters
  return made
}

/** Equalities that an upsert takes over. */
const seeds = (random: Random): Doc =>
  random.pick<Doc>([
    {},
    { n: random.below(4) },
    { 'a.b': scalar(random) },
    { $and: [{ s: 'x' }, { 'd.e': 1 }] },
    { n: { $gt: 1 } },
    { s: { $in: ['x'] } },
    { c: { $all: [1] } },
  ])

function deletion(collection: string, random: Random): Step {
  const one = random.chance(0.7)
  const q = one ? { _id: id(random) } : filter(random, 1)
  return write({ delete: collection, deletes: [{ q, limit: one ? 1 : 0 }] })
}

function findAndModify(collection: string, random: Random): Step {
  const command: Doc = { findAndModify: collection }
  const { u, arrayFilters, filter: asked } = update(random)
  const upsert = !arrayFilters && random.chance(0.2)
  command.query = upsert
    ? { _id: id(random), ...asked, ...seeds(random) }
    : { ...filter(random, 1), ...asked }
  command.sort = plainSort(random)
  if (random.chance(0.3)) command.fields = paths(random)
  if (!upsert && random.chance(0.15)) return write({ ...command, remove: true })
  command.update = u
  if (arrayFilters) command.arrayFilters = arrayFilters
  if (upsert) command.upsert = true
  if (random.chance(0.6)) command.new = true
  return write(command)
}

function count(collection: string, random: Random): Step {
  const command: Doc = { count: collection, query: filter(random) }
  if (random.chance(0.2)) command.skip = random.below(4)
  if (random.chance(0.2)) command.limit = 1 + random.below(5)
  return read(command)
}

function aggregate(collection: string, random: Random): Step {
  const pipeline: Doc[] = []
  if (random.chance(0.6)) pipeline.push({ $match: filter(random, 1) })
  const ordered = random.chance(0.5)
  switch (random.below(6)) {
    case 0:
      if (ordered) pipeline.push({ $sort: plainSort(random) }, { $limit: 1 + random.below(4) })
      break
    case 1:
      pipeline.push({ $unwind: random.chance(0.5) ? '$l' : { path: '$t', preserveNullAndEmptyArrays: true } })
      break
    case 2:
      pipeline.push({ $group: { _id: random.pick(['$s', null, { $type: '$n' }]), count: { $sum: 1 } } })
      break
    case 3:
      pipeline.push({ $project: paths(random) })
      break
    case 4:
      pipeline.push({ $match: { _id: { $gte: random.below(20) } } }, { $count: 'count' })
      break
    default:
      pipeline.push({ $sort: plainSort(random) }, { $skip: random.below(3) })
  }
  return {
    command: { aggregate: collection, pipeline, cursor: {} },
    ordered: ordered && '$sort' in (pipeline.find((stage) => '$sort' in stage) ?? {}),
    writes: false,
  }
}

/** What has to be refused, alike. */
function faulty(collection: string, random: Random): Step {
  const _id = random.below(14)
  const u = random.pick<unknown>([
    { $set: { _id: 99 } },
    { _id: 99, n: numeric(random) },
    { $set: { 'a.': 1 } },
    { $set: { a: 1, 'a.b': 2 } },
    { $inc: { a: 'x' } },
    { $nope: { a: 1 } },
    { $set: { $x: 1 } },
    { $push: { l: { $each: 1 } } },
    { $push: { l: { $each: [1], $slice: 'x' } } },
    { $pop: { l: 2 } },
    { $rename: { a: 'a' } },
    { $rename: { a: 1 } },
    { $addToSet: { n: 1 } },
    { $bit: { n: { and: 1.5 } } },
    { $pullAll: { l: 1 } },
    { $set: { 'l.$[i]': 1 } },
    { $set: { 'l.$': 1 } },
    { $currentDate: { a: 'x' } },
    { $inc: 1 },
  ])
  if (random.chance(0.6)) return write({ update: collection, updates: [{ q: { _id }, u }] })
  const bad = random.pick<Doc>([
    { filter: { a: { $nope: 1 } } },
    { filter: { $nope: 1 } },
    { filter: { $and: [] } },
    { filter: { a: { $in: 1 } } },
    { filter: { a: { $type: 'nope' } } },
    { filter: { a: { $size: -1 } } },
    { filter: { a: { $mod: [1] } } },
    { filter: { a: { $mod: [0, 1] } } },
    { filter: { a: { $all: 1 } } },
    { filter: { a: { $elemMatch: 1 } } },
    { filter: { a: { $not: 1 } } },
    { filter: { a: { $options: 'i' } } },
    { filter: { a: { $regex: '(' } } },
    { projection: { a: 1, b: 0 } },
    { projection: { a: 1, 'a.b': 1 } },
    { projection: { a: { $slice: 'x' } } },
    { sort: { a: 2 } },
    { skip: -1 },
    { limit: -1 },
    { batchSize: -1 },
    { hint: 'nope' },
  ])
  return read({ find: collection, ...bad })
}
