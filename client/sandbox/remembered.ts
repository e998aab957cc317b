/** What this browser keeps of its visitors, so that a phone is still theirs tomorrow. */
export interface Remembered {
  phones: { id: string; name: string; phone: string; chatId: number }[]
  active?: string
  theme?: Theme
}
export type Theme = 'light' | 'dark'

const KEY = 'nexus.sandbox'

export function remembered(): Remembered {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Remembered>
    const phones = Array.isArray(kept.phones) ? kept.phones.filter((one) => typeof one?.id === 'string') : []
    return { ...kept, phones }
  } catch {
    return { phones: [] }
  }
}

export function remember(change: Partial<Remembered>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...change }))
  } catch {
    // Private windows may keep nothing: the phones then last as long as the page.
  }
}
