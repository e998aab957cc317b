import fc from 'fast-check'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** What a provider would never send in a field's place, and an attacker would. */
const HOSTILE: Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  'x',
  '\u0000',
  [],
  [null],
  {},
  { $gt: '' },
  { toString: 1 },
  'ä'.repeat(10_000),
]

/** The JSON with one place removed, replaced or polluted. */
export function jsonMutation(text: string): fc.Arbitrary<string> {
  const places = pathsOf(JSON.parse(text) as Json)
  return fc
    .tuple(
      fc.constantFrom(...places),
      fc.oneof(fc.constantFrom('remove', 'pollute'), fc.constantFrom(...HOSTILE.keys())),
    )
    .map(([path, change]) => mutated(text, path, change))
}

function mutated(text: string, path: (string | number)[], change: string | number): string {
  const root = { root: JSON.parse(text) as Json }
  const full = ['root', ...path]
  const last = full[full.length - 1] ?? 'root'
  const parent = full.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root)
  const holder = parent as Record<string | number, Json>
  if (change === 'remove') delete holder[last]
  else if (change === 'pollute') {
    // An own key of that name, as JSON.parse makes it.
    const marker = '"polluted-here":0'
    holder[last] = { 'polluted-here': 0 }
    return (JSON.stringify(root.root) ?? '').replace(
      marker,
      '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}',
    )
  } else holder[last] = HOSTILE[change as number] ?? null
  return JSON.stringify(root.root) ?? ''
}

function pathsOf(value: Json, at: (string | number)[] = []): (string | number)[][] {
  const children =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, child]) =>
          pathsOf(child, [...at, Array.isArray(value) ? Number(key) : key]),
        )
      : []
  return [at, ...children]
}
