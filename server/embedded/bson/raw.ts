import { hashOf, knownName } from './field-names.ts'
import { T } from './types.ts'
import { ByteWriter } from './writer.ts'

/** One BSON value where it lies: nothing is decoded until it is asked for, and copying it keeps its bits. */
export class RawValue {
  readonly type: number
  readonly bytes: Buffer
  readonly start: number
  readonly end: number

  constructor(type: number, bytes: Buffer, start: number, end: number) {
    this.type = type
    this.bytes = bytes
    this.start = start
    this.end = end
  }
}

/** A field of a document: its name and its value. */
export interface Field {
  readonly name: string
  readonly value: RawValue
}

/** The value that wraps a whole BSON document. */
export const documentOf = (bytes: Buffer): RawValue => new RawValue(T.object, bytes, 0, bytes.length)

/** The bytes of a document or array value. */
export const bytesOf = (value: RawValue): Buffer => value.bytes.subarray(value.start, value.end)

/** A copy that does not keep the message it came in alive. */
export const detached = (value: RawValue): RawValue => {
  const bytes = Buffer.from(value.bytes.subarray(value.start, value.end))
  return new RawValue(value.type, bytes, 0, bytes.length)
}

const EMPTY = Buffer.alloc(0)
export const NULL = new RawValue(T.null, EMPTY, 0, 0)
export const UNDEFINED = new RawValue(T.undefined, EMPTY, 0, 0)
export const EMPTY_DOCUMENT = Buffer.from([5, 0, 0, 0, 0])

/** Where a value of this type that starts at `at` ends. */
export function valueEnd(type: number, bytes: Buffer, at: number): number {
  switch (type) {
    case T.double:
    case T.date:
    case T.timestamp:
    case T.long:
      return at + 8
    case T.int:
      return at + 4
    case T.string:
    case T.code:
    case T.symbol:
      return at + 4 + bytes.readInt32LE(at)
    case T.object:
    case T.array:
    case T.codeWithScope:
      return at + bytes.readInt32LE(at)
    case T.binary:
      return at + 5 + bytes.readInt32LE(at)
    case T.objectId:
      return at + 12
    case T.bool:
      return at + 1
    case T.regex:
      return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1
    case T.dbPointer:
      return at + 4 + bytes.readInt32LE(at) + 12
    case T.decimal:
      return at + 16
    default:
      return at
  }
}

/** The fields of a document (or the items of an array, named by position), in order. */
export function fieldsOf(value: RawValue): Field[] {
  const { bytes } = value
  const end = value.end - 1
  const fields: Field[] = []
  let at = value.start + 4
  while (at < end) {
    const type = bytes[at] as number
    let nameEnd = at + 1
    let hash = 0
    for (let byte = bytes[nameEnd]; byte; byte = bytes[++nameEnd]) hash = hashOf(hash, byte)
    const name = knownName(bytes, at + 1, nameEnd, hash)
    at = valueEnd(type, bytes, nameEnd + 1)
    fields.push({ name, value: new RawValue(type, bytes, nameEnd + 1, at) })
  }
  return fields
}

/** The items of an array, or the values of a document, in order. */
export function itemsOf(value: RawValue): RawValue[] {
  const { bytes } = value
  const end = value.end - 1
  const items: RawValue[] = []
  let at = value.start + 4
  while (at < end) {
    const type = bytes[at] as number
    let start = at + 1
    while (bytes[start] !== 0) start++
    at = valueEnd(type, bytes, start + 1)
    items.push(new RawValue(type, bytes, start + 1, at))
  }
  return items
}

/** The item of an array at a position, or undefined. */
export function itemAt(value: RawValue, index: number): RawValue | undefined {
  const { bytes } = value
  const end = value.end - 1
  let at = value.start + 4
  for (let i = 0; at < end; i++) {
    const type = bytes[at] as number
    let start = at + 1
    while (bytes[start] !== 0) start++
    at = valueEnd(type, bytes, start + 1)
    if (i === index) return new RawValue(type, bytes, start + 1, at)
  }
  return undefined
}

const MAX_KEPT_NAME = 200
const nameBytes = new Map<string, Buffer>()

/** The UTF-8 of a field name, remembered, as the same few names are looked for again and again. */
export function encodedName(name: string): Buffer {
  const known = nameBytes.get(name)
  if (known) return known
  const encoded = Buffer.from(name)
  // Clients choose names: those that no sane document has are not kept.
  if (name.length > MAX_KEPT_NAME) return encoded
  if (nameBytes.size > 10_000) nameBytes.clear()
  nameBytes.set(name, encoded)
  return encoded
}

/** The value of a field, or undefined when the document has no such field. */
export function fieldOf(value: RawValue, name: Buffer): RawValue | undefined {
  const { bytes } = value
  const end = value.end - 1
  const size = name.length
  let at = value.start + 4
  while (at < end) {
    const type = bytes[at] as number
    let i = 0
    at++
    while (i < size && bytes[at + i] === name[i]) i++
    const found = i === size && bytes[at + i] === 0
    at += i
    while (bytes[at] !== 0) at++
    const start = at + 1
    at = valueEnd(type, bytes, start)
    if (found) return new RawValue(type, bytes, start, at)
  }
  return undefined
}

/** The value of a named field. */
export const get = (value: RawValue, name: string): RawValue | undefined => fieldOf(value, encodedName(name))

/** Writes a field with its value's own bytes. */
export function writeField(writer: ByteWriter, name: string, value: RawValue): void {
  writer.byte(value.type)
  writer.cstring(name)
  writer.bytes(value.bytes, value.start, value.end)
}

/** A document made of fields as they are. */
export function documentFrom(fields: Iterable<Field>): Buffer {
  const writer = new ByteWriter()
  const at = writer.beginDocument()
  for (const { name, value } of fields) writeField(writer, name, value)
  writer.endDocument(at)
  return writer.take()
}

/** The array value made of these items. */
export function arrayFrom(items: Iterable<RawValue>): RawValue {
  const writer = new ByteWriter()
  const at = writer.beginDocument()
  let i = 0
  for (const item of items) writeField(writer, String(i++), item)
  writer.endDocument(at)
  return new RawValue(T.array, writer.take(), 0, writer.length)
}
