/** Waits until `look` stops throwing and returns something other than undefined, null or false; then returns that. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  withinMs = 20_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + withinMs
  for (;;) {
    let failure: unknown = new Error('nothing came of it in time')
    try {
      const seen = await look()
      if (seen !== undefined && seen !== null && seen !== false) return seen as NonNullable<Exclude<T, false>>
    } catch (error) {
      failure = error
    }
    if (performance.now() > deadline) throw failure
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
