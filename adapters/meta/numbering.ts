import type { ProviderMessageId } from '../../models/ids.ts'

/**
 * Several of our messages may come of one of Meta's: the first carries its name, as statuses and replies know it, the
 * others a number behind it. No name of Meta's has a `#`.
 */
export const numbered = (name: string, index: number): ProviderMessageId =>
  (index === 0 ? name : `${name}#${index}`) as ProviderMessageId

/** Meta's own name for a message. */
export const unnumbered = (name: ProviderMessageId): string => name.split('#', 1)[0] ?? name
