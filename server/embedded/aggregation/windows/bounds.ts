import { fieldsOf, get, itemsOf, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { stringIn } from '../../bson/values.ts'
import { CommandError, failedToParse } from '../../errors.ts'
import { addUnits, type DateUnit, unitOf } from '../expressions/date-units.ts'
import { UTC } from '../expressions/zone.ts'
import { doubleOf, int32Of, isNumeric } from '../numbers.ts'
import { onlySortField, type Partition, placeOf, type Span, sortValue } from './partition.ts'

/** Finds the window of each document of a partition. */
export type Bounds = (partition: Partition) => Span[]

type Bound = 'unbounded' | 'current' | number

const everything: Bounds = ({ documents }) => documents.map(() => ({ start: 0, end: documents.length }))

/** Reads the `window` of an output field; without one it is the whole partition. */
export function parseBounds(window: RawValue | undefined, isSorted: boolean): Bounds {
  if (!window) return everything
  if (window.type !== T.object) throw failedToParse("'window' field must be an object")
  for (const { name } of fieldsOf(window)) {
    if (!['documents', 'range', 'unit'].includes(name))
      throw failedToParse(
        `'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field`,
      )
  }
  const documents = get(window, 'documents')
  const range = get(window, 'range')
  const unit = get(window, 'unit')
  if (documents && (range || unit))
    throw failedToParse(
      "'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field",
    )
  if (documents) return byPosition(boundsIn(documents, 'documents'), isSorted)
  if (range) return byRange(boundsIn(range, 'range'), unit && unitOf(stringIn(unit)))
  if (unit) throw failedToParse("'window' field that specifies 'unit' must also specify a range")
  return everything
}

function boundsIn(value: RawValue, name: string): readonly [Bound, Bound] {
  const items = value.type === T.array ? itemsOf(value) : []
  const [lower, upper, ...others] = items.map((item): Bound => {
    if (item.type === T.string) {
      const text = stringIn(item)
      if (text === 'unbounded' || text === 'current') return text
    }
    if (!isNumeric(item)) throw failedToParse("Window bounds must be 'unbounded', 'current', or a number.")
    if (name === 'range') return doubleOf(item)
    const whole = int32Of(item)
    if (whole === undefined) throw failedToParse('Numeric document-based bounds must be an integer')
    return whole
  })
  if (lower === undefined || upper === undefined || others.length > 0)
    throw failedToParse(`Window bounds must be a 2-element array: ${name}`)
  const [from, to] = [lower === 'current' ? 0 : lower, upper === 'current' ? 0 : upper]
  if (typeof from === 'number' && typeof to === 'number' && from > to)
    throw new CommandError(5339900, `Lower bound must not exceed upper bound: ${name}`)
  return [lower, upper]
}

function byPosition([lower, upper]: readonly [Bound, Bound], isSorted: boolean): Bounds {
  if (!isSorted && (lower !== 'unbounded' || upper !== 'unbounded'))
    throw new CommandError(5339901, 'Document-based bounds require a sortBy')
  return ({ documents }) => {
    const all = documents.length
    const at = (bound: Bound, i: number, open: number) =>
      bound === 'unbounded' ? open : Math.max(0, Math.min(all, i + (bound === 'current' ? 0 : bound)))
    return documents.map((_, i) => {
      const start = at(lower, i, 0)
      const last = upper === 'unbounded' ? all : Math.min(all, i + (upper === 'current' ? 0 : upper) + 1)
      return { start, end: Math.max(start, last) }
    })
  }
}

function byRange([lower, upper]: readonly [Bound, Bound], unit: DateUnit | undefined): Bounds {
  return (partition) => {
    const { documents, sort } = partition
    const field = onlySortField(sort, 'Range-based bounds')
    if (field.descending) throw new CommandError(8947400, 'Range-based bounds require an ascending sortBy')
    const values = documents.map((bytes) => sortValue(bytes, field))
    for (const value of values) {
      const isRight = unit ? value?.type === T.date : isNumeric(value)
      if (!isRight)
        throw new CommandError(
          unit ? 5429513 : 5429414,
          `PlanExecutor error during aggregation :: caused by :: Invalid range: Expected the sortBy field to be a ${unit ? 'Date' : 'number'}`,
        )
    }
    const places = values.map((value) => placeOf(value) ?? Number.NaN)
    const moved = (place: number, bound: Bound) => {
      if (bound === 'current' || bound === 'unbounded') return place
      return unit ? addUnits(place, unit, bound, UTC) : place + bound
    }
    return places.map((place) => ({
      start: lower === 'unbounded' ? 0 : firstAt(places, (other) => other >= moved(place, lower)),
      end: upper === 'unbounded' ? places.length : firstAt(places, (other) => other > moved(place, upper)),
    }))
  }
}

/** The first position from which on the test holds; places rise. */
function firstAt(places: readonly number[], test: (place: number) => boolean): number {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (test(places[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}
