import type { Choice, ChoiceContent, Content } from './content.ts'

/** A choice that comes back by its words alone, or by its place, is the one that says so. */
function named(choice: ChoiceContent, offered: Choice[]): Content {
  if (offered.some(({ id }) => id === choice.id)) return choice
  const meant = offered.find(({ title }) => title === choice.title)
  return meant ? { ...choice, id: meant.id } : choice
}

/**
 * What a contact's words mean where they were offered a choice: on a channel without buttons the menu went out as numbered
 * lines, and they answer with the number or the words. Anything else is what it is.
 */
export function understood(content: Content, offered: Choice[] | undefined): Content {
  if (!offered) return content
  if (content.type === 'choice') return named(content, offered)
  if (content.type !== 'text') return content
  const said = content.text.trim()
  const number = /^\d{1,2}[.)]?$/.test(said) ? Number.parseInt(said, 10) : Number.NaN
  const picked =
    offered[number - 1] ?? offered.find(({ title }) => title.toLowerCase() === said.toLowerCase())
  return picked ? { type: 'choice', id: picked.id, title: picked.title } : content
}
