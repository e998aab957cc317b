import { Decimal128, Long } from 'mongodb'
import type { Random } from './random.ts'
import { arrayFilter } from './random-filters.ts'
import { body, type Doc, item, numeric, scalar, value, WORDS } from './random-values.ts'

const OPEN_PATHS = ['a', 'b', 'c', 'd', 'a.b', 'b.a', 'c.0', 'd.a', 'a.b.c', 'e', 'e.f', 'c.1', 'c.4']
const LIST_PATHS = ['l', 'l', 'c', 'a', 'e', 't', 'a.b']

/** An update of one document, with what its filter must ask for it to make sense. */
export interface RandomUpdate {
  readonly u: unknown
  readonly arrayFilters?: Doc[]
  readonly filter?: Doc
}

export function update(random: Random): RandomUpdate {
  switch (random.below(12)) {
    case 0:
      return { u: body(random) }
    case 1:
      return { u: pipeline(random) }
    case 2:
      return positional(random)
    case 3:
      return filtered(random)
    case 4:
      return everyItem(random)
    default:
      return { u: modifiers(random) }
  }
}

/**
 * Operators on open paths, in the order of the paths: MongoDB changes fields in that order, the other server in the
 * order they are given, and the order decides where new fields go.
 */
export function modifiers(random: Random): Doc {
  const chosen = random.times(1 + random.below(4), () => modifier(random))
  if (!random.chance(0.03)) chosen.sort(([, a], [, b]) => (a < b ? -1 : 1))
  const made: Record<string, Doc> = {}
  const taken: string[] = []
  for (const [operator, path, operand] of chosen) {
    const ends = operator === '$rename' ? [path, String(operand)] : [path]
    if (ends.some((end) => taken.some((other) => meet(end, other))) && !random.chance(0.03)) continue
    if (made[operator] && Object.keys(made).at(-1) !== operator) continue
    taken.push(...ends)
    made[operator] = { ...made[operator], [path]: operand }
  }
  return made
}

const meet = (a: string, b: string): boolean => `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`)

function modifier(random: Random): [string, string, unknown] {
  const open = random.pick(OPEN_PATHS)
  const list = random.pick(LIST_PATHS)
  // What only takes away goes into documents seldom: the other server makes them where they are not there.
  const taken = list.includes('.') && random.chance(0.9) ? 'l' : list
  switch (random.below(20)) {
    case 0:
    case 1:
      return ['$set', open, value(random)]
    case 2:
      return random.chance(0.5) ? ['$set', 'n', numeric(random)] : ['$set', 's', random.pick(WORDS)]
    case 3:
      return [
        '$unset',
        random.chance(0.7)
          ? random.pick(['a', 'b', 'c', 'd', 'e', 'c.0', 'c.1', open])
          : random.pick(['n', 's', 'l', 't.0', 'l.1', 't.1']),
        '',
      ]
    case 4:
    case 5:
      return ['$inc', random.chance(0.5) ? 'n' : open, delta(random)]
    case 6:
      return ['$mul', random.chance(0.6) ? 'n' : open, random.pick([2, 0.5, Long.fromNumber(3)])]
    case 7:
      return ['$min', random.chance(0.4) ? 'n' : open, random.chance(0.5) ? numeric(random) : scalar(random)]
    case 8:
      return [
        '$max',
        random.chance(0.4) ? 'l.0' : open,
        random.chance(0.5) ? numeric(random) : scalar(random),
      ]
    case 9:
    case 10:
      return ['$push', list, list === 't' ? pushedItems(random) : pushed(random)]
    case 11:
      return [
        '$addToSet',
        list,
        random.chance(0.5) ? scalar(random) : { $each: random.times(2, () => value(random, 1)) },
      ]
    case 12:
      return ['$pop', taken, random.pick([1, -1])]
    case 13:
      return ['$pull', taken, pulled(random, taken)]
    case 14:
      return [
        '$pullAll',
        taken,
        random.times(2, () => (random.chance(0.5) ? numeric(random) : scalar(random))),
      ]
    case 15:
      return ['$rename', random.pick(['a', 'b', 'c', 'a', 'e', 'a.b']), random.pick(['f', 'g', 'f.g', 'd'])]
    case 16:
      return ['$setOnInsert', random.pick(['i', 'i.j', open]), scalar(random)]
    case 17:
      return ['$bit', random.chance(0.5) ? 'n' : open, { [random.pick(['and', 'or', 'xor'])]: bits(random) }]
    case 18:
      return ['$set', random.pick(['t.0.v', 't.1.k', 'l.2', 't.5']), scalar(random)]
    default:
      return ['$set', 't', random.times(random.below(4), () => item(random))]
  }
}

const delta = (random: Random): unknown =>
  random.pick([1, -1, 2.5, Long.fromNumber(2), Decimal128.fromString('1.5'), 2147483647])

const bits = (random: Random): unknown =>
  random.chance(0.2) ? Long.fromNumber(random.below(8)) : random.below(8)

function pushed(random: Random): unknown {
  if (random.chance(0.5)) return value(random, 1)
  const made: Doc = {
    $each: random.times(1 + random.below(2), () => scalar(random)),
  }
  if (random.chance(0.4)) made.$position = random.below(5) - 2
  if (random.chance(0.4)) made.$sort = random.pick([1, -1])
  if (random.chance(0.4)) made.$slice = random.below(6) - 3
  return made
}

function pushedItems(random: Random): unknown {
  if (random.chance(0.4)) return item(random)
  const made: Doc = { $each: random.times(1 + random.below(2), () => item(random)) }
  if (random.chance(0.6))
    made.$sort = random.pick([{ k: 1 }, { k: -1 }, { v: 1 }, { k: 1, v: -1 }, { 'v.w': 1 }])
  if (random.chance(0.5)) made.$slice = random.below(6) - 3
  if (random.chance(0.3)) made.$position = random.below(4) - 1
  return made
}

function pulled(random: Random, list: string): unknown {
  if (list === 't')
    return random.pick([{ k: random.below(4) }, { k: { $gte: 2 } }, { v: scalar(random) }, item(random)])
  return random.pick([
    scalar(random),
    { $gte: random.below(4) },
    { $in: [scalar(random), numeric(random)] },
    null,
  ])
}

/** `$`: the item that made the filter match. */
function positional(random: Random): RandomUpdate {
  const { path, filter } = arrayFilter(random)
  const u = random.pick<Doc>(
    path === 't'
      ? [
          { $set: { 't.$.v': scalar(random) } },
          { $inc: { 't.$.k': 1 } },
          { $set: { 't.$': item(random) } },
          { $unset: { 't.$.v': 1 } },
        ]
      : [
          { $set: { [`${path}.$`]: numeric(random) } },
          { $inc: { [`${path}.$`]: 1 } },
          { $unset: { [`${path}.$`]: 1 } },
        ],
  )
  return { u, filter }
}

/** `$[name]`: the items an array filter chooses. */
function filtered(random: Random): RandomUpdate {
  if (random.chance(0.5)) {
    const condition = random.chance(0.5) ? { $gte: random.below(4) } : numeric(random)
    const u = random.pick<Doc>([
      { $inc: { 'l.$[i]': 2 } },
      { $set: { 'l.$[i]': scalar(random) } },
      { $min: { 'l.$[i]': 1 } },
    ])
    return { u, arrayFilters: [{ i: condition }], ...there(random, 'l') }
  }
  const u = random.pick<Doc>([
    { $set: { 't.$[i].v': scalar(random) } },
    { $unset: { 't.$[i].v': 1 } },
    { $set: { 't.$[i].v.w': 1 } },
    { $push: { 't.$[i].p': numeric(random) } },
  ])
  const chosen = random.chance(0.6) ? { 'i.k': { $lte: random.below(4) } } : { 'i.v': scalar(random) }
  return { u, arrayFilters: [chosen], ...there(random, 't') }
}

/** Most of the time the array has to be there. */
const there = (random: Random, path: string): { filter?: Doc } =>
  random.chance(0.9) ? { filter: { [path]: { $type: 'array' } } } : {}

/** `$[]`: every item. */
function everyItem(random: Random): RandomUpdate {
  const [path, u] = random.pick<[string, Doc]>([
    ['l', { $inc: { 'l.$[]': 1 } }],
    ['t', { $set: { 't.$[].v': scalar(random) } }],
    ['l', { $mul: { 'l.$[]': 2 } }],
    ['c', { $set: { 'c.$[]': scalar(random) } }],
    ['t', { $unset: { 't.$[].v': 1 } }],
  ])
  return { u, ...there(random, path) }
}

function pipeline(random: Random): Doc[] {
  return random.pick<Doc[]>([
    [{ $set: { e: '$a', n: { $literal: random.below(5) } } }],
    [{ $set: { 'a.z': '$s' } }],
    [{ $unset: ['a', 'b'] }],
    [{ $set: { e: ['$n', '$s'] } }, { $unset: 'd' }],
    [{ $set: { e: { $ifNull: ['$a', 'none'] } } }],
    [{ $set: { e: { $cond: [{ $gt: ['$n', 2] }, 'more', 'less'] } } }],
    [{ $replaceWith: { _id: '$_id', n: '$n', s: '$s', kept: '$t' } }],
  ])
}
