import { decode, decodeDocument, encodeDocument, type Plain } from '../bson/plain.ts'
import { fieldsOf, type RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import { runStages } from './stages.ts'

const ALLOWED = new Set(['$set', '$addFields', '$unset', '$project', '$replaceRoot', '$replaceWith'])

/** The document after an update by pipeline. */
export function applyPipeline(
  before: Buffer,
  stages: readonly RawValue[],
  variables: Plain,
  now: number,
): Buffer {
  for (const stage of stages) {
    const name = fieldsOf(stage)[0]?.name ?? ''
    if (!ALLOWED.has(name)) {
      throw new CommandError(72, `${name} is not allowed to be used within an update`)
    }
  }
  const [after] = runStages([decodeDocument(before)], stages.map(decode) as Plain[], variables, now)
  if (!after) throw new CommandError(1, 'the update made no document')
  return encodeDocument(after)
}
