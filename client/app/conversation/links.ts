export interface Part {
  text: string
  href?: string
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/giu
/** Ends a sentence rather than the address before it. */
const TAIL = /[.,;:!?)\]}»”’]+$/u

/** A text cut at its web addresses. Only http and https become links, whatever else looks like one. */
export function wordsOf(text: string): Part[] {
  const parts: Part[] = []
  let done = 0
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = found.includes('(') ? found : found.replace(TAIL, '')
    const href = hrefOf(address)
    if (!href) continue
    if (index > done) parts.push({ text: text.slice(done, index) })
    parts.push({ text: address, href })
    done = index + address.length
  }
  if (done < text.length) parts.push({ text: text.slice(done) })
  return parts
}

function hrefOf(address: string): string | null {
  try {
    const { protocol, href } = new URL(address)
    return protocol === 'http:' || protocol === 'https:' ? href : null
  } catch {
    return null
  }
}
