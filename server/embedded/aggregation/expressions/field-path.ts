import { arrayFrom, encodedName, fieldOf, itemsOf, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { CommandError } from '../../errors.ts'
import type { Expression } from './expression.ts'

/** Splits a path of an expression and refuses what is none. */
export function splitPath(path: string): string[] {
  if (path === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string')
  if (path.endsWith('.')) throw new CommandError(40353, "FieldPath must not end with a '.'.")
  const names = path.split('.')
  for (const name of names) checkFieldName(name)
  return names
}

/** Refuses a name that no field of an expression may have. */
export function checkFieldName(name: string): void {
  if (name === '') throw new CommandError(15998, 'FieldPath field names may not be empty strings.')
  if (name.startsWith('$')) {
    throw new CommandError(
      16410,
      `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
    )
  }
  if (name.includes('\0')) throw new CommandError(16411, 'FieldPath field names may not contain null bytes.')
}

/** The value at a path: through an array it is the array of what its documents have there. */
export function valueOnPath(
  value: RawValue | undefined,
  names: readonly Buffer[],
  step: number,
): RawValue | undefined {
  let current = value
  for (let i = step; i < names.length; i++) {
    if (current === undefined) return undefined
    if (current.type === T.object) current = fieldOf(current, names[i] as Buffer)
    else if (current.type === T.array) return throughItems(current, names, i)
    else return undefined
  }
  return current
}

function throughItems(array: RawValue, names: readonly Buffer[], step: number): RawValue {
  const found: RawValue[] = []
  for (const item of itemsOf(array)) {
    if (item.type !== T.object) continue
    const value = valueOnPath(item, names, step)
    if (value !== undefined) found.push(value)
  }
  return arrayFrom(found)
}

/** An expression that reads a path of another's value. */
export function pathOf(start: Expression, path: readonly string[]): Expression {
  const names = path.map(encodedName)
  const [only] = names
  if (names.length === 1 && only) {
    return (scope) => {
      const value = start(scope)
      return value?.type === T.object ? fieldOf(value, only) : valueOnPath(value, names, 0)
    }
  }
  return (scope) => valueOnPath(start(scope), names, 0)
}
