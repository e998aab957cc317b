import type { Content, ContentType } from '../models/content.ts'

/** A kind of content a channel takes, with its limits. What a sheet does not name is refused. */
export interface Ability {
  /** Longest text or caption, in UTF-16 units. */
  maxLength?: number
  /** Largest file, in bytes. */
  maxBytes?: number
  /** File types, as exact MIME types or `image/*`. */
  mime?: string[]
}

/** What one provider can do on one channel: starts from nothing, and travels to the composer as it is. */
export interface Capabilities {
  content: Partial<Record<ContentType, Ability>>
  replies: boolean
  typing: boolean
  /** Receipts that come back after `sent`. */
  receipts: { delivered: boolean; read: boolean }
  /** How text is counted and priced; null where a message is a message. */
  segments: 'sms' | null
}

/** Null where the content can be sent as it is, else the sentence that says why not. */
export function misfit(content: Content, capabilities: Capabilities): string | null {
  const ability = capabilities.content[content.type]
  if (!ability) return `This channel cannot carry ${NAMES[content.type]}.`
  const text = 'text' in content ? content.text : 'caption' in content ? (content.caption ?? '') : ''
  if (ability.maxLength !== undefined && text.length > ability.maxLength)
    return `Too long for this channel: ${text.length} characters, at most ${ability.maxLength}.`
  if ('file' in content && content.file.state === 'stored') {
    const { mime, size } = content.file
    if (ability.maxBytes !== undefined && size > ability.maxBytes)
      return `Too large for this channel: ${megabytes(size)} MB, at most ${megabytes(ability.maxBytes)} MB.`
    if (ability.mime && !ability.mime.some((pattern) => mimeMatches(mime, pattern)))
      return `This channel cannot carry files of type ${mime}.`
  }
  return null
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
  reaction: 'reactions',
  edit: 'edits',
  unsupported: 'this kind of message',
}
