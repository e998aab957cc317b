import {
  Binary,
  BSONRegExp,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb'
import type { Random } from './random.ts'

/*
 * Documents of every BSON type: `n` and `m` are numbers, `s` a text, `t` a date, `k` a list of numbers, `l` of
 * anything, `o` a document, `x` anything, `y` what
 * sorts before or after everything. Each may be null or missing.
 */

export const TEXTS = ['x', 'y', 'xy', 'Xy', 'a,b', '', 'héllo', '12', '3.5']

export function number(random: Random): unknown {
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return new Int32(random.below(9) - 3)
    case 3:
      return new Double(random.below(40) / 8 - 2)
    case 4:
      return new Double(random.below(5))
    case 5:
      return Long.fromNumber(random.below(9) - 3)
    case 6:
      return Decimal128.fromString(random.pick(['0.1', '2', '-1.50', '3.75', '0', '10']))
    case 7:
      return new Int32(random.pick([2147483647, -2147483648, 1000]))
    case 8:
      return random.pick([Long.fromString('4611686018427387904'), Long.fromString('-9007199254740993')])
    case 9:
      return new Double(random.pick([0.1, 1e10, -0.5, 2.5, 3.5]))
    default:
      return new Int32(random.below(4))
  }
}

export const date = (random: Random): Date =>
  new Date(
    Date.UTC(
      2015 + random.below(8),
      random.below(12),
      1 + random.below(28),
      random.below(24),
      0,
      random.below(60),
      random.below(1000),
    ),
  )

export function scalar(random: Random): unknown {
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return number(random)
    case 4:
    case 5:
      return random.pick(TEXTS)
    case 6:
      return null
    case 7:
      return random.chance(0.5)
    case 8:
      return date(random)
    case 9:
      return new ObjectId(`6500000000000000000000${10 + random.below(5)}`)
    case 10:
      return random.pick([
        new Binary(Buffer.from([1, 2, random.below(3)])),
        new Timestamp({ t: 1_500_000_000 + random.below(3), i: random.below(3) }),
        new BSONRegExp('^x', 'i'),
      ])
    default:
      return new Double(random.pick([Number.NaN, Number.POSITIVE_INFINITY, 0, 1]))
  }
}

export function value(random: Random, depth = 0): unknown {
  if (depth < 2 && random.chance(0.15)) return random.times(random.below(4), () => value(random, depth + 1))
  if (depth < 2 && random.chance(0.15)) return object(random, depth + 1)
  return scalar(random)
}

function object(random: Random, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  for (const name of ['p', 'q', 'r']) if (random.chance(0.6)) made[name] = value(random, depth)
  return made
}

export function document(random: Random, id: number): Record<string, unknown> {
  const made: Record<string, unknown> = { _id: new Int32(id), g: new Int32(random.below(3)) }
  const put = (name: string, make: () => unknown) => {
    if (random.chance(0.85)) made[name] = random.chance(0.08) ? null : make()
  }
  put('n', () => number(random))
  put('m', () => number(random))
  put('s', () => random.pick(TEXTS))
  put('t', () => date(random))
  put('k', () => random.times(random.below(5), () => number(random)))
  put('l', () => random.times(random.below(4), () => value(random, 1)))
  if (random.chance(0.85)) made.o = object(random, 0)
  put('x', () => value(random))
  put('y', () => random.pick([new MinKey(), new MaxKey()]))
  return made
}
