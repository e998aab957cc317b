import type { Handset } from '../handsets.ts'
import type { BubbleContent, FileView } from '../protocol.ts'

/** What stands in a message for each kind of content. @see https://core.telegram.org/bots/api#message */
export function messageParts(content: BubbleContent, handset: Handset): Record<string, unknown> {
  switch (content.type) {
    case 'text':
      return { text: content.text, ...commandEntities(content.text) }
    case 'location': {
      const location = { latitude: content.latitude, longitude: content.longitude }
      return content.name
        ? { location, venue: { location, title: content.name, address: content.name } }
        : { location }
    }
    case 'contact':
      return {
        contact: {
          phone_number: content.phone.replace(/^\+/, ''),
          first_name: content.name,
          ...(content.phone === handset.phone && { user_id: handset.chatId }),
        },
      }
    case 'offer':
      // Only what stands under a message stays part of it.
      return content.as === 'buttons'
        ? {
            text: content.text,
            reply_markup: {
              inline_keyboard: content.choices.map(({ id, title }) => [{ text: title, callback_data: id }]),
            },
          }
        : { text: content.text }
    case 'notice':
      return { text: content.text }
    case 'file':
      return { ...fileParts(content), ...(content.caption && { caption: content.caption }) }
  }
}

function fileParts({ kind, file }: Extract<BubbleContent, { type: 'file' }>): Record<string, unknown> {
  const common = { ...fileIds(file), mime_type: file.mime }
  switch (kind) {
    case 'image':
      return file.mime === 'image/gif'
        ? {
            animation: { ...common, width: 320, height: 240, duration: 3, file_name: file.name },
            document: common,
          }
        : {
            photo: [
              { ...fileIds(file, 's'), width: 90, height: 67, file_size: Math.min(file.size, 1253) },
              { ...fileIds(file), width: 1280, height: 960 },
            ],
          }
    case 'video':
      return { video: { ...common, width: 1280, height: 720, duration: 10, file_name: file.name } }
    case 'audio':
      return { audio: { ...common, duration: 10, file_name: file.name } }
    case 'voice':
      return { voice: { ...common, duration: 3 } }
    case 'document':
      return { document: { ...common, file_name: file.name } }
  }
}

const PREFIX = 'AgACAgQAAx'

/** A `file_id` stands for one file of one bot, and lasts. */
const fileIds = ({ id, size }: FileView, suffix = '') => ({
  file_id: `${PREFIX}${id}${suffix}`,
  file_unique_id: `AQAD${id.slice(0, 12)}${suffix}`,
  file_size: size,
})

/** Our name for the file that a `file_id` stands for. */
export const fileOfId = (fileId: string): string | undefined =>
  /^AgACAgQAAx([0-9a-f]{32})s?$/.exec(fileId)?.[1]

/** Where `getFile` says that a file is to be had. */
export const pathOfFile = ({ id, name, mime }: FileView): string => {
  const [family] = mime.split('/')
  const folder = family === 'image' ? 'photos' : family === 'video' ? 'videos' : 'documents'
  const [, extension] = /\.([a-z0-9]{1,8})$/i.exec(name) ?? []
  return `${folder}/file_${id}.${extension ?? 'bin'}`
}

export const fileOfPath = (path: string): string | undefined =>
  /^\w+\/file_([0-9a-f]{32})\.\w+$/.exec(path)?.[1]

const commandEntities = (text: string): Record<string, unknown> => {
  const [command] = /^\/\w+/.exec(text) ?? []
  return command ? { entities: [{ type: 'bot_command', offset: 0, length: command.length }] } : {}
}
