import { Binary, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb'
import type { Random } from './random.ts'

/** Values and documents of a small world, so that they meet: few fields, few values, many types. */

export type Doc = Record<string, unknown>

/** Fields that hold anything. */
export const OPEN_FIELDS = ['a', 'b', 'c', 'd']

/** Paths into what lies there; `l` holds lists of numbers, `t` lists of documents, `n` and `s` never an array. */
export const PATHS = [
  'a',
  'b',
  'c',
  'd',
  'l',
  'n',
  's',
  't',
  'a.b',
  'a.c',
  'b.a',
  'c.0',
  'c.1.a',
  'a.b.c',
  'd.a',
  'l.0',
  'l.1',
  't.k',
  't.v',
  't.0.k',
  't.v.w',
  'x',
]

const IDS = Array.from(
  { length: 6 },
  (_, i) => new ObjectId(`6500000000000000000000${(10 + i).toString(16).padStart(2, '0')}`),
)

export const WORDS = ['x', 'y', 'xy', 'Xy', 'z', '', 'x y', 'é']

/** A value without parts. */
export function scalar(random: Random): unknown {
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return random.below(5)
    case 4:
      return random.below(5) + 0.5
    case 5:
    case 6:
      return random.pick(WORDS)
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
    case 13:
      return rare(random)
    default:
      return random.chance(0.3) ? Decimal128.fromString(String(random.below(4))) : -random.below(3)
  }
}

function rare(random: Random): unknown {
  switch (random.below(7)) {
    case 0:
      return new MinKey()
    case 1:
      return new MaxKey()
    case 2:
      return new Binary(Buffer.from([random.below(3), 1]))
    case 3:
      return new Timestamp({ t: 5, i: 1 + random.below(2) })
    case 4:
      return random.pick([2147483647, -2147483648, Long.fromString('9007199254740993')])
    case 5:
      return Decimal128.fromString(random.pick(['1.5', '2.0', '-1', '0.1']))
    default:
      return random.pick([1e10, -0.5, 1e300])
  }
}

export function numeric(random: Random): unknown {
  const whole = random.below(6) - 1
  switch (random.below(6)) {
    case 0:
      return Long.fromNumber(whole)
    case 1:
      return new Double(whole)
    case 2:
      return whole + 0.5
    default:
      return whole
  }
}

/** Any value, with parts or without. */
export function value(random: Random, depth = 0): unknown {
  if (depth < 2 && random.chance(0.2)) return random.times(random.below(4), () => value(random, depth + 1))
  if (depth < 2 && random.chance(0.2)) return object(random, depth + 1)
  return scalar(random)
}

function object(random: Random, depth: number): Doc {
  const made: Doc = {}
  for (const name of ['a', 'b', 'c']) if (random.chance(0.4)) made[name] = value(random, depth)
  return made
}

/** An item of `t`. */
export function item(random: Random): Doc {
  const made: Doc = { k: random.below(4) }
  if (random.chance(0.7)) made.v = random.chance(0.3) ? { w: scalar(random) } : scalar(random)
  return made
}

/** Few `_id`s, so that they collide; some are equal only as numbers. */
export function id(random: Random): unknown {
  const number = random.below(24)
  if (random.chance(0.04)) return Long.fromNumber(number)
  if (random.chance(0.03)) return new Double(number)
  return random.chance(0.04) ? random.pick(['x', 'y', IDS[0]]) : number
}

export function document(random: Random, _id: unknown): Doc {
  return { _id, ...body(random) }
}

/** A document without its `_id`. */
export function body(random: Random): Doc {
  const made: Doc = {}
  for (const name of OPEN_FIELDS) if (random.chance(0.6)) made[name] = value(random)
  if (random.chance(0.7)) made.n = random.chance(0.1) ? null : numeric(random)
  if (random.chance(0.6)) made.s = random.pick(WORDS)
  if (random.chance(0.5)) made.l = random.times(random.below(4), () => numeric(random))
  if (random.chance(0.5)) made.t = random.times(random.below(4), () => item(random))
  return made
}
