import {
  arrayFrom,
  bytesOf,
  documentFrom,
  documentOf,
  fieldsOf,
  itemsOf,
  type RawValue,
} from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import type { Expression, Scope } from '../expressions/expression.ts'

/** What is done with a field. */
type Rule =
  | { readonly kind: 'listed' }
  | { readonly kind: 'computed'; readonly value: Expression }
  | Reshaping

/** What happens to the fields that are not named: they are left out, or stay. */
export type ReshapingMode = 'include' | 'exclude' | 'add'

const LISTED = { kind: 'listed' } as const
const EMPTY = documentOf(documentFrom([]))

/** A tree of fields that a document keeps, loses or gains; through arrays it is applied to every item. */
export class Reshaping {
  readonly kind = 'nested'
  readonly #mode: ReshapingMode
  readonly #rules = new Map<string, Rule>()

  constructor(mode: ReshapingMode) {
    this.#mode = mode
  }

  /** Names a field that is kept, or left out; answers the part of the path where another rule stands. */
  list(path: readonly string[]): string | undefined {
    return this.#put(path, LISTED)
  }

  /** Names a field that is computed. */
  compute(path: readonly string[], value: Expression): string | undefined {
    return this.#put(path, { kind: 'computed', value })
  }

  /** Leaves a field out that would be kept. */
  unlist(name: string): void {
    this.#rules.delete(name)
  }

  has(name: string): boolean {
    return this.#rules.has(name)
  }

  #put([name = '', ...rest]: readonly string[], rule: Rule): string | undefined {
    const existing = this.#rules.get(name)
    if (rest.length === 0) {
      if (existing) return name
      this.#rules.set(name, rule)
      return undefined
    }
    if (existing && !(existing instanceof Reshaping)) return rest.join('.')
    const child = existing ?? new Reshaping(this.#mode)
    this.#rules.set(name, child)
    return child.#put(rest, rule)
  }

  get #computes(): boolean {
    for (const rule of this.#rules.values()) {
      if (rule.kind === 'computed' || (rule.kind === 'nested' && rule.#computes)) return true
    }
    return false
  }

  /** The document as it should be. */
  document(bytes: Buffer, scope: Scope): Buffer {
    return bytesOf(this.#object(documentOf(bytes), scope))
  }

  #object(value: RawValue, scope: Scope): RawValue {
    const made = new Map<string, RawValue>()
    for (const field of fieldsOf(value)) {
      const kept = this.#kept(field.name, field.value, scope)
      if (kept !== undefined) made.set(field.name, kept)
    }
    for (const [name, rule] of this.#rules) {
      if (rule.kind === 'computed') {
        const computed = rule.value(scope)
        if (computed === undefined) made.delete(name)
        else made.set(name, computed)
      } else if (rule.kind === 'nested' && !made.has(name) && rule.#computes) {
        const computed = rule.#value(undefined, scope)
        if (computed !== undefined) made.set(name, computed)
      }
    }
    return documentOf(documentFrom([...made].map(([name, each]) => ({ name, value: each }))))
  }

  #kept(name: string, value: RawValue, scope: Scope): RawValue | undefined {
    const rule = this.#rules.get(name)
    switch (rule?.kind) {
      case undefined:
        return this.#mode === 'include' ? undefined : value
      case 'listed':
        return this.#mode === 'include' ? value : undefined
      case 'computed':
        // What is added takes the place of what was there; what is projected comes after what is kept.
        return this.#mode === 'add' ? value : undefined
      case 'nested':
        return rule.#value(value, scope)
    }
  }

  #value(value: RawValue | undefined, scope: Scope): RawValue | undefined {
    if (value?.type === T.object) return this.#object(value, scope)
    if (value?.type === T.array) {
      return arrayFrom(
        itemsOf(value)
          .map((item) => this.#value(item, scope))
          .filter((item) => item !== undefined),
      )
    }
    if (this.#computes) return this.#object(EMPTY, scope)
    return this.#mode === 'include' ? undefined : value
  }
}
