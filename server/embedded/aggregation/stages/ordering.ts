import { documentFrom, documentOf, fieldsOf, get, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { integerValue, stringIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { parseSort, Sorter, type SortField } from '../../query/sort.ts'
import { Meter } from '../accumulators/accumulator.ts'
import { typeOf } from '../expressions/expression.ts'
import { isNumeric, longOf } from '../numbers.ts'
import { countOperand, inPortions, type Transform } from './stage.ts'

/** Reads the operand of a `$sort`. */
export function sortFields(operand: RawValue): SortField[] {
  if (operand.type !== T.object)
    throw new CommandError(15973, 'the $sort key specification must be an object')
  const fields = parseSort(operand)
  if (fields.length === 0) throw new CommandError(15976, '$sort stage must have at least one sort key')
  return fields
}

const sortExceeded = () =>
  new CommandError(
    292,
    'Sort exceeded memory limit of 104857600 bytes, but did not opt in to external sorting, which the embedded store does not have.',
  )

/** Compiles `$sort`; with a limit behind it, no more than that is kept. */
export function compileSort(operand: RawValue, limit = 0): Transform {
  const fields = sortFields(operand)
  return async function* (source) {
    const meter = new Meter(sortExceeded)
    const sorter = new Sorter<Buffer>(fields, limit, documentOf)
    for await (const batch of source) {
      for (const bytes of batch) {
        if (limit === 0) meter.add(bytes.length)
        sorter.add(bytes)
      }
    }
    yield* inPortions(sorter.sorted())
  }
}

/** Reads the operand of a `$limit`. */
export function limitIn(operand: RawValue): number {
  const limit = countOperand(operand, '$limit', 5107201)
  if (limit === 0) throw new CommandError(15958, 'the limit must be positive')
  return limit
}

export function compileLimit(operand: RawValue): Transform {
  const limit = limitIn(operand)
  return async function* (source) {
    let left = limit
    for await (const batch of source) {
      yield batch.length <= left ? batch : batch.slice(0, left)
      left -= batch.length
      if (left <= 0) return
    }
  }
}

/** Reads the operand of a `$skip`. */
export const skipIn = (operand: RawValue): number => countOperand(operand, '$skip', 5107200)

export function compileSkip(operand: RawValue): Transform {
  const skip = skipIn(operand)
  return async function* (source) {
    let left = skip
    for await (const batch of source) {
      if (left === 0) yield batch
      else if (batch.length > left) yield batch.slice(left)
      left = Math.max(0, left - batch.length)
    }
  }
}

/** Reads the operand of a `$count`. */
export function countName(operand: RawValue): string {
  if (operand.type !== T.string) throw new CommandError(40156, 'the count field must be a non-empty string')
  const name = stringIn(operand)
  if (name === '') throw new CommandError(40157, 'the count field must be a non-empty string')
  if (name.startsWith('$')) throw new CommandError(40158, 'the count field cannot be a $-prefixed path')
  if (name.includes('\0')) throw new CommandError(40159, 'the count field cannot contain a null byte')
  if (name.includes('.')) throw new CommandError(40160, "the count field cannot contain '.'")
  return name
}

export function compileCount(operand: RawValue): Transform {
  const name = countName(operand)
  return async function* (source) {
    let count = 0
    for await (const batch of source) count += batch.length
    if (count > 0) yield [documentFrom([{ name, value: integerValue(count) }])]
  }
}

/** Compiles `$sample`: a choice of so many, each document with the same chance. */
export function compileSample(operand: RawValue): Transform {
  if (operand.type !== T.object)
    throw new CommandError(28745, 'the $sample stage specification must be an object')
  for (const { name } of fieldsOf(operand)) {
    if (name !== 'size') throw new CommandError(28748, `unrecognized option to $sample: ${name}`)
  }
  const given = get(operand, 'size')
  if (!given) throw new CommandError(28749, '$sample stage must specify a size')
  if (!isNumeric(given))
    throw new CommandError(28746, `size argument to $sample must be a number, found ${typeOf(given)}`)
  const size = Number(longOf(given))
  if (size <= 0) throw new CommandError(28747, 'size argument to $sample must be a positive integer')
  return async function* (source) {
    const chosen: Buffer[] = []
    let seen = 0
    for await (const batch of source) {
      for (const bytes of batch) {
        seen++
        const at = chosen.length < size ? chosen.length : Math.floor(Math.random() * seen)
        if (at < size) chosen[at] = bytes
      }
    }
    for (let i = chosen.length - 1; i > 0; i--) {
      const other = Math.floor(Math.random() * (i + 1))
      const held = chosen[i] as Buffer
      chosen[i] = chosen[other] as Buffer
      chosen[other] = held
    }
    yield* inPortions(chosen)
  }
}
