import { createHash } from 'node:crypto'
import { BSON } from 'mongodb'
import {
  bytesOf,
  documentOf,
  fieldsOf,
  get,
  itemsOf,
  type RawValue,
} from '../../../../server/embedded/bson/raw.ts'
import { isNumberType, T } from '../../../../server/embedded/bson/types.ts'
import { numberIn } from '../../../../server/embedded/bson/values.ts'
import { keyOf } from '../../../../server/embedded/indexes/key-encoding.ts'
import { DATABASE, type Step } from './random-commands.ts'
import type { RawConnection } from './raw-connection.ts'

/** What a server answered to a step: the whole of it, as one value, when it has several batches. */
export interface Answer {
  /** What is compared: everything but texts for people and numbers a server is free to choose. */
  readonly bytes: Buffer
  /** Zero, or the code of a refusal. */
  readonly code: number
  readonly replies: readonly Buffer[]
}

/** The BSON of a command for a database. */
export const encodeCommand = (command: object): Uint8Array => BSON.serialize({ ...command, $db: DATABASE })

/** Runs a step, and its cursor to the end. */
export async function ask(wire: RawConnection, step: Step, command: Uint8Array): Promise<Answer> {
  const replies = [await wire.run(command)]
  for (let cursor = cursorIn(replies[0]); cursor; cursor = cursorIn(replies.at(-1))) {
    if (step.command.singleBatch === true) break
    const collection = step.command.find ?? step.command.aggregate
    replies.push(await wire.run(encodeCommand({ getMore: cursor, collection, batchSize: 3 })))
  }
  return answerFrom(step, replies)
}

function cursorIn(reply: Buffer | undefined): bigint | undefined {
  const cursor = reply && get(documentOf(reply), 'cursor')
  const id = cursor && get(cursor, 'id')
  const number = id ? BigInt(numberIn(id)) : 0n
  return number === 0n ? undefined : number
}

function answerFrom(step: Step, replies: readonly Buffer[]): Answer {
  const parts: Uint8Array[] = []
  for (const reply of replies) {
    const code = codeOf(documentOf(reply))
    if (code !== 0) return { bytes: Buffer.from(`code ${code}`), code, replies }
    parts.push(...comparable(step, documentOf(reply)))
  }
  if (!step.ordered) parts.sort((a, b) => Buffer.compare(a, b))
  return { bytes: Buffer.concat(parts), code: 0, replies }
}

const numberOf = (value: RawValue | undefined): number =>
  value && isNumberType(value.type) ? Number(numberIn(value)) : -1

function codeOf(reply: RawValue): number {
  if (numberOf(get(reply, 'ok')) === 1) return 0
  return numberOf(get(reply, 'code'))
}

/** The parts of an answer that have to be equal, each as bytes. */
function comparable(step: Step, reply: RawValue): Buffer[] {
  const [name] = Object.keys(step.command)
  switch (name) {
    case 'find':
    case 'aggregate': {
      const cursor = get(reply, 'cursor')
      const batch = cursor && (get(cursor, 'firstBatch') ?? get(cursor, 'nextBatch'))
      return batch ? itemsOf(batch).map(bytesWithType) : []
    }
    case 'distinct': {
      // Values that are equal are one; which of them is named is not said.
      const values = get(reply, 'values')
      return values ? itemsOf(values).map((value) => keyOf(value)) : []
    }
    case 'count':
      return [Buffer.from(`n ${numberOf(get(reply, 'n'))}`)]
    case 'findAndModify':
      return [...outcomeOf(get(reply, 'lastErrorObject')), ...valueIn(get(reply, 'value'))]
    default:
      return writeOutcome(reply)
  }
}

const bytesWithType = (value: RawValue): Buffer =>
  Buffer.concat([Buffer.from([value.type]), value.bytes.subarray(value.start, value.end)])

const valueIn = (value: RawValue | undefined): Buffer[] =>
  value && value.type !== T.null ? [bytesWithType(value)] : [Buffer.from('null')]

function outcomeOf(last: RawValue | undefined): Buffer[] {
  if (!last) return []
  const upserted = get(last, 'upserted')
  return [
    Buffer.from(`n ${numberOf(get(last, 'n'))}`),
    ...(upserted ? [Buffer.from('upserted'), bytesWithType(upserted)] : []),
  ]
}

function writeOutcome(reply: RawValue): Buffer[] {
  // Beside errors the other server's door answers numbers by their value only.
  const errors = writeErrorsOf(reply)
  const parts: Buffer[] = [
    Buffer.from(`n ${numberOf(get(reply, 'n'))} modified ${numberOf(get(reply, 'nModified'))}`),
  ]
  const upserted = get(reply, 'upserted')
  for (const each of upserted ? itemsOf(upserted) : []) {
    const id = get(each, '_id')
    parts.push(
      Buffer.from(`upserted ${numberOf(get(each, 'index'))}`),
      ...(id ? [errors.length > 0 ? keyOf(id) : bytesWithType(id)] : []),
    )
  }
  for (const error of errors) parts.push(Buffer.from(`error ${error.index} ${error.code}`))
  return parts
}

/** The failed writes of an answer. */
export function writeErrorsOf(reply: RawValue): { index: number; code: number; message: string }[] {
  const errors = get(reply, 'writeErrors')
  return (errors ? itemsOf(errors) : []).map((error) => ({
    index: numberOf(get(error, 'index')),
    code: numberOf(get(error, 'code')),
    message: messageIn(error),
  }))
}

export function messageIn(reply: RawValue): string {
  const message = fieldsOf(reply).find((field) => field.name === 'errmsg')?.value
  return message ? message.bytes.toString('utf8', message.start + 4, message.end - 1) : ''
}

/** Two bytes that stand for an answer; never zero, which stands for an answer that is not compared. */
export function digestOf(answer: Answer): number {
  return createHash('sha1').update(answer.bytes).digest().readUInt16LE(0) || 1
}

/** Where two answers differ, for people. */
export function contrast(ours: Answer, theirs: Answer): string {
  const left = ours.replies.flatMap(linesOf)
  const right = theirs.replies.flatMap(linesOf)
  const only = (lines: string[], others: string[]) =>
    lines.filter((line) => !others.includes(line)).slice(0, 4)
  return [
    ...only(left, right).map((line) => `  ours   ${line}`),
    ...only(right, left).map((line) => `  theirs ${line}`),
    ...(only(left, right).length + only(right, left).length === 0
      ? [`  ours in another order: ${left.join(' ')}`]
      : []),
  ].join('\n')
}

/** A reply as lines: one for each document it carries. */
export function linesOf(reply: Buffer): string[] {
  const cursor = get(documentOf(reply), 'cursor')
  const batch = cursor && (get(cursor, 'firstBatch') ?? get(cursor, 'nextBatch'))
  return batch ? itemsOf(batch).map((each) => text(bytesOf(each))) : [text(reply)]
}

const text = (bytes: Uint8Array): string =>
  BSON.EJSON.stringify(BSON.deserialize(bytes, { promoteValues: false }), { relaxed: false })
    .replace(/\{"\$number(Int|Long|Double)":"([^"]*)"\}/g, (_, kind, number) => `${number}${kind[0]}`)
    .slice(0, 1200)
