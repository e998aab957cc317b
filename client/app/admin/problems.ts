import { problemOf } from '../api/http.ts'
import { text } from '../text.ts'

/** A refusal as a form shows it: each field's own word beside it, the rest above the button. */
export function problemsOf(error: unknown): { words: string; fields: Record<string, string> } {
  const problem = problemOf(error)
  const fields = Object.fromEntries(
    (problem?.errors ?? []).map(({ field, message }) => [field.split('.').at(-1) ?? field, message]),
  )
  const words = Object.keys(fields).length ? text.admin.lookAtFields : (problem?.detail ?? text.unreachable)
  return { words, fields }
}
