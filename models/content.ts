import type { MediaId, MessageId } from './ids.ts'

/** What a file is to the person who sees it. */
export const MEDIA_TYPES = ['image', 'audio', 'voice', 'video', 'document', 'sticker'] as const
export type MediaType = (typeof MEDIA_TYPES)[number]

/** A file: still at the provider, kept by us, or not to be had. */
export type MediaFile =
  | { state: 'pending'; reference: string; name?: string; mime?: string; size?: number }
  | { state: 'stored'; id: MediaId; name: string; mime: string; size: number }
  | { state: 'failed'; reference: string; name?: string; mime?: string; reason: string }

/** How a stretch of a text looks. Offsets are UTF-16 units, `end` not included; marks may nest and never cross. */
export interface Mark {
  kind: 'bold' | 'italic' | 'underline' | 'strike' | 'code' | 'pre' | 'quote' | 'spoiler' | 'link'
  start: number
  end: number
  /** Of a link. */
  url?: string
}
/** The words alone, and beside them how they look: a channel without formatting shows the words and loses nothing. */
export interface TextContent {
  type: 'text'
  text: string
  marks?: Mark[]
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
/** Something the contact may pick. `id` comes back with the choice. */
export interface Choice {
  id: string
  title: string
}
/** Up to a few answers under a text; they stay. */
export interface ButtonsContent {
  type: 'buttons'
  text: string
  buttons: Choice[]
}
/** Answers above the keyboard; they go away once one is picked. */
export interface QuickRepliesContent {
  type: 'quick-replies'
  text: string
  replies: Choice[]
}
/** Answers in a menu that `button` opens. */
export interface ListContent {
  type: 'list'
  text: string
  button: string
  sections: { title?: string; rows: (Choice & { description?: string })[] }[]
}
/** A text the provider approved beforehand, with its blanks filled. `text` is what the contact will read. */
export interface TemplateContent {
  type: 'template'
  name: string
  language: string
  parameters: string[]
  /** What the blanks are called, in the order of `parameters`, where the template names them instead of numbering them. */
  names?: string[]
  text: string
}
/** What the contact picked of what they were offered. */
export interface ChoiceContent {
  type: 'choice'
  id: string
  title: string
}
/** An agent takes a message of ours back, for the contact too. */
export interface DeletionContent {
  type: 'deletion'
  message: MessageId
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
  | ButtonsContent
  | QuickRepliesContent
  | ListContent
  | TemplateContent
  | ChoiceContent
  | ReactionContent
  | EditContent
  | DeletionContent
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

/** What a message lets the contact pick, in the order shown; empty where it offers nothing. */
export function choicesOf(content: Content): Choice[] {
  switch (content.type) {
    case 'buttons':
      return content.buttons
    case 'quick-replies':
      return content.replies
    case 'list':
      return content.sections.flatMap(({ rows }) => rows)
    default:
      return []
  }
}

/** Content that is about an earlier message and adds no line of its own for the contact. */
export const isAboutAnother = (
  content: Content,
): content is ReactionContent | EditContent | DeletionContent =>
  content.type === 'reaction' || content.type === 'edit' || content.type === 'deletion'

/** One line that stands for the content in a list, at most 140 characters. */
export function previewOf(content: Content): string {
  switch (content.type) {
    case 'text':
    case 'buttons':
    case 'quick-replies':
    case 'list':
    case 'template':
      return clip(content.text)
    case 'choice':
      return clip(content.title)
    case 'location':
      return clip(content.name ?? 'Location')
    case 'contact':
      return clip(`Contact: ${content.name}`)
    case 'reaction':
      return content.emoji ? `Reacted ${content.emoji}` : 'Took a reaction back'
    case 'edit':
      return clip(`Edited: ${content.text}`)
    case 'deletion':
      return 'Took a message back'
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
