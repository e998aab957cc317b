import { itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { CommandError } from '../../errors.ts'
import { type Accumulation, exceeded, Meter } from '../accumulators/accumulator.ts'
import { Average, Deviation, Extreme, Sum } from '../accumulators/basic.ts'
import { countOf, type Keeping, KeepN, Percentiles, percentileParts } from '../accumulators/ranked.ts'
import { isMissing } from '../numbers.ts'
import { type Operator, typeOf } from './expression.ts'
import { argumentsOf, namedOperands } from './operands.ts'

/** An accumulator over its arguments, or over the items of its only one. */
const overArguments =
  (begin: () => Accumulation): Operator =>
  (operand, compiler) => {
    const all = argumentsOf(operand).map((each) => compiler.compile(each))
    const [only] = all
    return (scope) => {
      const accumulation = begin()
      const single = all.length === 1 ? only?.(scope) : undefined
      if (all.length !== 1) for (const each of all) accumulation.add(each(scope))
      else if (single?.type === T.array) for (const item of itemsOf(single)) accumulation.add(item)
      else accumulation.add(single)
      return accumulation.result()
    }
  }

const keepingN =
  (keeping: Keeping): Operator =>
  (operand, compiler, name) => {
    const given = namedOperands(operand, name, {
      notObject: 5787900,
      unknown: 5787901,
      required: { input: 5787907, n: 5787906 },
    })
    const input = compiler.compile(given.get('input') ?? NULL)
    const n = compiler.compile(given.get('n') ?? NULL)
    return (scope) => {
      const value = input(scope)
      const count = n(scope)
      if (value?.type !== T.array)
        throw new CommandError(5788200, `Input must be an array, but found ${typeOf(value)} in ${name}`)
      const kept = new KeepN(keeping, countOf(count, name), new Meter(exceeded(name)))
      for (const item of itemsOf(value)) kept.add(item)
      return kept.result()
    }
  }

const percentile: Operator = (operand, compiler, name) => {
  const { input, shares, isSingle } = percentileParts(operand, compiler, name)
  return (scope) => {
    const value: RawValue | undefined = input(scope)
    const found = new Percentiles(shares(scope), isSingle, new Meter(exceeded(name)))
    if (!isMissing(value))
      for (const item of value.type === T.array ? itemsOf(value) : [value]) found.add(item)
    return found.result()
  }
}

export const ACCUMULATING: Readonly<Record<string, Operator>> = {
  $sum: overArguments(() => new Sum()),
  $avg: overArguments(() => new Average()),
  $min: overArguments(() => new Extreme(-1)),
  $max: overArguments(() => new Extreme(1)),
  $stdDevPop: overArguments(() => new Deviation(false)),
  $stdDevSamp: overArguments(() => new Deviation(true)),
  $firstN: keepingN('first'),
  $lastN: keepingN('last'),
  $maxN: keepingN('greatest'),
  $minN: keepingN('least'),
  $percentile: percentile,
  $median: percentile,
}
