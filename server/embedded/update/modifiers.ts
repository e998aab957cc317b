import { compareValues, equalValues } from '../bson/compare.ts'
import { fieldsOf, type RawValue } from '../bson/raw.ts'
import { isNumberType, T, typeName } from '../bson/types.ts'
import { boolIn, dateValue, intValue, longValue, numberIn, stringIn } from '../bson/values.ts'
import { badValue, CommandError, failedToParse, typeMismatch } from '../errors.ts'
import type { ExpressionCompiler } from '../query/matcher.ts'
import { describeValue } from '../storage/describe-value.ts'
import { calculate } from './arithmetic.ts'
import { addToSet, pop, pull, pullAll, push } from './array-modifiers.ts'
import type { Change } from './parse-update.ts'
import { closeSlot, type Slot } from './tree.ts'

/** What an operator may need besides the value. */
export interface ModifyContext {
  /** The document's `_id`, for messages. */
  readonly id: RawValue | undefined
  /** The time of the command, in milliseconds. */
  readonly now: number
  /** A timestamp later than all before. */
  readonly timestamp: () => RawValue
  readonly compileExpression: ExpressionCompiler
}

/** The new value of a place, or undefined when an operator leaves it, or takes it away, as it is. */
export function modify(current: Slot | undefined, change: Change, context: ModifyContext): Slot | undefined {
  const { operator, operand } = change
  switch (operator) {
    case '$set':
    case '$setOnInsert':
      return operand
    case '$unset':
    case '$rename':
      return undefined
    case '$inc':
    case '$mul':
      return arithmetic(current && closeSlot(current), change, context)
    case '$min':
    case '$max': {
      if (current === undefined) return operand
      const order = compareValues(operand, closeSlot(current))
      return (operator === '$min' ? order < 0 : order > 0) ? operand : current
    }
    case '$currentDate':
      return currentDate(change, context)
    case '$bit':
      return bit(current && closeSlot(current), change, context)
    case '$push':
      return push(arrayToGrow(current, change, context), operand)
    case '$addToSet':
      return addToSet(arrayToGrow(current, change, context), operand)
    case '$pop':
      return pop(arrayToShrink(current, change), operand)
    case '$pull':
      return pull(arrayToShrink(current, change), operand, context.compileExpression)
    case '$pullAll':
      return pullAll(arrayToShrink(current, change), operand)
  }
}

const idOf = (context: ModifyContext): string => `{_id: ${describeValue(context.id)}}`

function arrayToGrow(
  current: Slot | undefined,
  change: Change,
  context: ModifyContext,
): RawValue | undefined {
  if (current === undefined) return undefined
  const value = closeSlot(current)
  if (value.type === T.array) return value
  if (change.operator === '$addToSet') {
    throw badValue(
      `Cannot apply $addToSet to non-array field. Field named '${change.parts.at(-1)}' has non-array type ${typeName(value.type)}`,
    )
  }
  throw badValue(
    `The field '${change.path}' must be an array but is of type ${typeName(value.type)} in document ${idOf(context)}`,
  )
}

function arrayToShrink(current: Slot | undefined, change: Change): RawValue | undefined {
  if (current === undefined) return undefined
  const value = closeSlot(current)
  if (value.type === T.array) return value
  if (change.operator === '$pop') {
    throw typeMismatch(
      `Path '${change.path}' contains an element of non-array type '${typeName(value.type)}'`,
    )
  }
  throw badValue(`Cannot apply ${change.operator} to a non-array value`)
}

function arithmetic(current: RawValue | undefined, change: Change, context: ModifyContext): RawValue {
  const { operator, operand, path } = change
  if (!isNumberType(operand.type)) {
    throw typeMismatch(
      `Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path}: ${describeValue(operand)}}`,
    )
  }
  if (current === undefined) {
    return operator === '$inc' ? operand : (calculate('multiply', operand, intValue(0)) ?? operand)
  }
  if (!isNumberType(current.type)) {
    throw typeMismatch(
      `Cannot apply ${operator} to a value of non-numeric type. ${idOf(context)} has the field '${change.parts.at(-1)}' of non-numeric type ${typeName(current.type)}`,
    )
  }
  const result = calculate(operator === '$inc' ? 'add' : 'multiply', current, operand)
  if (!result) {
    throw badValue(
      `Failed to apply ${operator} operations to current value ((NumberLong)${describeValue(current)}) for document ${idOf(context)}`,
    )
  }
  return result
}

function currentDate({ operand, path }: Change, context: ModifyContext): RawValue {
  if (operand.type === T.bool) {
    boolIn(operand)
    return dateValue(context.now)
  }
  if (operand.type !== T.object) {
    throw badValue(
      `${typeName(operand.type)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    )
  }
  const fields = fieldsOf(operand)
  for (const { name } of fields) {
    if (name !== '$type') throw badValue(`Unrecognized $currentDate option: ${name}`)
  }
  const kind = fields[0]?.value
  const wanted = kind?.type === T.string ? stringIn(kind) : ''
  if (wanted === 'date') return dateValue(context.now)
  if (wanted === 'timestamp') return context.timestamp()
  throw badValue(
    `The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {${path}: ...}}`,
  )
}

function bit(current: RawValue | undefined, { operand, path }: Change, context: ModifyContext): RawValue {
  if (operand.type !== T.object) {
    throw badValue(
      `The $bit modifier is not compatible with a ${typeName(operand.type)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    )
  }
  const steps = fieldsOf(operand)
  if (steps.length === 0) {
    throw badValue(
      `You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}`,
    )
  }
  let result = current ?? intValue(0)
  if (result.type !== T.int && result.type !== T.long) {
    throw badValue(
      `Cannot apply $bit to a value of non-integral type.${idOf(context)} has the field ${path} of non-integer type ${typeName(result.type)}`,
    )
  }
  for (const { name, value } of steps) {
    if (name !== 'and' && name !== 'or' && name !== 'xor') {
      throw badValue(
        `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator`,
      )
    }
    if (value.type !== T.int && value.type !== T.long) {
      throw badValue(
        `The $bit modifier field must be an Integer(32/64 bit); a '${typeName(value.type)}' is not supported here`,
      )
    }
    result = bitwise(name, result, value)
  }
  return result
}

function bitwise(operation: 'and' | 'or' | 'xor', a: RawValue, b: RawValue): RawValue {
  const left = BigInt(numberIn(a))
  const right = BigInt(numberIn(b))
  const bits = operation === 'and' ? left & right : operation === 'or' ? left | right : left ^ right
  return a.type === T.int && b.type === T.int ? intValue(Number(bits)) : longValue(bits)
}

/** Whether two slots hold the same value. */
export const sameValue = (a: Slot, b: Slot): boolean => equalValues(closeSlot(a), closeSlot(b))

/** An operand that must be a document, for messages that name the operator. */
export function requireDocument(operator: string, operand: RawValue): RawValue {
  if (operand.type !== T.object) throw failedToParse(`${operator} needs a document`)
  return operand
}

/** An error of a place that cannot hold what is asked. */
export const notViable = (message: string): CommandError => new CommandError(28, message)
