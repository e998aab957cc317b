import type { Plain } from '../bson/plain.ts'
import type { RawValue } from '../bson/raw.ts'
import { CommandError } from '../errors.ts'
import { compilerFor } from './expressions/compile.ts'
import { reshapeNamed } from './stages/project.ts'
import { parseStages } from './stages/stage.ts'

/** The document after an update by pipeline. */
export function applyPipeline(before: Buffer, stages: readonly RawValue[], variables: Plain): Buffer {
  return compilePipeline(stages, variables)(before)
}

/** Compiles an update by pipeline. */
export function compilePipeline(stages: readonly RawValue[], variables: Plain): (before: Buffer) => Buffer {
  const compiler = compilerFor(variables)
  const compiled = parseStages(stages).map(({ name, operand }) => {
    const compile = reshapeNamed(name)
    if (!compile) throw new CommandError(72, `${name} is not allowed to be used within an update`)
    return compile(operand, compiler, name)
  })
  return (before) => compiled.reduce((bytes, reshape) => reshape(bytes), before)
}
