import type { Capabilities } from '../../capabilities.ts'

const KB = 1_024
const MB = 1_048_576

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages */
export const LIMITS = {
  text: 4096,
  caption: 1024,
  /** Of a message with buttons or a list. */
  offer: 1024,
  listButton: 20,
  sectionTitle: 24,
  rowDescription: 72,
}
/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media */
const SIZES = { image: 5 * MB, video: 16 * MB, audio: 16 * MB, document: 100 * MB, sticker: 500 * KB }

export const capabilities: Capabilities = {
  content: {
    text: { maxLength: LIMITS.text },
    image: { maxLength: LIMITS.caption, maxBytes: SIZES.image, mime: ['image/jpeg', 'image/png'] },
    video: { maxLength: LIMITS.caption, maxBytes: SIZES.video, mime: ['video/mp4', 'video/3gpp'] },
    audio: {
      maxLength: 0,
      maxBytes: SIZES.audio,
      mime: ['audio/aac', 'audio/amr', 'audio/mpeg', 'audio/mp4', 'audio/ogg'],
    },
    // Anything but Opus in Ogg is sent as audio instead, which `fit` sees to.
    voice: { maxLength: 0, maxBytes: SIZES.audio, mime: ['audio/ogg'] },
    document: { maxLength: LIMITS.caption, maxBytes: SIZES.document },
    sticker: { maxLength: 0, maxBytes: SIZES.sticker, mime: ['image/webp'] },
    location: {},
    contact: {},
    buttons: { maxLength: LIMITS.offer, maxChoices: 3, maxTitle: 20 },
    list: { maxLength: LIMITS.offer, maxChoices: 10, maxTitle: 24 },
    template: {},
    reaction: {},
  },
  replies: true,
  typing: true,
  marksRead: true,
  receipts: { delivered: true, read: true },
  segments: null,
  window: 'whatsapp',
}
