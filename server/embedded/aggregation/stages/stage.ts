import { fieldsOf, type RawValue } from '../../bson/raw.ts'
import { isNumberType, T } from '../../bson/types.ts'
import { CommandError } from '../../errors.ts'
import type { Documents } from '../../query/select.ts'
import { int64Of } from '../numbers.ts'

/** A stage of a pipeline: its name and its operand. */
export interface Stage {
  readonly name: string
  readonly operand: RawValue
}

/** A compiled stage: what goes in comes out changed, portion by portion where the stage allows it. */
export type Transform = (source: Documents) => Documents

/** Splits a pipeline into stages. */
export function parseStages(stages: readonly RawValue[]): Stage[] {
  return stages.map((stage) => {
    if (stage.type !== T.object) {
      throw new CommandError(14, "Each element of the 'pipeline' array must be an object")
    }
    const [first, ...others] = fieldsOf(stage)
    if (!first || others.length > 0) {
      throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.')
    }
    return { name: first.name, operand: first.value }
  })
}

/** A stage that makes of each document none, one or several. */
export const perDocument = (make: (bytes: Buffer) => Buffer | Iterable<Buffer> | undefined): Transform =>
  async function* (source) {
    for await (const batch of source) {
      const made: Buffer[] = []
      for (const bytes of batch) {
        const result = make(bytes)
        if (result === undefined) continue
        if (Buffer.isBuffer(result)) made.push(result)
        else for (const each of result) made.push(each)
      }
      if (made.length > 0) yield made
    }
  }

const PORTION = 1000

/** Documents that are all there, in portions. */
export async function* inPortions(documents: readonly Buffer[]): Documents {
  for (let at = 0; at < documents.length; at += PORTION) yield documents.slice(at, at + PORTION)
}

/** All documents of a source, at most so many bytes of them. */
export async function gather(source: Documents, add: (bytes: number) => void): Promise<Buffer[]> {
  const all: Buffer[] = []
  for await (const batch of source) {
    for (const bytes of batch) {
      add(bytes.length + 50)
      all.push(bytes)
    }
  }
  return all
}

/** A whole number that is not negative, as `$limit` and `$skip` take it. */
export function countOperand(operand: RawValue, stage: string, code: number): number {
  const given = isNumberType(operand.type) ? int64Of(operand) : undefined
  if (given === undefined)
    throw new CommandError(code, `invalid argument to ${stage} stage: Expected an integer`)
  if (given < 0n)
    throw new CommandError(
      code,
      `invalid argument to ${stage} stage: Expected a non-negative number in: ${stage}: ${given}`,
    )
  return Number(given)
}

/** The operand of a stage that has to be a document. */
export function objectOperand(operand: RawValue, code: number, message: string): RawValue {
  if (operand.type !== T.object) throw new CommandError(code, message)
  return operand
}
