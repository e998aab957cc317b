import { arrayFrom, detached, fieldsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { doubleValue, intValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { typeOf } from '../expressions/expression.ts'
import { fromMap } from '../expressions/objects.ts'
import { compare, keyText } from '../expressions/order.ts'
import { doubleOf, isMissing, isNumeric } from '../numbers.ts'
import { Summation } from '../summation.ts'
import type { Accumulation, Meter } from './accumulator.ts'

export class Sum implements Accumulation {
  readonly #sum = new Summation()

  add(value: RawValue | undefined): void {
    if (value !== undefined) this.#sum.add(value)
  }

  result(): RawValue {
    return this.#sum.sum()
  }
}

export class Average implements Accumulation {
  readonly #sum = new Summation()

  add(value: RawValue | undefined): void {
    if (value !== undefined) this.#sum.add(value)
  }

  result(): RawValue {
    return this.#sum.mean()
  }
}

/** The greatest value, or with -1 the least; null and missing ones do not count. */
export class Extreme implements Accumulation {
  readonly #direction: 1 | -1
  #found: RawValue | undefined

  constructor(direction: 1 | -1) {
    this.#direction = direction
  }

  add(value: RawValue | undefined): void {
    if (isMissing(value)) return
    if (this.#found === undefined || this.#direction * compare(value, this.#found) > 0)
      this.#found = detached(value)
  }

  result(): RawValue {
    return this.#found ?? NULL
  }
}

export class First implements Accumulation {
  #found: RawValue | undefined
  #isFound = false

  add(value: RawValue | undefined): void {
    if (this.#isFound) return
    this.#isFound = true
    this.#found = value && detached(value)
  }

  result(): RawValue | undefined {
    return this.#found
  }
}

export class Last implements Accumulation {
  #found: RawValue | undefined

  add(value: RawValue | undefined): void {
    this.#found = value && detached(value)
  }

  result(): RawValue | undefined {
    return this.#found
  }
}

export class Push implements Accumulation {
  readonly #meter: Meter
  readonly #items: RawValue[] = []

  constructor(meter: Meter) {
    this.#meter = meter
  }

  add(value: RawValue | undefined): void {
    if (value === undefined) return
    this.#meter.add(value.end - value.start + 100)
    this.#items.push(detached(value))
  }

  result(): RawValue {
    return arrayFrom(this.#items)
  }
}

export class AddToSet implements Accumulation {
  readonly #meter: Meter
  readonly #items = new Map<string, RawValue>()

  constructor(meter: Meter) {
    this.#meter = meter
  }

  add(value: RawValue | undefined): void {
    if (value === undefined) return
    const key = keyText(value)
    if (this.#items.has(key)) return
    this.#meter.add(value.end - value.start + key.length + 150)
    this.#items.set(key, detached(value))
  }

  result(): RawValue {
    return arrayFrom(this.#items.values())
  }
}

export class MergeObjects implements Accumulation {
  readonly #fields = new Map<string, RawValue>()

  add(value: RawValue | undefined): void {
    if (isMissing(value)) return
    if (value.type !== T.object) {
      throw new CommandError(
        40400,
        `$mergeObjects requires object inputs, but input is of type ${typeOf(value)}`,
      )
    }
    for (const field of fieldsOf(detached(value))) this.#fields.set(field.name, field.value)
  }

  result(): RawValue {
    return fromMap(this.#fields)
  }
}

/** The standard deviation, by Welford's running mean. */
export class Deviation implements Accumulation {
  readonly #isSample: boolean
  #count = 0
  #mean = 0
  #squares = 0

  constructor(isSample: boolean) {
    this.#isSample = isSample
  }

  add(value: RawValue | undefined): void {
    if (!isNumeric(value)) return
    const number = doubleOf(value)
    this.#count++
    const delta = number - this.#mean
    this.#mean += delta / this.#count
    this.#squares += delta * (number - this.#mean)
  }

  result(): RawValue {
    const divisor = this.#isSample ? this.#count - 1 : this.#count
    return divisor <= 0 ? NULL : doubleValue(Math.sqrt(this.#squares / divisor))
  }
}

export class Count implements Accumulation {
  #sum = new Summation()

  add(): void {
    this.#sum.add(ONE)
  }

  result(): RawValue {
    return this.#sum.sum()
  }
}

const ONE = intValue(1)
