import { compareValues, equalValues } from '../../bson/compare.ts'
import { UNDEFINED } from '../../bson/raw.ts'
import { keyOf } from '../../indexes/key-encoding.ts'
import type { Value } from './operands.ts'

/** MongoDB's order of two values; a missing one comes with undefined, before null. */
export const compare = (a: Value, b: Value): number => compareValues(a ?? UNDEFINED, b ?? UNDEFINED)

export const equal = (a: Value, b: Value): boolean => equalValues(a ?? UNDEFINED, b ?? UNDEFINED)

/** Text that is equal for equal values; a missing one is like undefined. */
export const keyText = (value: Value): string => keyOf(value ?? UNDEFINED).toString('latin1')
