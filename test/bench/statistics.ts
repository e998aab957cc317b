/** The middle one; of an even count, the higher of the two in the middle. */
export function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** `12.3 (11.9–14.0)`: the median, and what lies around it. */
export function spread(values: number[], digits = 1): string {
  const shown = (value: number) => value.toFixed(digits)
  if (values.length === 1) return shown(median(values))
  return `${shown(median(values))} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`
}

/** Floor and product take turns, F-P-P-F-F-P, so that whatever the machine does besides falls on both. */
export function* turns(repeats: number): Generator<'floor' | 'product'> {
  for (let round = 0; round < repeats; round++)
    yield* round % 2 === 0 ? (['floor', 'product'] as const) : (['product', 'floor'] as const)
}
