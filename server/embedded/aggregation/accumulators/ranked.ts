import { arrayFrom, detached, itemsOf, NULL, RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { doubleValue, stringIn } from '../../bson/values.ts'
import { badValue, CommandError } from '../../errors.ts'
import { parseSort, type SortField, sortKey } from '../../query/sort.ts'
import { type Compiler, type Expression, type Scope, scopeOf, typeOf } from '../expressions/expression.ts'
import { type NamedCodes, namedOperands } from '../expressions/operands.ts'
import { compare } from '../expressions/order.ts'
import { doubleOf, int64Of, isMissing, isNumeric } from '../numbers.ts'
import type { Accumulation, Accumulator, AccumulatorCompiler, Meter } from './accumulator.ts'

const N_CODES: NamedCodes = {
  notObject: 5787900,
  unknown: 5787901,
  required: { input: 5787907, n: 5787906 },
}

/** How many values an operator with an `n` keeps. */
export function countOf(value: RawValue | undefined, name: string): number {
  if (!isNumeric(value)) {
    throw new CommandError(
      5787902,
      `Value for 'n' must be of integral type, but found ${typeOf(value)} in ${name}`,
    )
  }
  const n = int64Of(value)
  if (n === undefined) throw new CommandError(5787903, `Value for 'n' must be of integral type in ${name}`)
  if (n <= 0n) throw new CommandError(5787908, `'n' must be greater than 0, found ${n} in ${name}`)
  return Number(n)
}

/** Which of the values an operator with an `n` keeps. */
export type Keeping = 'first' | 'last' | 'greatest' | 'least'

export class KeepN implements Accumulation {
  readonly #keeping: Keeping
  readonly #n: number
  readonly #meter: Meter
  #kept: RawValue[] = []

  constructor(keeping: Keeping, n: number, meter: Meter) {
    this.#keeping = keeping
    this.#n = n
    this.#meter = meter
  }

  add(given: RawValue | undefined): void {
    const isOrdered = this.#keeping === 'greatest' || this.#keeping === 'least'
    if (isOrdered && isMissing(given)) return
    if (this.#keeping === 'first' && this.#kept.length === this.#n) return
    const value = detached(given ?? NULL)
    if (this.#kept.length < this.#n) this.#meter.add(value.end - value.start + 100)
    this.#kept.push(value)
    if (this.#keeping === 'last' && this.#kept.length > this.#n * 2) this.#kept = this.#kept.slice(-this.#n)
    if (isOrdered && this.#kept.length > this.#n * 2 + 100) this.#kept = this.#chosen()
  }

  #chosen(): RawValue[] {
    switch (this.#keeping) {
      case 'first':
        return this.#kept
      case 'last':
        return this.#kept.slice(-this.#n)
      case 'greatest':
        return [...this.#kept].sort((a, b) => compare(b, a)).slice(0, this.#n)
      case 'least':
        return [...this.#kept].sort(compare).slice(0, this.#n)
    }
  }

  result(): RawValue {
    return arrayFrom(this.#chosen())
  }
}

/** `$firstN`, `$lastN`, `$maxN`, `$minN`. */
export const keepN =
  (keeping: Keeping): AccumulatorCompiler =>
  (operand, compiler, name) => {
    const given = namedOperands(operand, name, N_CODES)
    const n = compiler.compile(given.get('n') ?? NULL)
    return {
      input: compiler.compile(given.get('input') ?? NULL),
      begin: (meter, scope) => new KeepN(keeping, countOf(n(scope), name), meter),
    }
  }

/** Keeps the outputs of the documents that come first in an order; each value is a sort key and an output. */
class Top implements Accumulation {
  readonly #n: number
  readonly #isSingle: boolean
  readonly #direction: 1 | -1
  readonly #meter: Meter
  #kept: { key: Buffer; output: RawValue; position: number }[] = []
  #position = 0

  constructor(n: number, isSingle: boolean, direction: 1 | -1, meter: Meter) {
    this.#n = n
    this.#isSingle = isSingle
    this.#direction = direction
    this.#meter = meter
  }

  add(value: RawValue | undefined): void {
    const [key, output] = value ? itemsOf(value) : []
    if (!key || !output) return
    this.#kept.push({
      key: key.bytes.subarray(key.start + 5, key.end),
      output: detached(output),
      position: this.#position++,
    })
    if (this.#kept.length <= this.#n) this.#meter.add(output.end - output.start + key.end - key.start + 200)
    if (this.#kept.length > this.#n * 2 + 100) this.#kept = this.#chosen()
  }

  #chosen() {
    const ordered = [...this.#kept].sort((a, b) => a.key.compare(b.key) || a.position - b.position)
    return this.#direction > 0 ? ordered.slice(0, this.#n) : ordered.slice(-this.#n)
  }

  result(): RawValue {
    const outputs = this.#chosen().map(({ output }) => output)
    return this.#isSingle ? (outputs[0] ?? NULL) : arrayFrom(outputs)
  }
}

function binaryOf(bytes: Buffer): RawValue {
  const value = Buffer.allocUnsafe(bytes.length + 5)
  value.writeInt32LE(bytes.length, 0)
  value[4] = 0
  bytes.copy(value, 5)
  return new RawValue(T.binary, value, 0, value.length)
}

/** `$top`, `$bottom` and those with an `n`. */
export const top =
  (direction: 1 | -1, isSingle: boolean): AccumulatorCompiler =>
  (operand, compiler, name) => {
    const given = namedOperands(operand, name, {
      notObject: 5788001,
      unknown: 5788002,
      required: { ...(isSingle ? {} : { n: 5788003 }), output: 5788004, sortBy: 5788005 },
    })
    const fields: SortField[] = parseSort(given.get('sortBy'))
    const output = compiler.compile(given.get('output') ?? NULL)
    const n = given.get('n')
    const count = n && compiler.compile(n)
    return {
      input: (scope) => arrayFrom([binaryOf(sortKey(scope.root, fields)), output(scope) ?? NULL]),
      begin: (meter, scope) => new Top(count ? countOf(count(scope), name) : 1, isSingle, direction, meter),
    }
  }

/** The numbers below which given shares of all lie. */
export class Percentiles implements Accumulation {
  readonly #shares: readonly number[]
  readonly #isSingle: boolean
  readonly #meter: Meter
  #numbers: number[] = []

  constructor(shares: readonly number[], isSingle: boolean, meter: Meter) {
    this.#shares = shares
    this.#isSingle = isSingle
    this.#meter = meter
  }

  add(value: RawValue | undefined): void {
    if (!isNumeric(value)) return
    const number = doubleOf(value)
    if (Number.isNaN(number)) return
    this.#meter.add(8)
    this.#numbers.push(number)
  }

  result(): RawValue {
    const ordered = Float64Array.from(this.#numbers).sort()
    const found = this.#shares.map((share) => {
      const number = ordered[Math.max(0, Math.ceil(share * ordered.length) - 1)]
      return number === undefined ? NULL : doubleValue(number)
    })
    return this.#isSingle ? (found[0] ?? NULL) : arrayFrom(found)
  }
}

/** `$percentile` and `$median`: what they read, and which shares they ask for. */
export function percentileParts(
  operand: RawValue,
  compiler: Compiler,
  name: string,
): { input: Expression; shares: (scope: Scope) => number[]; isSingle: boolean } {
  const isSingle = name === '$median'
  const given = namedOperands(operand, name, {
    notObject: isSingle ? 7436100 : 7429703,
    unknown: 40415,
    required: { input: 40414, method: 40414, ...(isSingle ? {} : { p: 40414 }) },
  })
  const method = given.get('method')
  if (method?.type !== T.string || stringIn(method) !== 'approximate')
    throw badValue("Currently only 'approximate' can be used as percentile 'method'.")
  const p = compiler.compile(given.get('p') ?? NULL)
  return {
    input: compiler.compile(given.get('input') ?? NULL),
    shares: isSingle ? () => [0.5] : (scope) => sharesIn(p(scope)),
    isSingle,
  }
}

function sharesIn(value: RawValue | undefined): number[] {
  if (value?.type !== T.array || itemsOf(value).length === 0)
    throw new CommandError(7750301, "The $percentile 'p' field must be an array of numbers from [0.0, 1.0]")
  return itemsOf(value).map((item) => {
    const share = isNumeric(item) ? doubleOf(item) : Number.NaN
    if (!(share >= 0 && share <= 1))
      throw new CommandError(7750303, "The $percentile 'p' field must be an array of numbers from [0.0, 1.0]")
    return share
  })
}

export const percentile: AccumulatorCompiler = (operand, compiler, name): Accumulator => {
  const { input, shares, isSingle } = percentileParts(operand, compiler, name)
  const fixedShares = shares(scopeOf(NULL))
  return { input, begin: (meter) => new Percentiles(fixedShares, isSingle, meter) }
}
