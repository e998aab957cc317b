const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const exactClock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

export const timeOf = (at: string | Date): string => clock.format(new Date(at))
export const exactTimeOf = (at: string): string => exactClock.format(new Date(at))
export const dayOf = (at: string): string => day.format(new Date(at))

/** `3.4 MB`, `12 KB`. */
export function sizeOf(bytes: number): string {
  if (bytes >= 1_048_576) return `${(bytes / 1_048_576).toFixed(1)} MB`
  return `${Math.max(1, Math.round(bytes / 1024))} KB`
}

/** Two letters that stand for a name. */
export function initialsOf(name: string): string {
  const [first = '', second = ''] = name.trim().split(/\s+/)
  return ([...first].slice(0, 1).join('') + [...second].slice(0, 1).join('')).toUpperCase() || '?'
}

/** A colour that stays with a name: one of eight, by the class that ends in it. */
export function hueOf(name: string): number {
  let sum = 0
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 997
  return sum % 8
}

/** `+1 202 555 0123`. */
export const phoneOf = (phone: string): string => phone.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '+1 $1 $2 $3')
