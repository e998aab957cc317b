import { documentFrom, documentOf, fieldsOf, get, itemsOf, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { stringIn } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { parsePath, valueAt } from '../../query/path.ts'
import { exceeded, Meter } from '../accumulators/accumulator.ts'
import { addUnits, type DateUnit, unitOf } from '../expressions/date-units.ts'
import { typeOf } from '../expressions/expression.ts'
import { splitPath } from '../expressions/field-path.ts'
import { dateFromLong, millisecondsIn } from '../expressions/moments.ts'
import { compare, keyText } from '../expressions/order.ts'
import { UTC } from '../expressions/zone.ts'
import { addNumbers, doubleOf, isMissing, isNumeric } from '../numbers.ts'
import { gather, inPortions, type Transform } from './stage.ts'
import { withValue } from './unwind.ts'

interface Densify {
  readonly field: string[]
  readonly partitionBy: string[]
  readonly step: (value: RawValue) => RawValue
  readonly isDate: boolean
  readonly bounds: 'full' | 'partition' | readonly [RawValue, RawValue]
}

/** Compiles `$densify`: documents are made where a field's values leave gaps. */
export function compileDensify(operand: RawValue): Transform {
  const densify = parse(operand)
  const path = parsePath(densify.field.join('.'))
  return async function* (source) {
    const meter = new Meter(exceeded('$densify'))
    const all = await gather(source, (bytes) => meter.add(bytes))
    const valued: { value: RawValue; bytes: Buffer }[] = []
    const without: Buffer[] = []
    for (const bytes of all) {
      const value = valueAt(documentOf(bytes), path)
      if (isMissing(value)) without.push(bytes)
      else {
        check(value, densify.isDate)
        valued.push({ value, bytes })
      }
    }
    valued.sort((a, b) => compare(a.value, b.value))
    yield* inPortions([...without, ...densified(valued, densify, meter)])
  }
}

function check(value: RawValue, isDate: boolean): void {
  if (isDate ? value.type !== T.date : !isNumeric(value))
    throw new CommandError(
      isDate ? 6053600 : 5733201,
      `PlanExecutor error during aggregation :: caused by :: Densify field type must be ${isDate ? 'Date' : 'numeric'}, found ${typeOf(value)}`,
    )
}

type Valued = { readonly value: RawValue; readonly bytes: Buffer }

function densified(all: readonly Valued[], densify: Densify, meter: Meter): Buffer[] {
  const { bounds, partitionBy } = densify
  const groups = new Map<string, { partition: RawValue; members: Valued[] }>()
  for (const each of all) {
    const partition = documentOf(
      documentFrom(
        partitionBy.flatMap((name) => {
          const value = valueAt(documentOf(each.bytes), parsePath(name))
          return value ? [{ name, value }] : []
        }),
      ),
    )
    const key = keyText(partition)
    const group = groups.get(key)
    if (group) group.members.push(each)
    else groups.set(key, { partition, members: [each] })
  }
  if (groups.size === 0 && typeof bounds !== 'string' && partitionBy.length === 0)
    groups.set('', { partition: documentOf(documentFrom([])), members: [] })
  const made: Buffer[] = []
  for (const { partition, members } of groups.values()) {
    const own = bounds === 'full' ? all : members
    const start = typeof bounds === 'string' ? own[0]?.value : bounds[0]
    const end = typeof bounds === 'string' ? own.at(-1)?.value : bounds[1]
    if (!start || !end) continue
    made.push(
      ...fillGaps(members, partition, { start, end, isOpen: typeof bounds !== 'string' }, densify, meter),
    )
  }
  return made
}

function fillGaps(
  members: readonly Valued[],
  partition: RawValue,
  range: { start: RawValue; end: RawValue; isOpen: boolean },
  densify: Densify,
  meter: Meter,
): Buffer[] {
  const made: Buffer[] = []
  let at = 0
  for (; at < members.length && compare(members[at]?.value, range.start) < 0; at++)
    made.push(members[at]?.bytes as Buffer)
  let next = range.start
  const isWithin = () => (range.isOpen ? compare(next, range.end) < 0 : compare(next, range.end) <= 0)
  while (isWithin()) {
    while (at < members.length && compare(members[at]?.value, next) < 0)
      made.push(members[at++]?.bytes as Buffer)
    if (at < members.length && compare(members[at]?.value, next) === 0) {
      while (at < members.length && compare(members[at]?.value, next) === 0)
        made.push(members[at++]?.bytes as Buffer)
    } else {
      const base = fieldsOf(partition).reduce(
        (bytes, { name, value }) => withValue(bytes, name.split('.'), value),
        documentFrom([]),
      )
      const bytes = withValue(base, densify.field, next)
      meter.add(bytes.length + 50)
      made.push(bytes)
    }
    next = densify.step(next)
  }
  for (; at < members.length; at++) made.push(members[at]?.bytes as Buffer)
  return made
}

function parse(operand: RawValue): Densify {
  const field = operand.type === T.object ? get(operand, 'field') : undefined
  const range = operand.type === T.object ? get(operand, 'range') : undefined
  if (operand.type !== T.object)
    throw new CommandError(5733000, 'The $densify stage specification must be an object')
  if (!field) throw new CommandError(40414, "BSON field '$densify.field' is missing but a required field")
  if (!range) throw new CommandError(40414, "BSON field '$densify.range' is missing but a required field")
  if (field.type !== T.string || range.type !== T.object)
    throw new CommandError(14, "BSON field '$densify.field' is the wrong type")
  const name = splitPath(stringIn(field))
  const partition = get(operand, 'partitionByFields')
  const partitionBy = partition?.type === T.array ? itemsOf(partition).map(stringIn) : []
  if (partitionBy.includes(stringIn(field)))
    throw new CommandError(
      8993000,
      "BSON field '$densify.partitionByFields' contains the field that is being densified",
    )
  const step = get(range, 'step')
  const bounds = get(range, 'bounds')
  if (!step || !bounds) throw new CommandError(40414, "BSON field '$densify.range' needs step and bounds")
  if (!isNumeric(step) || !(doubleOf(step) > 0))
    throw new CommandError(
      5733401,
      'the step parameter in a range statement must be a strictly positive numeric value',
    )
  const unitText = get(range, 'unit')
  const unit = unitText?.type === T.string ? unitOf(stringIn(unitText)) : undefined
  if (unit && !Number.isInteger(doubleOf(step)))
    throw new CommandError(
      6586400,
      'The step parameter in a range satement must be a whole number when densifying a date range',
    )
  return {
    field: name,
    partitionBy,
    step: stepper(step, unit),
    isDate: unit !== undefined,
    bounds: boundsIn(bounds, unit),
  }
}

function stepper(step: RawValue, unit: DateUnit | undefined): (value: RawValue) => RawValue {
  if (!unit) return (value) => addNumbers(value, step)
  const amount = doubleOf(step)
  return (value) => dateFromLong(BigInt(addUnits(Number(millisecondsIn(value)), unit, amount, UTC)))
}

function boundsIn(bounds: RawValue, unit: DateUnit | undefined): Densify['bounds'] {
  if (bounds.type === T.string) {
    const text = stringIn(bounds)
    if (text === 'full' || text === 'partition') return text
    throw new CommandError(5733402, "Bounds string must either be 'full' or 'partition'")
  }
  const [lower, upper, ...others] = bounds.type === T.array ? itemsOf(bounds) : []
  if (!lower || !upper || others.length > 0)
    throw new CommandError(5733403, 'a bounding array in a range statement must have exactly two elements')
  if (compare(lower, upper) > 0)
    throw new CommandError(
      5733402,
      'the bounds in a range statement must be the string "full" or "partition", or an ascending array',
    )
  if (unit ? lower.type !== T.date || upper.type !== T.date : !isNumeric(lower) || !isNumeric(upper))
    throw new CommandError(
      unit ? 5733402 : 5733406,
      'A bounding array must contain either both dates or both numeric types',
    )
  return [lower, upper]
}
