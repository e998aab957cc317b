import { arrayFrom, documentFrom, documentOf, fieldsOf, get, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { stringIn } from '../bson/values.ts'
import { selectionOf } from '../commands/selection.ts'
import { CommandError } from '../errors.ts'
import type { Selection } from '../query/select.ts'
import type { PipelineContext } from './context.ts'
import { compilerFor } from './expressions/compile.ts'
import { type Compiler, constantOf } from './expressions/expression.ts'
import { limitIn, skipIn, sortFields } from './stages/ordering.ts'
import type { Stage } from './stages/stage.ts'

/** The part of a pipeline that a selection does: it may use an index. */
export interface Head {
  readonly selection: Selection
  readonly used: number
}

/** Takes the stages a selection can do from the front of a pipeline. */
export function headOf(stages: readonly Stage[], context: PipelineContext): Head {
  let used = 0
  const filters: RawValue[] = []
  while (stages[used]?.name === '$match') {
    const operand = stages[used]?.operand
    if (operand?.type !== T.object)
      throw new CommandError(15959, 'the match filter must be an expression in an object')
    filters.push(operand, ...impliedFilters(operand, context))
    used++
  }
  const operandOf = (name: string): RawValue | undefined =>
    stages[used]?.name === name ? stages[used++]?.operand : undefined
  const sort = operandOf('$sort')
  if (sort) sortFields(sort)
  const skipOperand = operandOf('$skip')
  const limitOperand = operandOf('$limit')
  const filter =
    filters.length <= 1 ? filters[0] : documentOf(documentFrom([{ name: '$and', value: arrayFrom(filters) }]))
  const selection = selectionOf({
    filter,
    sort,
    skip: skipOperand ? skipIn(skipOperand) : 0,
    limit: limitOperand ? limitIn(limitOperand) : 0,
    hint: context.hint,
    deadline: context.deadline,
    variables: context.variables,
    expected: 1000,
  })
  return { selection, used }
}

/**
 * What a `$expr` that compares a field with a constant says in the language of filters, which indexes serve. It may
 * let more documents pass than the expression, never fewer.
 */
function impliedFilters(filter: RawValue, context: PipelineContext): RawValue[] {
  const expression = get(filter, '$expr')
  return expression ? comparisonsIn(expression, compilerFor(context.variables)) : []
}

function comparisonsIn(expression: RawValue, compiler: Compiler): RawValue[] {
  const [operator] = expression.type === T.object ? fieldsOf(expression) : []
  if (operator?.value.type !== T.array) return []
  const operands = itemsOf(operator.value)
  if (operator.name === '$and') return operands.flatMap((operand) => comparisonsIn(operand, compiler))
  const [first, second] = operands
  if (!first || !second || operands.length !== 2) return []
  if (operator.name === '$in') return comparison(first, second, '$in', compiler)
  if (operator.name !== '$eq') return []
  const found = comparison(first, second, '$eq', compiler)
  return found.length > 0 ? found : comparison(second, first, '$eq', compiler)
}

function comparison(field: RawValue, other: RawValue, operator: string, compiler: Compiler): RawValue[] {
  const path = field.type === T.string ? stringIn(field) : ''
  if (!path.startsWith('$') || path.startsWith('$$')) return []
  const value = constantOf(compiler.compile(other))?.value
  if (!value) return []
  const compared = operator === '$in' ? (value.type === T.array ? itemsOf(value) : []) : [value]
  // An expression sees an array that a path goes through as one value, where a filter sees its items.
  if (
    compared.length === 0 ||
    compared.some(({ type }) => type === T.array || type === T.regex || type === T.undefined)
  )
    return []
  const test = documentOf(documentFrom([{ name: operator, value }]))
  return [documentOf(documentFrom([{ name: path.slice(1), value: test }]))]
}
