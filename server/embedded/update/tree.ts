import { documentOf, fieldsOf, itemsOf, RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { ByteWriter } from '../bson/writer.ts'

/** A part of a document under change: opened where a path goes through, the bytes as they were elsewhere. */
export type Slot = RawValue | ObjectNode | ArrayNode

export class ObjectNode {
  readonly fields = new Map<string, Slot>()
}

export class ArrayNode {
  items: Slot[] = []
}

/** Opens a document for change. */
export function openDocument(bytes: Buffer): ObjectNode {
  return openObject(documentOf(bytes))
}

function openObject(value: RawValue): ObjectNode {
  const node = new ObjectNode()
  for (const field of fieldsOf(value)) node.fields.set(field.name, field.value)
  return node
}

/** Opens a value when it has parts; anything else stays as it is. */
export function open(slot: Slot): Slot {
  if (!(slot instanceof RawValue)) return slot
  if (slot.type === T.object) return openObject(slot)
  if (slot.type !== T.array) return slot
  const node = new ArrayNode()
  node.items = itemsOf(slot)
  return node
}

const scratch = new ByteWriter(4096)

/** The BSON of a document under change. */
export function closeDocument(node: ObjectNode): Buffer {
  scratch.clear()
  writeObject(scratch, node)
  return scratch.take()
}

/** The value of a slot, with its changes. */
export function closeSlot(slot: Slot): RawValue {
  if (slot instanceof RawValue) return slot
  const writer = new ByteWriter(512)
  const type = writeSlot(writer, slot)
  return new RawValue(type, writer.take(), 0, writer.length)
}

function writeObject(writer: ByteWriter, node: ObjectNode): void {
  const at = writer.beginDocument()
  for (const [name, slot] of node.fields) writeNamed(writer, name, slot)
  writer.endDocument(at)
}

function writeNamed(writer: ByteWriter, name: string, slot: Slot): void {
  const at = writer.length
  writer.byte(0)
  writer.cstring(name)
  // Two steps: writing may grow the buffer, and `writer.buffer` read before it would be the old one.
  const type = writeSlot(writer, slot)
  writer.buffer[at] = type
}

function writeSlot(writer: ByteWriter, slot: Slot): number {
  if (slot instanceof RawValue) {
    writer.bytes(slot.bytes, slot.start, slot.end)
    return slot.type
  }
  if (slot instanceof ObjectNode) {
    writeObject(writer, slot)
    return T.object
  }
  const at = writer.beginDocument()
  slot.items.forEach((item, i) => {
    writeNamed(writer, String(i), item)
  })
  writer.endDocument(at)
  return T.array
}
