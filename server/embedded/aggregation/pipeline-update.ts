import { encodeLike, type Plain } from '../bson/plain.ts'
import type { RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import { type Flow, parseStages, plainIn, runPure } from './stages.ts'

const ALLOWED = new Set(['$set', '$addFields', '$unset', '$project', '$replaceRoot', '$replaceWith'])

/** The document after an update by pipeline. */
export function applyPipeline(before: Buffer, stages: readonly RawValue[], variables: Plain): Buffer {
  let flow: Flow = { bytes: [before] }
  for (const stage of parseStages(stages)) {
    if (!ALLOWED.has(stage.name)) {
      throw new CommandError(72, `${stage.name} is not allowed to be used within an update`)
    }
    flow = runPure(flow, stage, variables)
  }
  const [after] = plainIn(flow)
  if (!after) throw new CommandError(1, 'the update made no document')
  return encodeLike(after, before)
}
