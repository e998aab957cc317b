import { fieldsOf, type RawValue } from '../bson/raw.ts'
import { isNumberType, T } from '../bson/types.ts'
import { numberIn } from '../bson/values.ts'
import { badValue, CommandError, notSupported } from '../errors.ts'
import { valuesAtPath } from '../indexes/extract.ts'
import { invert, keyOf } from '../indexes/key-encoding.ts'
import { type Path, parsePath } from './path.ts'

/** One field of a sort. */
export interface SortField {
  readonly name: string
  readonly path: Path
  readonly descending: boolean
}

/** Reads a sort document; `$natural` is the order of `_id`, in which documents lie. */
export function parseSort(document: RawValue | undefined): SortField[] {
  if (!document) return []
  if (document.type !== T.object) throw badValue('Expected field sort to be of type object')
  return fieldsOf(document).map(({ name, value }) => {
    if (value.type === T.object) throw notSupported(`$meta in a sort (field '${name}')`)
    const direction = isNumberType(value.type) && value.type !== T.decimal ? Number(numberIn(value)) : 0
    if (direction !== 1 && direction !== -1) {
      throw new CommandError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
    }
    if (name === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string')
    if (name === '$natural') return { name: '_id', path: parsePath('_id'), descending: direction < 0 }
    if (name.startsWith('$'))
      throw new CommandError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField. Field: ${name}`,
      )
    return { name, path: parsePath(name), descending: direction < 0 }
  })
}

/** Bytes that order documents as the sort does: of an array, the smallest item counts, or the greatest. */
export function sortKey(document: RawValue, sort: readonly SortField[]): Buffer {
  const parts = sort.map(({ path, descending }) => {
    let chosen: Buffer | undefined
    for (const value of valuesAtPath(document, path)) {
      const key = keyOf(value)
      if (!chosen || (descending ? chosen.compare(key) < 0 : chosen.compare(key) > 0)) chosen = key
    }
    const key = chosen ?? Buffer.alloc(0)
    if (descending) invert(key, 0, key.length)
    return key
  })
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}

interface Keyed<Item> {
  readonly item: Item
  readonly key: Buffer
  readonly position: number
}

/** Gathers items and gives them back in order; with a limit, it never holds more than it needs. */
export class Sorter<Item> {
  readonly #documentOf: (item: Item) => RawValue
  readonly #sort: readonly SortField[]
  readonly #limit: number
  #kept: Keyed<Item>[] = []
  #position = 0

  constructor(sort: readonly SortField[], limit: number, documentOf: (item: Item) => RawValue) {
    this.#sort = sort
    this.#limit = limit
    this.#documentOf = documentOf
  }

  add(item: Item): void {
    this.#kept.push({ item, key: sortKey(this.#documentOf(item), this.#sort), position: this.#position++ })
    if (this.#limit > 0 && this.#kept.length >= this.#limit * 2 + 1000) this.#trim()
  }

  #trim(): void {
    this.#kept.sort((a, b) => a.key.compare(b.key) || a.position - b.position)
    if (this.#limit > 0) this.#kept.length = Math.min(this.#kept.length, this.#limit)
  }

  sorted(): Item[] {
    this.#trim()
    return this.#kept.map(({ item }) => item)
  }
}
