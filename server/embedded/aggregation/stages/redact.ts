import {
  arrayFrom,
  bytesOf,
  documentFrom,
  documentOf,
  type Field,
  fieldsOf,
  itemsOf,
  NULL,
  type RawValue,
} from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { stringIn, stringValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import type { Compiler, Scope } from '../expressions/expression.ts'
import { scopeOf } from '../expressions/expression.ts'
import { perDocument, type Transform } from './stage.ts'

const DECISIONS = ['KEEP', 'PRUNE', 'DESCEND'] as const

/** The variables `$redact` decides with. */
export const REDACT_VARIABLES: Readonly<Record<string, RawValue>> = Object.fromEntries(
  DECISIONS.map((decision) => [decision, stringValue(decision.toLowerCase())]),
)

/** Compiles `$redact`: each document within a document is kept, taken away, or looked into. */
export function compileRedact(operand: RawValue, outer: Compiler): Transform {
  const { position, inner } = outer.bind('CURRENT')
  const decide = inner.compile(operand)
  const redact = (value: RawValue, scope: Scope): RawValue | undefined => {
    scope.locals[position] = value
    const decision = decide(scope)
    switch (decision?.type === T.string ? stringIn(decision) : undefined) {
      case 'keep':
        return value
      case 'prune':
        return undefined
      case 'descend':
        return descend(value, scope)
      default:
        throw new CommandError(
          17053,
          '$redact must not return anything other than $$KEEP, $$PRUNE or $$DESCEND',
        )
    }
  }
  const descend = (value: RawValue, scope: Scope): RawValue => {
    const fields: Field[] = []
    for (const field of fieldsOf(value)) {
      const kept = within(field.value, scope)
      if (kept) fields.push({ name: field.name, value: kept })
    }
    return documentOf(documentFrom(fields))
  }
  const within = (value: RawValue, scope: Scope): RawValue | undefined => {
    if (value.type === T.object) return redact(value, scope)
    if (value.type !== T.array) return value
    return arrayFrom(
      itemsOf(value)
        .map((item) => within(item, scope))
        .filter((item) => item !== undefined),
    )
  }
  const scope = scopeOf(NULL)
  return perDocument((bytes) => {
    scope.root = documentOf(bytes)
    const kept = redact(scope.root, scope)
    return kept && bytesOf(kept)
  })
}
