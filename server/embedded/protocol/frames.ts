import { fieldsOf, RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { validateDocument } from '../bson/validate.ts'
import { stringIn } from '../bson/values.ts'
import { ByteWriter } from '../bson/writer.ts'
import type { Command } from '../commands/request.ts'
import { crc32c } from '../crc32c.ts'

export const MAX_MESSAGE_BYTES = 48_000_000
const HEADER_BYTES = 16
const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013

const CHECKSUM_PRESENT = 1
const CHECKSUM_BYTES = 4
const MORE_TO_COME = 1 << 1

/** A frame that breaks the protocol: nothing after it can be trusted, so its connection is closed. */
export class BadFrame extends Error {}

/** A frame taken apart. */
export interface Message {
  readonly requestId: number
  readonly command: Command
  /** The client does not wait for an answer. */
  readonly silent: boolean
  /** The legacy opcode, answered by its own kind of reply. */
  readonly legacy: boolean
}

/** The length of the frame that begins here, or undefined while it is not known. */
export function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined
  const length = bytes.readInt32LE(0)
  if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) throw new BadFrame(`a message of ${length} bytes`)
  return length
}

/** Takes a whole frame apart, and checks every document in it. */
export function readMessage(frame: Buffer): Message {
  const requestId = frame.readInt32LE(4)
  const opcode = frame.readInt32LE(12)
  if (opcode === OP_MSG) return readOpMsg(frame, requestId)
  if (opcode === OP_QUERY) return readOpQuery(frame, requestId)
  throw new BadFrame(`opcode ${opcode}`)
}

function readOpMsg(frame: Buffer, requestId: number): Message {
  if (frame.length < HEADER_BYTES + 5) throw new BadFrame('a message without sections')
  const flags = frame.readUInt32LE(HEADER_BYTES)
  // The lower half of the flags must be understood; only the upper half may be ignored.
  if (flags & 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME)) throw new BadFrame(`flags ${flags}`)
  const end = frame.length - (flags & CHECKSUM_PRESENT ? CHECKSUM_BYTES : 0)
  if (end < frame.length && frame.readUInt32LE(end) !== crc32c(frame, 0, end)) {
    throw new BadFrame('a message that does not have its checksum')
  }
  let at = HEADER_BYTES + 4
  let body: RawValue | undefined
  const sequences = new Map<string, RawValue[]>()
  while (at < end) {
    const kind = frame[at]
    at++
    if (kind === 0) {
      if (body) throw new BadFrame('two bodies')
      const bodyEnd = checkedDocument(frame, at, end)
      body = new RawValue(T.object, frame, at, bodyEnd)
      at = bodyEnd
    } else if (kind === 1) at = readSequence(frame, at, end, sequences)
    else throw new BadFrame(`a section of kind ${kind}`)
  }
  if (!body) throw new BadFrame('no body')
  return {
    requestId,
    command: readCommand(body, sequences, undefined),
    silent: (flags & MORE_TO_COME) !== 0,
    legacy: false,
  }
}

function readSequence(frame: Buffer, from: number, end: number, sequences: Map<string, RawValue[]>): number {
  if (from + 4 > end) throw new BadFrame('a cut sequence')
  const sequenceEnd = from + frame.readInt32LE(from)
  const nameEnd = frame.indexOf(0, from + 4)
  if (sequenceEnd > end || nameEnd === -1 || nameEnd >= sequenceEnd) throw new BadFrame('a cut sequence')
  const name = frame.toString('utf8', from + 4, nameEnd)
  if (sequences.has(name)) throw new BadFrame('two sequences of one name')
  const documents: RawValue[] = []
  let at = nameEnd + 1
  while (at < sequenceEnd) {
    const documentEnd = checkedDocument(frame, at, sequenceEnd)
    documents.push(new RawValue(T.object, frame, at, documentEnd))
    at = documentEnd
  }
  sequences.set(name, documents)
  return sequenceEnd
}

function checkedDocument(frame: Buffer, at: number, limit: number): number {
  try {
    return validateDocument(frame, at, limit)
  } catch (error) {
    throw new BadFrame((error as Error).message)
  }
}

/** Old drivers, and new ones in their first message, say hello in OP_QUERY; nothing else may come by it. */
function readOpQuery(frame: Buffer, requestId: number): Message {
  const nameEnd = frame.indexOf(0, HEADER_BYTES + 4)
  if (nameEnd === -1 || nameEnd + 9 > frame.length) throw new BadFrame('a cut query')
  const namespace = frame.toString('utf8', HEADER_BYTES + 4, nameEnd)
  if (!namespace.endsWith('.$cmd')) throw new BadFrame('a query that is no command')
  const start = nameEnd + 9
  const end = checkedDocument(frame, start, frame.length)
  const body = new RawValue(T.object, frame, start, end)
  const command = readCommand(body, new Map(), namespace.slice(0, -'.$cmd'.length))
  if (!['hello', 'isMaster', 'ismaster'].includes(command.name)) {
    throw new BadFrame(`the command ${command.name} in OP_QUERY`)
  }
  return { requestId, command, silent: false, legacy: true }
}

function readCommand(
  body: RawValue,
  sequences: ReadonlyMap<string, RawValue[]>,
  database: string | undefined,
): Command {
  const fields = new Map<string, RawValue>()
  let name: string | undefined
  for (const field of fieldsOf(body)) {
    name ??= field.name
    fields.set(field.name, field.value)
  }
  if (name === undefined) throw new BadFrame('an empty command')
  const named = fields.get('$db')
  return {
    name,
    database: database ?? (named?.type === T.string ? stringIn(named) : ''),
    body,
    fields,
    sequences,
  }
}

let nextRequestId = 1

/** The frame that answers a message. */
export function replyTo(message: Message, document: Buffer): Buffer {
  const writer = new ByteWriter(document.length + 36)
  writer.int32(0)
  writer.int32(nextRequestId++ | 0)
  writer.int32(message.requestId)
  if (message.legacy) {
    writer.int32(OP_REPLY)
    writer.int32(8)
    writer.int64(0n)
    writer.int32(0)
    writer.int32(1)
  } else {
    writer.int32(OP_MSG)
    writer.int32(0)
    writer.byte(0)
  }
  writer.bytes(document)
  writer.buffer.writeInt32LE(writer.length, 0)
  return writer.buffer.subarray(0, writer.length)
}
