import { fieldsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { CommandError, notSupported, typeMismatch } from '../../errors.ts'
import type { Compiler } from '../expressions/expression.ts'
import type { Accumulation, Accumulator, AccumulatorCompiler, Meter } from './accumulator.ts'
import {
  AddToSet,
  Average,
  Count,
  Deviation,
  Extreme,
  First,
  Last,
  MergeObjects,
  Push,
  Sum,
} from './basic.ts'
import { keepN, percentile, top } from './ranked.ts'

/** An accumulator of one expression. */
const simple =
  (begin: (meter: Meter) => Accumulation): AccumulatorCompiler =>
  (operand, compiler, name) => {
    if (operand.type === T.array) {
      throw new CommandError(40237, `The ${name} accumulator is a unary operator`)
    }
    return { input: compiler.compile(operand), begin }
  }

const count: AccumulatorCompiler = (operand) => {
  if (operand.type !== T.object || operand.end - operand.start !== 5)
    throw typeMismatch('$count takes no arguments, i.e. $count:{}')
  return { input: () => NULL, begin: () => new Count() }
}

const ACCUMULATORS: Readonly<Record<string, AccumulatorCompiler>> = {
  $sum: simple(() => new Sum()),
  $avg: simple(() => new Average()),
  $min: simple(() => new Extreme(-1)),
  $max: simple(() => new Extreme(1)),
  $first: simple(() => new First()),
  $last: simple(() => new Last()),
  $push: simple((meter) => new Push(meter)),
  $addToSet: simple((meter) => new AddToSet(meter)),
  $mergeObjects: simple(() => new MergeObjects()),
  $stdDevPop: simple(() => new Deviation(false)),
  $stdDevSamp: simple(() => new Deviation(true)),
  $count: count,
  $firstN: keepN('first'),
  $lastN: keepN('last'),
  $maxN: keepN('greatest'),
  $minN: keepN('least'),
  $top: top(1, true),
  $bottom: top(-1, true),
  $topN: top(1, false),
  $bottomN: top(-1, false),
  $percentile: percentile,
  $median: percentile,
}

/** The compiler of an accumulator, when there is one of this name. */
export const accumulatorNamed = (name: string): AccumulatorCompiler | undefined =>
  Object.hasOwn(ACCUMULATORS, name) ? ACCUMULATORS[name] : undefined

/** A field that a group computes, and how. */
export interface AccumulatedField {
  readonly name: string
  readonly accumulator: Accumulator
}

/** Reads `name: { $accumulator: … }`. */
export function compileAccumulator(name: string, value: RawValue, compiler: Compiler): AccumulatedField {
  if (name.includes('.')) throw new CommandError(40235, `The field name '${name}' cannot contain '.'`)
  if (name.startsWith('$'))
    throw new CommandError(40236, `The field name '${name}' cannot be an operator name`)
  if (value.type !== T.object)
    throw new CommandError(40234, `The field '${name}' must be an accumulator object`)
  const [operator, ...others] = fieldsOf(value)
  if (!operator || others.length > 0)
    throw new CommandError(40238, `The field '${name}' must specify one accumulator`)
  const compile = accumulatorNamed(operator.name)
  if (compile) return { name, accumulator: compile(operator.value, compiler, operator.name) }
  if (operator.name === '$accumulator') throw notSupported(operator.name)
  if (!operator.name.startsWith('$'))
    throw new CommandError(40234, `The field '${name}' must be an accumulator object`)
  throw new CommandError(15952, `unknown group operator '${operator.name}'`)
}
