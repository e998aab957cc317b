import { BSONRegExp } from 'mongodb'
import type { Random } from './random.ts'
import { type Doc, id, numeric, PATHS, scalar, value } from './random-values.ts'

const TYPES = [
  'int',
  'double',
  'string',
  'array',
  'object',
  'null',
  'bool',
  'number',
  'long',
  'date',
  'decimal',
]
const PATTERNS = ['^x', 'y', '^X', 'x$', '^x y', '.', 'z|y']

const pattern = (random: Random) => new BSONRegExp(random.pick(PATTERNS), random.pick(['', '', 'i']))

function operators(random: Random): Doc {
  switch (random.below(22)) {
    case 0:
      return { $gt: value(random, 1) }
    case 1:
      return { $gte: scalar(random), $lte: scalar(random) }
    case 2:
      return { $lt: value(random, 1) }
    case 3:
      return { $ne: value(random, 1) }
    case 4:
      return { $in: random.times(random.below(4), () => scalar(random)) }
    case 5:
      return { $nin: random.times(1 + random.below(3), () => scalar(random)) }
    case 6:
      return { $exists: random.chance(0.5) }
    case 7:
      return { $type: random.pick(TYPES) }
    case 8:
      return { $size: random.below(4) }
    case 9:
      return { $all: random.times(1 + random.below(2), () => scalar(random)) }
    case 10:
      return { $elemMatch: elementCondition(random) }
    case 11:
      return { $not: random.chance(0.5) ? { $gt: scalar(random) } : { $in: [scalar(random), null] } }
    case 12:
      return { $mod: [random.pick([2, 3, -2]), random.below(3) - 1] }
    case 13:
      return { $gte: numeric(random), $lt: numeric(random) }
    case 14:
      return { $in: [pattern(random), scalar(random)] }
    case 15:
      // Not inside $all, which now and then ends the other server's process.
      return { $elemMatch: elementCondition(random) }
    case 16:
      return { $type: [random.pick(TYPES), random.pick(TYPES)] }
    case 17:
      return {
        [random.pick(['$bitsAllSet', '$bitsAnySet', '$bitsAllClear', '$bitsAnyClear'])]: random.below(6),
      }
    case 18:
      return { $not: pattern(random) }
    case 19:
      return { $eq: value(random, 1) }
    case 20:
      return { $ne: null, $lte: scalar(random) }
    default:
      return { $regex: random.pick(PATTERNS), $options: random.pick(['', 'i']) }
  }
}

function elementCondition(random: Random): Doc {
  switch (random.below(5)) {
    case 0:
      return { $gte: random.below(4) }
    case 1:
      return { $gt: random.below(3), $lt: 3 }
    case 2:
      return { k: random.below(4), v: { $exists: true } }
    case 3:
      return { k: { $gte: random.below(4) } }
    default:
      return random.chance(0.5) ? { a: scalar(random) } : { $in: [scalar(random), scalar(random)] }
  }
}

/** What a filter asks of one path. */
export const condition = (random: Random): unknown =>
  random.chance(0.35) ? value(random, 1) : random.chance(0.05) ? pattern(random) : operators(random)

export function filter(random: Random, depth = 0): Doc {
  if (depth < 2 && random.chance(0.15)) {
    const name = random.pick(['$and', '$or', '$or', '$nor'])
    const made: Doc = { [name]: random.times(1 + random.below(3), () => filter(random, depth + 1)) }
    if (random.chance(0.3)) made[random.pick(PATHS)] = condition(random)
    return made
  }
  if (random.chance(0.1)) return { _id: random.chance(0.5) ? id(random) : { $in: [id(random), id(random)] } }
  if (random.chance(0.04))
    return { $expr: { [random.pick(['$eq', '$gt', '$gte'])]: ['$n', random.below(4)] } }
  const made: Doc = {}
  for (let i = 0; i <= random.below(2); i++) made[random.pick(PATHS)] = condition(random)
  return made
}

/** A condition that a positional `$` can follow: it is about one array. */
export function arrayFilter(random: Random): { path: string; filter: Doc } {
  switch (random.below(4)) {
    case 0:
      return { path: 'l', filter: { l: random.chance(0.5) ? numeric(random) : { $gte: numeric(random) } } }
    case 1:
      return { path: 't', filter: { 't.k': random.chance(0.5) ? random.below(4) : { $gt: random.below(3) } } }
    case 2:
      return { path: 't', filter: { t: { $elemMatch: elementCondition(random) } } }
    default:
      return { path: 'c', filter: { c: scalar(random) } }
  }
}
