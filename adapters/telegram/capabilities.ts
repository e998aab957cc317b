import type { Capabilities } from '../capabilities.ts'

const MB = 1_048_576
/** @see https://core.telegram.org/bots/api#sendmessage */
const TEXT = 4096
/** @see https://core.telegram.org/bots/api#sendphoto */
const CAPTION = 1024
/** What a bot may upload; a photo less. @see https://core.telegram.org/bots/api#sending-files */
const UPLOAD = 50 * MB
const PHOTO = 10 * MB

/** Telegram documents none of the two; more than this nobody can use, or read on a phone. */
const BUTTONS = 20
const TITLE = 64
/** Room for what a list's rows say beside their buttons. */
const LIST_WORDS = 2048
/** @see https://core.telegram.org/stickers */
const STICKER = 512 * 1024

/** Telegram tells a bot neither of delivery nor of reading. */
export const capabilities: Capabilities = {
  content: {
    text: { maxLength: TEXT },
    image: {
      maxLength: CAPTION,
      maxBytes: PHOTO,
      mime: ['image/jpeg', 'image/png', 'image/webp', 'image/gif'],
    },
    video: { maxLength: CAPTION, maxBytes: UPLOAD, mime: ['video/mp4'] },
    audio: {
      maxLength: CAPTION,
      maxBytes: UPLOAD,
      mime: ['audio/mpeg', 'audio/mp4', 'audio/x-m4a', 'audio/m4a'],
    },
    voice: {
      maxLength: CAPTION,
      maxBytes: UPLOAD,
      mime: ['audio/ogg', 'audio/mpeg', 'audio/mp4', 'audio/x-m4a', 'audio/m4a'],
    },
    document: { maxLength: CAPTION, maxBytes: UPLOAD },
    location: {},
    contact: {},
    buttons: { maxLength: TEXT, maxChoices: BUTTONS, maxTitle: TITLE },
    'quick-replies': { maxLength: TEXT, maxChoices: BUTTONS, maxTitle: TITLE },
    list: { maxLength: TEXT - LIST_WORDS, maxChoices: BUTTONS, maxTitle: TITLE },
    deletion: {},
    sticker: { maxBytes: STICKER, mime: ['image/webp', 'video/webm'] },
    reaction: {},
    edit: { maxLength: TEXT },
  },
  replies: true,
  typing: true,
  marksRead: false,
  receipts: { delivered: false, read: false },
  segments: null,
  window: null,
}
