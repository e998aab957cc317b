import type { Content } from '../../../models/content.ts'
import { plain } from '../design/plain.ts'
import { text } from '../text.ts'

/** A line that stands for a message, in a quote or spoken aloud. */
export const previewOf = (content: Content): string => plain(wordsOf(content))

function wordsOf(content: Content): string {
  switch (content.type) {
    case 'text':
      return content.text
    case 'buttons':
    case 'quick-replies':
    case 'list':
    case 'template':
      return content.text
    case 'choice':
      return content.title
    case 'deletion':
      return text.message.tookBack
    case 'location':
      return content.name ?? text.message.location
    case 'contact':
      return content.name
    case 'reaction':
      return text.message.reacted(content.emoji)
    case 'edit':
      return text.message.editing(content.text)
    case 'unsupported':
      return text.message.unsupported(content.kind)
    case 'image':
      return content.caption || text.message.picture
    case 'sticker':
      return text.message.sticker
    case 'video':
      return content.caption || text.message.video
    case 'audio':
      return content.caption || text.message.audio
    case 'voice':
      return text.message.voice
    case 'document':
      return content.caption || content.file.name || text.message.document
  }
}
