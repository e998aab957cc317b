import type { RawValue } from '../../bson/raw.ts'
import { CommandError } from '../../errors.ts'
import type { Compiler, Expression, Scope } from '../expressions/expression.ts'

/** What is known of the values so far; no accumulation keeps more than its result needs. */
export interface Accumulation {
  add(value: RawValue | undefined): void
  /** The result so far; more may be added afterwards. */
  result(): RawValue | undefined
}

/** An accumulator of a group or a window, compiled. */
export interface Accumulator {
  /** What of each document is accumulated. */
  readonly input: Expression
  /** Begins with nothing; the scope's document is the group's `_id`. */
  begin(meter: Meter, scope: Scope): Accumulation
}

/** Compiles the operand of an accumulator. */
export type AccumulatorCompiler = (operand: RawValue, compiler: Compiler, name: string) => Accumulator

const MEMORY_LIMIT_BYTES = 100 * 1024 * 1024

/** Counts what a stage holds in memory, and refuses more than MongoDB lets a stage hold. */
export class Meter {
  readonly #refusal: () => CommandError
  #used = 0

  constructor(refusal: () => CommandError) {
    this.#refusal = refusal
  }

  add(bytes: number): void {
    this.#used += bytes
    if (this.#used > MEMORY_LIMIT_BYTES) throw this.#refusal()
  }
}

/** The refusal of a stage whose memory is full. */
export const exceeded = (stage: string) => (): CommandError =>
  new CommandError(
    292,
    `Exceeded memory limit for ${stage}, but didn't allow external sort: 104857600 bytes are the limit of the embedded store.`,
  )
