import { fromMarkup } from '../../../../adapters/whatsapp/markup.ts'
import { fileView, kindOfFile } from '../../files.ts'
import type { BubbleContent } from '../../protocol.ts'
import type { Stage } from '../../stage.ts'
import { badParameter } from '../errors.ts'
import type { Send } from './shapes.ts'
import { templateContent } from './templates.ts'

/** A message of the product's as the phone shows it; null for a reaction, which shows on another. @throws GraphRefusal */
export function contentOf(send: Send, stage: Stage): BubbleContent | null {
  switch (send.type) {
    case 'text':
      return fromMarkup(send.text.body)
    case 'image':
      return fileContent(send.image, stage)
    case 'video':
      return fileContent(send.video, stage)
    case 'audio':
      return fileContent(send.audio, stage, send.audio.voice ? 'voice' : 'audio')
    case 'document':
      return fileContent(send.document, stage, 'document')
    case 'sticker':
      return fileContent(send.sticker, stage)
    case 'location': {
      const { latitude, longitude, name } = send.location
      return { type: 'location', latitude, longitude, ...(name && { name }) }
    }
    case 'contacts': {
      const [card] = send.contacts
      return {
        type: 'contact',
        name: card?.name.formatted_name ?? '',
        phone: card?.phones[0]?.phone ?? '',
      }
    }
    case 'interactive':
      return offerContent(send.interactive)
    case 'template':
      return templateContent(send.template)
    case 'reaction':
      return null
  }
}

type Media = Extract<Send, { type: 'image' }>['image']
type FileKind = Extract<BubbleContent, { type: 'file' }>['kind']

/** Uploaded before: the product sends by id alone, so a link is not fetched here. */
function fileContent({ id, caption, filename }: Media, stage: Stage, kind?: FileKind): BubbleContent {
  const file = id === undefined ? undefined : stage.files.get(fileOfMediaId(id) ?? '')
  if (!file) throw badParameter('Invalid parameter: media not found')
  return {
    type: 'file',
    kind: kind ?? kindOfFile(file.mime),
    file: { ...fileView(file), ...(filename && { name: filename }) },
    ...(caption && { caption }),
  }
}

/** Media ids are digits. */
export const mediaIdOf = (file: string): string => BigInt(`0x1${file}`).toString()
export function fileOfMediaId(id: string): string | undefined {
  const hex = /^\d{1,60}$/.test(id) ? BigInt(id).toString(16) : ''
  return /^1[0-9a-f]{32}$/.test(hex) ? hex.slice(1) : undefined
}

function offerContent(offer: Extract<Send, { type: 'interactive' }>['interactive']): BubbleContent {
  switch (offer.type) {
    case 'button':
      return {
        type: 'offer',
        as: 'buttons',
        text: offer.body.text,
        choices: offer.action.buttons.map(({ reply }) => reply),
      }
    case 'list':
      return {
        type: 'offer',
        as: 'list',
        text: offer.body.text,
        button: offer.action.button,
        choices: offer.action.sections.flatMap(({ rows }) =>
          rows.map(({ id, title, description }) => ({ id, title, ...(description && { description }) })),
        ),
      }
  }
}

/** What the visitor wrote, as a webhook tells it. @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview */
export function told(content: BubbleContent): Record<string, unknown> {
  switch (content.type) {
    case 'text':
    case 'notice':
    case 'offer':
      return { type: 'text', text: { body: content.text } }
    case 'location': {
      const { latitude, longitude, name } = content
      return { type: 'location', location: { latitude, longitude, ...(name && { name }) } }
    }
    case 'contact': {
      const name = { formatted_name: content.name, first_name: content.name }
      const phones = [{ phone: content.phone, wa_id: content.phone.replace('+', ''), type: 'CELL' }]
      return { type: 'contacts', contacts: [{ name, phones }] }
    }
    case 'file': {
      const { kind, file, caption } = content
      const type = kind === 'voice' ? 'audio' : file.mime === 'image/webp' ? 'sticker' : kind
      const media = {
        mime_type: kind === 'voice' ? `${file.mime}; codecs=opus` : file.mime,
        sha256: Buffer.from(file.id, 'hex').toString('base64'),
        id: mediaIdOf(file.id),
        ...(caption && { caption }),
        ...(kind === 'document' && { filename: file.name }),
        ...(type === 'audio' && { voice: kind === 'voice' }),
      }
      return { type, [type]: media }
    }
  }
}
