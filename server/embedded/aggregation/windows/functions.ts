import { itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { doubleValue, intValue, stringIn } from '../../bson/values.ts'
import { CommandError, failedToParse } from '../../errors.ts'
import { exceeded, Meter } from '../accumulators/accumulator.ts'
import { accumulatorNamed } from '../accumulators/compile.ts'
import { unitOf } from '../expressions/date-units.ts'
import { type Compiler, scopeOf, typeOf } from '../expressions/expression.ts'
import { named, namedOperands, never } from '../expressions/operands.ts'
import {
  addNumbers,
  doubleOf,
  int32Of,
  isMissing,
  isNumeric,
  multiplyNumbers,
  subtractNumbers,
} from '../numbers.ts'
import type { Bounds } from './bounds.ts'
import { onlySortField, type Partition, placeOf, sortValue, type WindowFunction } from './partition.ts'

/** Compiles a function of a window. */
export type WindowCompiler = (
  operand: RawValue,
  compiler: Compiler,
  name: string,
  bounds: Bounds,
) => WindowFunction

const EMPTY_SCOPE = scopeOf(NULL)

/** An accumulator over each document's window; while windows only grow, one accumulation serves them all. */
export const accumulated: WindowCompiler = (operand, compiler, name, bounds) => {
  const accumulator = accumulatorNamed(name)?.(operand, compiler, name)
  if (!accumulator) throw failedToParse(`Unrecognized window function, ${name}`)
  const { input, begin } = accumulator
  return (partition) => {
    const meter = new Meter(exceeded('$setWindowFields'))
    const values = partition.scopes.map((scope) => input(scope))
    let accumulation = begin(meter, EMPTY_SCOPE)
    let start = 0
    let end = 0
    let last: RawValue | undefined
    let isFresh = false
    return bounds(partition).map((span) => {
      if (span.start !== start || span.end < end) {
        accumulation = begin(new Meter(exceeded('$setWindowFields')), EMPTY_SCOPE)
        start = end = span.start
        isFresh = false
      }
      if (end < span.end || !isFresh) {
        for (; end < span.end; end++) accumulation.add(values[end])
        last = accumulation.result() ?? NULL
        isFresh = true
      }
      return last
    })
  }
}

function requireEmpty(operand: RawValue, name: string): void {
  if (operand.type !== T.object || operand.end - operand.start !== 5)
    throw failedToParse(`${name} must be specified with '{}' as the value`)
}

/** `$rank`, `$denseRank`, `$documentNumber`. */
const ranked =
  (next: (rank: number, position: number, isTie: boolean) => number): WindowCompiler =>
  (operand, _compiler, name) => {
    requireEmpty(operand, name)
    return ({ keys, sort }) => {
      if (name === '$documentNumber' ? sort.length === 0 : sort.length !== 1)
        throw new CommandError(
          5371602,
          `${name} must be specified with a top level sortBy expression with exactly one element`,
        )
      let rank = 0
      return keys.map((key, i) => {
        const before = keys[i - 1]
        rank = next(rank, i + 1, before?.equals(key) === true)
        return intValue(rank)
      })
    }
  }

const shift: WindowCompiler = (operand, compiler, name) => {
  const given = namedOperands(operand, name, {
    notObject: 9,
    unknown: 9,
    required: { output: 9, by: 9 },
    optional: ['default'],
  })
  const output = compiler.compile(given.get('output') ?? NULL)
  const otherwise = compiler.compile(given.get('default') ?? NULL)
  const by = given.get('by')
  const distance = isNumeric(by) ? int32Of(by) : undefined
  if (distance === undefined)
    throw failedToParse(`'$shift:by' field must be an integer, but found ${typeOf(by)}`)
  return ({ scopes }) =>
    scopes.map((_, i) => {
      const other = scopes[i + distance]
      return other ? (output(other) ?? NULL) : (otherwise(EMPTY_SCOPE) ?? NULL)
    })
}

/** How many milliseconds one of a unit is, for slopes and areas over time. */
const UNIT_MS: Readonly<Record<string, number>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
}

function overTime(operand: RawValue, compiler: Compiler, name: string) {
  const given = namedOperands(operand, name, {
    notObject: 9,
    unknown: 9,
    required: { input: 9 },
    optional: ['unit'],
  })
  const unit = given.get('unit')
  const size = unit ? UNIT_MS[unitOf(unit.type === T.string ? stringIn(unit) : '')] : undefined
  if (unit && size === undefined) throw new CommandError(5490710, `unit must be 'week' or smaller in ${name}`)
  const input = compiler.compile(given.get('input') ?? NULL)
  const placesIn = (partition: Partition) => {
    const field = onlySortField(partition.sort, name)
    return partition.documents.map((bytes) => {
      const value = sortValue(bytes, field)
      if (unit ? value?.type !== T.date : !isNumeric(value))
        throw new CommandError(
          unit ? 5624900 : 5624902,
          `${name} with${unit ? '' : 'out'} unit expects the sortBy field to be a ${unit ? 'Date' : 'number'}`,
        )
      return (placeOf(value) ?? 0) / (size ?? 1)
    })
  }
  return { input, placesIn }
}

const derivative: WindowCompiler = (operand, compiler, name, bounds) => {
  const { input, placesIn } = overTime(operand, compiler, name)
  return (partition) => {
    const places = placesIn(partition)
    return bounds(partition).map(({ start, end }) => {
      const [first, last] = [partition.scopes[start], partition.scopes[end - 1]]
      if (!first || !last || end - start < 2) return NULL
      const [a, b] = [input(first), input(last)]
      if (!isNumeric(a) || !isNumeric(b)) return NULL
      const run = (places[end - 1] ?? 0) - (places[start] ?? 0)
      return run === 0 ? NULL : doubleValue(doubleOf(subtractNumbers(b, a)) / run)
    })
  }
}

const integral: WindowCompiler = (operand, compiler, name, bounds) => {
  const { input, placesIn } = overTime(operand, compiler, name)
  return (partition) => {
    const places = placesIn(partition)
    const heights = partition.scopes.map((scope) => {
      const value = input(scope)
      return isNumeric(value) ? doubleOf(value) : undefined
    })
    return bounds(partition).map(({ start, end }) => {
      if (end <= start) return NULL
      let area = 0
      for (let i = start + 1; i < end; i++) {
        const [a, b] = [heights[i - 1], heights[i]]
        if (a !== undefined && b !== undefined)
          area += ((a + b) / 2) * ((places[i] ?? 0) - (places[i - 1] ?? 0))
      }
      return doubleValue(area)
    })
  }
}

const movingAverage: WindowCompiler = (operand, compiler, name) => {
  const {
    input = never,
    N,
    alpha,
  } = named(operand, compiler, name, {
    notObject: 9,
    unknown: 9,
    required: { input: 9 },
    optional: ['N', 'alpha'],
  })
  if ((N === undefined) === (alpha === undefined))
    throw failedToParse(
      `${name} sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field`,
    )
  const given = (N ?? alpha ?? never)(EMPTY_SCOPE)
  const number = isNumeric(given) ? doubleOf(given) : Number.NaN
  if (N ? !(Number.isInteger(number) && number > 0) : !(number > 0 && number < 1))
    throw failedToParse(
      N ? `'N' field must be an integer greater than zero` : "'alpha' must be between 0 and 1 (exclusive)",
    )
  const weight = doubleValue(N ? 2 / (number + 1) : number)
  const rest = doubleValue(1 - doubleOf(weight))
  return ({ scopes }) => {
    let average: RawValue | undefined
    return scopes.map((scope) => {
      const value = input(scope)
      if (!isNumeric(value)) return NULL
      average = average ? addNumbers(multiplyNumbers(value, weight), multiplyNumbers(average, rest)) : value
      return average
    })
  }
}

const covariance =
  (isSample: boolean): WindowCompiler =>
  (operand, compiler, name, bounds) => {
    const [x, y] = operand.type === T.array ? itemsOf(operand).map((each) => compiler.compile(each)) : []
    if (!x || !y) throw failedToParse(`${name} takes an array of two expressions`)
    return (partition) => {
      const points = partition.scopes.map((scope) => {
        const [a, b] = [x(scope), y(scope)]
        return isNumeric(a) && isNumeric(b) ? { a: doubleOf(a), b: doubleOf(b) } : undefined
      })
      return bounds(partition).map(({ start, end }) => {
        const within = points.slice(start, end).filter((point) => point !== undefined)
        const divisor = isSample ? within.length - 1 : within.length
        if (divisor <= 0) return NULL
        const mean = (read: (point: { a: number; b: number }) => number) =>
          within.reduce((sum, point) => sum + read(point), 0) / within.length
        const [meanA, meanB] = [mean(({ a }) => a), mean(({ b }) => b)]
        return doubleValue(within.reduce((sum, { a, b }) => sum + (a - meanA) * (b - meanB), 0) / divisor)
      })
    }
  }

/** `$locf`: what is null or missing takes the last value that was there. */
const carriedForward: WindowCompiler = (operand, compiler) => {
  const input = compiler.compile(operand)
  return ({ scopes }) => {
    let last: RawValue = NULL
    return scopes.map((scope) => {
      const value = input(scope)
      if (!isMissing(value)) last = value
      return last
    })
  }
}

/** `$linearFill`: what is null or missing lies on the line between its neighbours. */
const linear: WindowCompiler = (operand, compiler, name) => {
  const input = compiler.compile(operand)
  return (partition) => {
    const field = onlySortField(partition.sort, name)
    const values = partition.scopes.map((scope) => input(scope))
    const places = partition.documents.map((bytes) => placeOf(sortValue(bytes, field)))
    places.forEach((place, i) => {
      if (place === undefined) throw new CommandError(6050105, `${name} needs a sortBy of numbers or dates`)
      if (i > 0 && place === places[i - 1])
        throw new CommandError(6050106, 'There can be no repeated values in the sort field in $linearFill')
      const value = values[i]
      if (!isMissing(value) && !isNumeric(value))
        throw new CommandError(
          6050107,
          `Value to be filled must be numeric or nullish, but found ${typeOf(value)}`,
        )
    })
    let before = -1
    return values.map((value, i) => {
      if (!isMissing(value)) {
        before = i
        return value
      }
      const after = values.findIndex((other, j) => j > i && !isMissing(other))
      const [left, right] = [values[before], values[after]]
      if (!left || !right) return NULL
      const share =
        ((places[i] ?? 0) - (places[before] ?? 0)) / ((places[after] ?? 0) - (places[before] ?? 0))
      const filled = addNumbers(left, multiplyNumbers(subtractNumbers(right, left), doubleValue(share)))
      return filled.type === T.decimal ? filled : doubleValue(doubleOf(filled))
    })
  }
}

const FUNCTIONS: Readonly<Record<string, WindowCompiler>> = {
  $rank: ranked((rank, position, isTie) => (isTie ? rank : position)),
  $denseRank: ranked((rank, _position, isTie) => (isTie ? rank : rank + 1)),
  $documentNumber: ranked((_rank, position) => position),
  $shift: shift,
  $derivative: derivative,
  $integral: integral,
  $expMovingAvg: movingAverage,
  $covariancePop: covariance(false),
  $covarianceSamp: covariance(true),
  $locf: carriedForward,
  $linearFill: linear,
}

/** The function of a window of this name. */
export const windowFunctionNamed = (name: string): WindowCompiler =>
  (Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined) ?? accumulated
