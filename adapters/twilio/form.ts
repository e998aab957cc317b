/** `application/x-www-form-urlencoded`, as Twilio reads and writes it: `+` is a space, UTF-8, empty values kept. */

export const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Repeats a name for each value of a list; leaves out what is undefined. */
export function formOf(fields: Record<string, string | readonly string[] | undefined>): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields))
    for (const one of value === undefined ? [] : [value].flat()) form.append(name, one)
  return form.toString()
}

/** The pairs of a form; undefined where a pair is no `name=value`, as Twilio never leaves the `=` out. */
export function pairsOf(body: Uint8Array | string): URLSearchParams | undefined {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  if (text !== '' && !text.split('&').every((pair) => pair.indexOf('=') > 0)) return undefined
  return new URLSearchParams(text)
}
