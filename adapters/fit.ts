import {
  type Choice,
  type Content,
  type ContentType,
  choicesOf,
  isMedia,
  type ListContent,
  type MediaContent,
  type MediaType,
} from '../models/content.ts'
import type { Ability, Capabilities } from './capabilities.ts'

/**
 * How a content can leave on a channel. `is`: as it was written. `fallback`: as something else that says the same, and
 * `instead` tells people what becomes of it. `parts`: as several messages, in this order. Else a sentence that says why not.
 */
export type Fit =
  | { as: 'is'; content: Content }
  | { as: 'fallback'; content: Content; instead: string }
  | { as: 'parts'; contents: Content[] }
  | { as: 'refused'; reason: string }

const is = (content: Content): Fit => ({ as: 'is', content })
const refused = (reason: string): Fit => ({ as: 'refused', reason })

/** Decides before any adapter is called. What comes back as `is`, `fallback` or `parts` has no misfit. */
export function fit(content: Content, capabilities: Capabilities): Fit {
  const problem = misfit(content, capabilities)
  if (problem === null) return is(content)
  const parts = divided(content, capabilities)
  // A sound that takes no words is better heard, and they read, than both downloaded.
  const wordless = capabilities.content[content.type]?.maxLength === 0
  if (parts && wordless && isMedia(content) && misfit(withoutWords(content), capabilities) === null)
    return parts
  return fallenBack(content, capabilities) ?? parts ?? refused(problem)
}

/** Null where the content can be sent as it is, else the sentence that says why not. */
export function misfit(content: Content, capabilities: Capabilities): string | null {
  const ability = capabilities.content[content.type]
  if (!ability) return `This channel cannot carry ${NAMES[content.type]}.`
  const text = wordsOf(content)
  if (ability.maxLength === 0 && text) return `This channel carries no words with ${NAMES[content.type]}.`
  if (ability.maxLength !== undefined && text.length > ability.maxLength)
    return `Too long for this channel: ${text.length} characters, at most ${ability.maxLength}.`
  return fileMisfit(content, ability) ?? choicesMisfit(choicesOf(content), ability)
}

const wordsOf = (content: Content): string =>
  'text' in content ? content.text : 'caption' in content ? (content.caption ?? '') : ''

function fileMisfit(content: Content, ability: Ability): string | null {
  if (!isMedia(content) || content.file.state !== 'stored') return null
  const { mime, size } = content.file
  if (ability.maxBytes !== undefined && size > ability.maxBytes)
    return `Too large for this channel: ${megabytes(size)} MB, at most ${megabytes(ability.maxBytes)} MB.`
  if (ability.mime && !ability.mime.some((pattern) => mimeMatches(mime, pattern)))
    return `This channel cannot carry files of type ${mime}.`
  return null
}

function choicesMisfit(choices: Choice[], { maxChoices, maxTitle }: Ability): string | null {
  if (maxChoices !== undefined && choices.length > maxChoices)
    return `This channel offers at most ${maxChoices} choices.`
  const long = maxTitle === undefined ? undefined : choices.find(({ title }) => title.length > maxTitle)
  return long ? `A choice has at most ${maxTitle} characters here: “${long.title}” is longer.` : null
}

/** The same said in another way, the nearest first. */
function fallenBack(content: Content, capabilities: Capabilities): Fit | null {
  for (const [other, instead] of alternatives(content)) {
    if (misfit(other, capabilities) === null) return { as: 'fallback', content: other, instead }
  }
  return null
}

function alternatives(content: Content): [Content, string][] {
  switch (content.type) {
    case 'buttons':
    case 'quick-replies':
    case 'list':
      return [
        ...otherOffers(content.text, choicesOf(content), content),
        [numbered(content), 'a numbered text'],
      ]
    case 'location': {
      const { latitude, longitude, name, address } = content
      const link = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`
      return [[{ type: 'text', text: lines(name, address, link) }, 'a link to a map']]
    }
    case 'contact':
      return [[{ type: 'text', text: lines(content.name, ...content.phones) }, 'a text']]
    case 'template':
      return [[{ type: 'text', text: content.text }, 'its text']]
    case 'voice':
      return asOther(content, ['audio', 'document'])
    case 'sticker':
      return asOther(content, ['image', 'document'])
    case 'image':
    case 'audio':
    case 'video':
      return asOther(content, ['document'])
    default:
      return []
  }
}

const asOther = (content: MediaContent, types: MediaType[]): [Content, string][] =>
  types.map((type) => [{ ...content, type }, NAMES[type]])

function otherOffers(text: string, choices: Choice[], content: Content): [Content, string][] {
  const plain = choices.map(({ id, title }) => ({ id, title }))
  const offers: [Content, string][] = [
    [{ type: 'buttons', text, buttons: plain }, 'buttons'],
    [{ type: 'quick-replies', text, replies: plain }, 'quick replies'],
    [{ type: 'list', text, button: 'Choose', sections: [{ rows: plain }] }, 'a list'],
  ]
  return offers.filter(([{ type }]) => type !== content.type)
}

/** A menu in words: the contact answers with a number, which comes back as the choice (`models/offers.ts`). */
function numbered(content: Extract<Content, { type: 'buttons' | 'quick-replies' | 'list' }>): Content {
  let number = 0
  const line = ({ title, description }: Choice & { description?: string }) =>
    `${++number}. ${title}${description ? ` (${description})` : ''}`
  const sections: ListContent['sections'] =
    content.type === 'list' ? content.sections : [{ rows: choicesOf(content) }]
  const menu = sections.map((section) => lines(section.title, ...section.rows.map(line))).join('\n')
  return { type: 'text', text: `${content.text}\n\n${menu}` }
}

const lines = (...each: (string | undefined)[]): string => each.filter(Boolean).join('\n')

/** Several messages that say it together, where each of them fits. */
function divided(content: Content, capabilities: Capabilities): Fit | null {
  const contents =
    content.type === 'text'
      ? split(content.text, capabilities.content.text?.maxLength).map(
          (text): Content => ({ type: 'text', text }),
        )
      : isMedia(content) && content.caption
        ? captionApart(content, capabilities)
        : []
  return contents.length > 1 && contents.every((part) => misfit(part, capabilities) === null)
    ? { as: 'parts', contents }
    : null
}

const withoutWords = ({ caption: _, ...file }: MediaContent): MediaContent => file

function captionApart(content: MediaContent, capabilities: Capabilities): Content[] {
  const file = withoutWords(content)
  const words = fit({ type: 'text', text: content.caption ?? '' }, capabilities)
  const bare = fit(file, capabilities)
  if (words.as === 'refused' || bare.as === 'refused' || bare.as === 'parts') return []
  return [bare.content, ...(words.as === 'parts' ? words.contents : [words.content])]
}

/** Longer than a customer wants to read; also a bound on what one click may cost. */
const MAX_PARTS = 10

/** Cuts at the end of a paragraph, else of a line, else of a word, and never inside a character. */
export function split(text: string, most: number | undefined): string[] {
  if (most === undefined || text.length <= most) return [text]
  const parts: string[] = []
  let rest = text
  while (rest.length > most) {
    const at = cutAt(rest, most)
    parts.push(rest.slice(0, at).trimEnd())
    rest = rest.slice(at).trimStart()
    if (parts.length === MAX_PARTS) return []
  }
  return [...parts, rest].filter((part) => part !== '')
}

function cutAt(text: string, most: number): number {
  const head = text.slice(0, most + 1)
  for (const boundary of ['\n\n', '\n', ' ']) {
    const at = head.lastIndexOf(boundary)
    if (at > most / 2) return at
  }
  const before = text.charCodeAt(most - 1)
  return before >= 0xd800 && before <= 0xdbff ? most - 1 : most
}

const mimeMatches = (mime: string, pattern: string): boolean =>
  pattern.endsWith('/*') ? mime.startsWith(pattern.slice(0, -1)) : mime === pattern

const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(1)

const NAMES: Record<ContentType, string> = {
  text: 'text',
  image: 'pictures',
  audio: 'audio files',
  voice: 'voice messages',
  video: 'videos',
  document: 'documents',
  sticker: 'stickers',
  location: 'locations',
  contact: 'contact cards',
  buttons: 'buttons',
  'quick-replies': 'quick replies',
  list: 'lists',
  template: 'templates',
  choice: 'choices of the contact’s',
  reaction: 'reactions',
  edit: 'edits',
  deletion: 'taking a message back',
  unsupported: 'this kind of message',
}
