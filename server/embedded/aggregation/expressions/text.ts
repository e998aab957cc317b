import { decimalText } from '../../bson/decimal.ts'
import type { RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { numberIn, stringIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { decimalOf, isMissing } from '../numbers.ts'
import { typeOf } from './expression.ts'
import { momentOf } from './moments.ts'
import type { Value } from './operands.ts'

/** How many digits C's `%.16g`, which MongoDB prints doubles with, keeps. */
const DIGITS = 16

/** A double as MongoDB prints it. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', power = '0'] = value.toExponential(DIGITS - 1).split('e')
  const exponent = Number(power)
  const trimmed = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
  if (exponent < -4 || exponent >= DIGITS) {
    const digits = String(Math.abs(exponent)).padStart(2, '0')
    return `${trimmed(mantissa)}e${exponent < 0 ? '-' : '+'}${digits}`
  }
  return trimmed(value.toFixed(Math.min(100, Math.max(0, DIGITS - 1 - exponent))))
}

/** A date as ISO 8601 writes it. */
export function dateText(milliseconds: number): string {
  const date = new Date(milliseconds)
  if (Number.isNaN(date.getTime())) throw new CommandError(241, 'the date is beyond what can be written')
  return date.toISOString()
}

/** A number as text. */
export function numberText(value: RawValue): string {
  if (value.type === T.decimal) return decimalText(decimalOf(value))
  if (value.type === T.double) return doubleText(value.bytes.readDoubleLE(value.start))
  return String(numberIn(value))
}

/** The text operators of strings make of a value that is none; of null and nothing, the empty text. */
export function coercedText(value: Value): string {
  if (isMissing(value)) return ''
  switch (value.type) {
    case T.string:
    case T.symbol:
    case T.code:
      return stringIn(value)
    case T.int:
    case T.long:
    case T.double:
    case T.decimal:
      return numberText(value)
    case T.date:
      return dateText(momentOf(value))
    default:
      throw new CommandError(16007, `can't convert from BSON type ${typeOf(value)} to String`)
  }
}
