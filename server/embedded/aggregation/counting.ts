import { documentFrom, fieldsOf, type RawValue } from '../bson/raw.ts'
import { isNumberType, T } from '../bson/types.ts'
import { integerValue } from '../bson/values.ts'
import { countName } from './stages/ordering.ts'
import type { Stage } from './stages/stage.ts'

/** A stage that only counts: what it says of so many documents. */
export type Counting = (count: number) => Buffer[]

/** `$count`, or the group of everything that `countDocuments` sends: for neither a document has to be read. */
export function countingOf({ name, operand }: Stage): Counting | undefined {
  if (name === '$count') {
    const field = countName(operand)
    return (count) => (count === 0 ? [] : [documentFrom([{ name: field, value: integerValue(count) }])])
  }
  if (name !== '$group' || operand.type !== T.object) return undefined
  const [id, sum, ...others] = fieldsOf(operand)
  if (id?.name !== '_id' || !sum || others.length > 0 || !sumsUpOnes(sum.value)) return undefined
  if (id.value.type !== T.null && !isNumberType(id.value.type)) return undefined
  return (count) => (count === 0 ? [] : [documentFrom([id, { name: sum.name, value: integerValue(count) }])])
}

function sumsUpOnes(value: RawValue): boolean {
  if (value.type !== T.object) return false
  const [operator, ...others] = fieldsOf(value)
  if (operator?.name !== '$sum' || others.length > 0 || operator.value.type !== T.int) return false
  return operator.value.bytes.readInt32LE(operator.value.start) === 1
}
