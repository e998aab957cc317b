/** Puts a path below a base address, whether or not the base ends in a slash. */
export const below = (base: string, path: string): string => `${base.replace(/\/+$/, '')}/${path}`

/** Whether an address belongs to a base: the same origin, and a path under the base's. */
export function isBelow(address: string, base: string): boolean {
  if (!URL.canParse(address) || !URL.canParse(base)) return false
  const [inner, outer] = [new URL(address), new URL(below(base, ''))]
  return inner.origin === outer.origin && inner.pathname.startsWith(outer.pathname)
}
