/** Data changes: after so many uses a decision is made again. */
const USES = 1_000

const MAX_SHAPES = 1_000

/** Which of the candidates of a shape is read, and what it was expected to cost. */
export interface Decision {
  readonly position: number
  readonly keys: number
  uses: number
}

/** The decisions between the indexes of a collection, by the shape of the question. */
export class Decisions {
  readonly #byShape = new Map<string, Decision>()

  get size(): number {
    return this.#byShape.size
  }

  get(shape: string): Decision | undefined {
    const decision = this.#byShape.get(shape)
    if (!decision || decision.uses < USES) return decision
    this.#byShape.delete(shape)
    return undefined
  }

  set(shape: string, decision: Decision): void {
    if (this.#byShape.size >= MAX_SHAPES) this.#byShape.clear()
    this.#byShape.set(shape, decision)
  }

  /** Takes back a decision that turned out much dearer than expected. */
  learn(shape: string, examined: number): void {
    const decision = this.#byShape.get(shape)
    if (decision && examined > 1_000 + 10 * decision.keys) this.#byShape.delete(shape)
  }
}
