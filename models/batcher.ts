/**
 * Turns many small writes that arrive together into one: while a batch is under way the next one gathers. A caller alone
 * waits for nobody; a thousand at once share a handful of round trips.
 */
export class Batcher<T, R> {
  readonly #run: (items: T[]) => Promise<R[]>
  readonly #max: number
  #waiting: { item: T; resolve: (result: R) => void; reject: (error: unknown) => void }[] = []
  #underway = 0
  readonly #lanes: number

  /**
   * @param run does the work for a batch; its results are in the items' order
   * @param max items in one batch
   * @param lanes batches under way at once
   */
  constructor(
    run: (items: T[]) => Promise<R[]>,
    { max = 500, lanes = 2 }: { max?: number; lanes?: number } = {},
  ) {
    this.#run = run
    this.#max = max
    this.#lanes = lanes
  }

  /** Items that wait for a batch. */
  get waiting(): number {
    return this.#waiting.length
  }

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (this.#underway < this.#lanes) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    this.#underway++
    try {
      // What else arrives in this turn of the event loop comes along.
      await new Promise((resolve) => setImmediate(resolve))
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0, this.#max)
        try {
          const results = await this.#run(batch.map(({ item }) => item))
          for (const [index, { resolve }] of batch.entries()) resolve(results[index] as R)
        } catch (error) {
          for (const { reject } of batch) reject(error)
        }
      }
    } finally {
      this.#underway--
    }
  }
}
