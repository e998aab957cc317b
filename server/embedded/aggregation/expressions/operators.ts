import { ACCUMULATING } from './accumulating.ts'
import { ARITHMETIC } from './arithmetic.ts'
import { ARRAYS } from './arrays.ts'
import { BINDING } from './binding.ts'
import { CONVERSIONS } from './convert.ts'
import { DATE_ARITHMETIC } from './date-arithmetic.ts'
import { DATE_PARTS } from './date-parts.ts'
import type { Operator } from './expression.ts'
import { FUNCTIONS } from './functions.ts'
import { LOGIC } from './logic.ts'
import { MISCELLANY } from './miscellany.ts'
import { OBJECTS } from './objects.ts'
import { REGEX } from './regex.ts'
import { ROUNDING } from './rounding.ts'
import { SETS } from './sets.ts'
import { STRINGS } from './strings.ts'

/** Every operator an expression may use. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  ...ACCUMULATING,
  ...ARITHMETIC,
  ...ARRAYS,
  ...BINDING,
  ...CONVERSIONS,
  ...DATE_ARITHMETIC,
  ...DATE_PARTS,
  ...FUNCTIONS,
  ...LOGIC,
  ...MISCELLANY,
  ...OBJECTS,
  ...REGEX,
  ...ROUNDING,
  ...SETS,
  ...STRINGS,
}
