import { Decimal128, Double, Long, ObjectId } from 'mongodb'
import type { Random } from './random.ts'

/** Documents and commands of a small world, so that they meet: few fields, few values, many types. */

const FIELDS = ['a', 'b', 'c', 'd']
const PATHS = ['a', 'b', 'c', 'd', 'a.b', 'a.c', 'b.a', 'c.0', 'a.b.c', 'd.a']
const IDS = Array.from(
  { length: 6 },
  (_, i) => new ObjectId(`6500000000000000000000${(10 + i).toString(16).padStart(2, '0')}`),
)

export function scalar(random: Random): unknown {
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return random.below(5)
    case 4:
      return random.below(5) + 0.5
    case 5:
    case 6:
      return random.pick(['x', 'y', 'xy', 'Xy', 'z', ''])
    case 7:
      return null
    case 8:
      return random.chance(0.5)
    case 9:
      return new Date(1_600_000_000_000 + random.below(3) * 1000)
    case 10:
      return random.pick(IDS)
    case 11:
      return Long.fromNumber(random.below(4))
    case 12:
      return new Double(random.below(4))
    default:
      return random.chance(0.3) ? Decimal128.fromString(String(random.below(4))) : -random.below(3)
  }
}

export function value(random: Random, depth = 0): unknown {
  if (depth < 2 && random.chance(0.2)) return random.times(random.below(4), () => value(random, depth + 1))
  if (depth < 2 && random.chance(0.2)) return object(random, depth + 1)
  return scalar(random)
}

function object(random: Random, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  for (const name of ['a', 'b', 'c']) if (random.chance(0.4)) made[name] = value(random, depth)
  return made
}

export function document(random: Random, id: unknown): Record<string, unknown> {
  const made: Record<string, unknown> = { _id: id }
  for (const name of FIELDS) if (random.chance(0.7)) made[name] = value(random)
  return made
}

function operators(random: Random): unknown {
  switch (random.below(14)) {
    case 0:
      return { $gt: scalar(random) }
    case 1:
      return { $gte: scalar(random), $lte: scalar(random) }
    case 2:
      return { $lt: scalar(random) }
    case 3:
      return { $ne: scalar(random) }
    case 4:
      return { $in: random.times(1 + random.below(3), () => scalar(random)) }
    case 5:
      return { $nin: random.times(1 + random.below(3), () => scalar(random)) }
    case 6:
      return { $exists: random.chance(0.5) }
    case 7:
      return {
        $type: random.pick([
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
        ]),
      }
    case 8:
      return { $size: random.below(3) }
    case 9:
      return { $all: random.times(1 + random.below(2), () => scalar(random)) }
    case 10:
      return { $elemMatch: random.chance(0.5) ? { $gte: random.below(4) } : { a: scalar(random) } }
    case 11:
      return { $not: { $gt: scalar(random) } }
    case 12:
      return { $mod: [2, random.below(2)] }
    default:
      return { $regex: random.pick(['^x', 'y', '^X', 'x$']), $options: random.pick(['', 'i']) }
  }
}

export function filter(random: Random, depth = 0): Record<string, unknown> {
  if (depth < 2 && random.chance(0.15)) {
    const name = random.pick(['$and', '$or', '$nor'])
    return { [name]: random.times(1 + random.below(2), () => filter(random, depth + 1)) }
  }
  const made: Record<string, unknown> = {}
  for (let i = 0; i <= random.below(2); i++) {
    made[random.pick(PATHS)] = random.chance(0.4) ? value(random, 1) : operators(random)
  }
  return made
}

const UPDATE_PATHS = ['a', 'b', 'c', 'd', 'a.b', 'b.a', 'c.0', 'd.a', 'a.b.c', 'e', 'e.f', 'c.1']

export function update(random: Random): Record<string, unknown> {
  const made: Record<string, Record<string, unknown>> = {}
  for (let i = 0; i <= random.below(2); i++) {
    const path = random.pick(UPDATE_PATHS)
    const [operator, operand] = modifier(random)
    made[operator] = { ...made[operator], [path]: operand }
  }
  return made
}

function modifier(random: Random): [string, unknown] {
  switch (random.below(16)) {
    case 0:
    case 1:
      return ['$set', value(random)]
    case 2:
      return ['$unset', '']
    case 3:
    case 4:
      return ['$inc', random.pick([1, -1, 2.5, Long.fromNumber(2)])]
    case 5:
      return ['$mul', random.pick([2, 0.5])]
    case 6:
      return ['$min', scalar(random)]
    case 7:
      return ['$max', scalar(random)]
    case 8:
      return ['$push', random.chance(0.5) ? scalar(random) : pushed(random)]
    case 9:
      return [
        '$addToSet',
        random.chance(0.5) ? scalar(random) : { $each: random.times(2, () => scalar(random)) },
      ]
    case 10:
      return ['$pop', random.pick([1, -1])]
    case 11:
      return ['$pull', random.chance(0.5) ? scalar(random) : { $gte: random.below(4) }]
    case 12:
      return ['$pullAll', random.times(2, () => scalar(random))]
    case 13:
      return ['$rename', random.pick(['f', 'g', 'f.g'])]
    case 14:
      return ['$setOnInsert', scalar(random)]
    default:
      return ['$bit', { [random.pick(['and', 'or', 'xor'])]: random.below(8) }]
  }
}

function pushed(random: Random): Record<string, unknown> {
  const made: Record<string, unknown> = { $each: random.times(random.below(3), () => scalar(random)) }
  if (random.chance(0.4)) made.$position = random.below(4) - 1
  if (random.chance(0.4)) made.$sort = random.pick([1, -1])
  if (random.chance(0.4)) made.$slice = random.below(6) - 3
  return made
}

export function sort(random: Random): Record<string, 1 | -1> {
  const made: Record<string, 1 | -1> = { [random.pick(PATHS)]: random.pick([1, -1] as const) }
  if (random.chance(0.4)) made[random.pick(['a', 'b', 'c', 'd'])] = random.pick([1, -1] as const)
  return { ...made, _id: 1 }
}

export function projection(random: Random): Record<string, unknown> {
  const included = random.chance(0.6) ? 1 : 0
  const made: Record<string, unknown> = {}
  for (let i = 0; i <= random.below(2); i++) made[random.pick(['a', 'b', 'c', 'd', 'a.b', 'b.a'])] = included
  if ('a' in made) delete made['a.b']
  if ('b' in made) delete made['b.a']
  if (random.chance(0.2)) made._id = 0
  return made
}

export function index(random: Random): { key: Record<string, 1 | -1>; sparse?: boolean } {
  const key: Record<string, 1 | -1> = {}
  for (let i = 0; i <= random.below(2); i++)
    key[random.pick(['a', 'b', 'c', 'd', 'a.b', 'b.a'])] = random.pick([1, -1] as const)
  return random.chance(0.2) ? { key, sparse: true } : { key }
}

export function pipeline(random: Random): Record<string, unknown>[] {
  const stages: Record<string, unknown>[] = []
  if (random.chance(0.6)) stages.push({ $match: filter(random, 1) })
  const field = random.pick(FIELDS)
  switch (random.below(6)) {
    case 0:
      stages.push({
        $group: { _id: `$${field}`, n: { $sum: 1 }, least: { $min: '$b' }, most: { $max: '$c' } },
      })
      break
    case 1:
      stages.push({
        $unwind: random.chance(0.5) ? `$${field}` : { path: `$${field}`, preserveNullAndEmptyArrays: true },
      })
      break
    case 2:
      stages.push({
        $project: { e: { $eq: [`$${field}`, scalar(random)] }, k: { $ifNull: [`$${field}`, 'none'] } },
      })
      break
    case 3:
      stages.push({ $addFields: { more: { $cmp: ['$a', '$b'] } } })
      break
    case 4:
      stages.push({ $sort: sort(random) }, { $limit: 3 })
      break
    default:
      stages.push(
        { $group: { _id: { $type: `$${field}` }, all: { $addToSet: '$_id' } } },
        { $unwind: '$all' },
      )
  }
  return stages
}
