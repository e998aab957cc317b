import { RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { CommandError } from '../../errors.ts'
import { isLong } from '../numbers.ts'
import { typeOf } from './expression.ts'

/** The milliseconds of a date. */
export const millisecondsIn = (value: RawValue): bigint => value.bytes.readBigInt64LE(value.start)

/** The date at so many milliseconds, if a date reaches that far. */
export function dateFromLong(milliseconds: bigint): RawValue {
  if (!isLong(milliseconds)) throw new CommandError(15, 'date overflow')
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64LE(milliseconds)
  return new RawValue(T.date, bytes, 0, 8)
}

/** The moment a value stands for: a date, a timestamp or the creation of an ObjectId. */
export function momentOf(value: RawValue | undefined): number {
  switch (value?.type) {
    case T.date:
      return Number(millisecondsIn(value))
    case T.timestamp:
      return value.bytes.readUInt32LE(value.start + 4) * 1000
    case T.objectId:
      return value.bytes.readUInt32BE(value.start) * 1000
    default:
      throw new CommandError(16006, `can't convert from BSON type ${typeOf(value)} to Date`)
  }
}

export const isMoment = (value: RawValue): boolean =>
  value.type === T.date || value.type === T.timestamp || value.type === T.objectId
