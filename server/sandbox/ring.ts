/** The last few of many, by key, oldest first: what keeps a simulator's memory bounded. */
export class Ring<K, V> {
  readonly #map = new Map<K, V>()
  readonly #capacity: number
  readonly #evicted: ((value: V) => void) | undefined

  constructor(capacity: number, evicted?: (value: V) => void) {
    this.#capacity = capacity
    this.#evicted = evicted
  }

  set(key: K, value: V): void {
    this.#map.set(key, value)
    if (this.#map.size <= this.#capacity) return
    const oldest = this.#map.entries().next().value
    if (oldest) this.delete(oldest[0])
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  delete(key: K): void {
    const value = this.#map.get(key)
    this.#map.delete(key)
    if (value !== undefined) this.#evicted?.(value)
  }

  clear(): void {
    for (const key of [...this.#map.keys()]) this.delete(key)
  }

  values(): V[] {
    return [...this.#map.values()]
  }

  /** The last ones, oldest first. */
  last(count: number): V[] {
    return this.values().slice(-count)
  }

  get size(): number {
    return this.#map.size
  }
}
