import { decimalFromInteger, decimalValue, exactDecimal } from '../bson/decimal.ts'
import { addDecimals, divideDecimals } from '../bson/decimal-arithmetic.ts'
import { NULL, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { doubleValue, integerValue, longValue, numberIn } from '../bson/values.ts'
import { decimalOf, isLong } from './numbers.ts'

const ZERO = decimalFromInteger(0)

/**
 * A running sum that is kept in two doubles, as MongoDB keeps it: small parts are not lost beside great ones, and
 * whole numbers stay exact far beyond a long. Decimals are summed apart.
 */
export class Summation {
  #high = 0
  #low = 0
  /** What plain addition gives, for sums that are infinite or no number. */
  #plain = 0
  #decimals = ZERO
  #widest: number = T.int
  #count = 0

  /** How many numbers were added. */
  get count(): number {
    return this.#count
  }

  /** Adds a value when it is a number. */
  add(value: RawValue): void {
    switch (value.type) {
      case T.int:
        this.#addDouble(value.bytes.readInt32LE(value.start))
        break
      case T.long: {
        const whole = numberIn(value)
        if (typeof whole === 'number') this.#addDouble(whole)
        else {
          const high = Number(whole >> 32n) * 4294967296
          this.#addDouble(high)
          this.#addDouble(Number(whole & 0xffffffffn))
        }
        if (this.#widest === T.int) this.#widest = T.long
        break
      }
      case T.double:
        this.#addDouble(value.bytes.readDoubleLE(value.start))
        if (this.#widest !== T.decimal) this.#widest = T.double
        break
      case T.decimal:
        this.#decimals = addDecimals(this.#decimals, decimalOf(value))
        this.#widest = T.decimal
        break
      default:
        return
    }
    this.#count++
  }

  #addDouble(value: number): void {
    this.#plain += value
    // Knuth's exact sum of two doubles: the rounding error goes into the low part.
    const sum = this.#high + value
    const kept = sum - this.#high
    const error = this.#high - (sum - kept) + (value - kept) + this.#low
    this.#high = sum + error
    this.#low = sum - this.#high + error
  }

  #double(): number {
    return Number.isFinite(this.#high) && Number.isFinite(this.#low) ? this.#high + this.#low : this.#plain
  }

  #decimal() {
    const rest = Number.isFinite(this.#high)
      ? addDecimals(exactDecimal(this.#high), exactDecimal(this.#low))
      : exactDecimal(this.#plain)
    return this.#decimals === ZERO ? rest : addDecimals(this.#decimals, rest)
  }

  #whole(): bigint | undefined {
    const whole = BigInt(Math.round(this.#high)) + BigInt(Math.round(this.#low))
    return isLong(whole) ? whole : undefined
  }

  /** The sum, in the widest type that was added. */
  sum(): RawValue {
    if (this.#widest === T.decimal) return decimalValue(this.#decimal())
    if (this.#widest === T.double) return doubleValue(this.#double())
    if (this.#widest === T.int && Number.isSafeInteger(this.#high)) return integerValue(this.#high)
    const whole = this.#whole()
    return whole === undefined ? doubleValue(this.#double()) : longValue(whole)
  }

  /** The mean: a double, or a decimal when one was added; null of nothing. */
  mean(): RawValue {
    if (this.#count === 0) return NULL
    if (this.#widest === T.decimal) {
      return decimalValue(divideDecimals(this.#decimal(), decimalFromInteger(this.#count)))
    }
    return doubleValue(this.#double() / this.#count)
  }
}
