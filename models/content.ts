import type { MediaId, MessageId } from './ids.ts'

/** What a file is to the person who sees it. */
export const MEDIA_TYPES = ['image', 'audio', 'voice', 'video', 'document', 'sticker'] as const
export type MediaType = (typeof MEDIA_TYPES)[number]

/** A file: still at the provider, kept by us, or not to be had. */
export type MediaFile =
  | { state: 'pending'; reference: string; name?: string; mime?: string; size?: number }
  | { state: 'stored'; id: MediaId; name: string; mime: string; size: number }
  | { state: 'failed'; reference: string; name?: string; mime?: string; reason: string }

export interface TextContent {
  type: 'text'
  text: string
}
export interface MediaContent {
  type: MediaType
  file: MediaFile
  caption?: string
}
/** Degrees, WGS 84. */
export interface LocationContent {
  type: 'location'
  latitude: number
  longitude: number
  name?: string
  address?: string
}
export interface ContactContent {
  type: 'contact'
  name: string
  phones: string[]
}
/** An agent's emoji on a message of this conversation; an empty emoji takes it back. */
export interface ReactionContent {
  type: 'reaction'
  message: MessageId
  emoji: string
}
/** An agent's new words for a message already sent. */
export interface EditContent {
  type: 'edit'
  message: MessageId
  text: string
}
/** Something the provider has and we do not: kept, and shown with the provider's own name for it. */
export interface UnsupportedContent {
  type: 'unsupported'
  kind: string
}

/** What a message says. Add a kind here and the compiler names every place that must learn it. */
export type Content =
  | TextContent
  | MediaContent
  | LocationContent
  | ContactContent
  | ReactionContent
  | EditContent
  | UnsupportedContent

export type ContentType = Content['type']

const MEDIA_NAMES: Record<MediaType, string> = {
  image: 'Picture',
  audio: 'Audio',
  voice: 'Voice message',
  video: 'Video',
  document: 'Document',
  sticker: 'Sticker',
}

export const isMedia = (content: Content): content is MediaContent => content.type in MEDIA_NAMES

/** One line that stands for the content in a list, at most 140 characters. */
export function previewOf(content: Content): string {
  switch (content.type) {
    case 'text':
      return clip(content.text)
    case 'location':
      return clip(content.name ?? 'Location')
    case 'contact':
      return clip(`Contact: ${content.name}`)
    case 'reaction':
      return content.emoji ? `Reacted ${content.emoji}` : 'Took a reaction back'
    case 'edit':
      return clip(`Edited: ${content.text}`)
    case 'unsupported':
      return `Unsupported: ${clip(content.kind)}`
    default:
      return clip(
        content.caption ||
          (content.type === 'document' ? content.file.name : '') ||
          MEDIA_NAMES[content.type],
      )
  }
}

const clip = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 140 ? `${line.slice(0, 139)}…` : line
}
