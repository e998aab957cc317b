import type { Capabilities } from '../../capabilities.ts'

const MB = 1_048_576

/** @see https://developers.facebook.com/docs/messenger-platform/reference/send-api */
export const LIMITS = {
  /** Fewer than 2,000 characters. */
  text: 1_999,
  buttonTemplate: 640,
  quickReplies: 13,
  quickReplyTitle: 20,
  buttonTitle: 20,
  cards: 10,
  cardLine: 80,
}
/** Attachments by address. @see https://developers.facebook.com/docs/messenger-platform/send-messages/saving-assets */
const FILE = { maxLength: 0, maxBytes: 25 * MB } as const

/** There are no places and no cards of people, and nothing sent is changed or taken back. */
export const capabilities: Capabilities = {
  content: {
    text: { maxLength: LIMITS.text },
    image: {
      maxLength: 0,
      maxBytes: 8 * MB,
      mime: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'],
    },
    video: { ...FILE, mime: ['video/*'] },
    audio: { ...FILE, mime: ['audio/*'] },
    voice: { ...FILE, mime: ['audio/*'] },
    document: FILE,
    buttons: { maxLength: LIMITS.buttonTemplate, maxChoices: 3, maxTitle: LIMITS.buttonTitle },
    'quick-replies': {
      maxLength: LIMITS.text,
      maxChoices: LIMITS.quickReplies,
      maxTitle: LIMITS.quickReplyTitle,
    },
    // Shorter than a text may be: the rows are told in it where the buttons cannot hold them.
    list: {
      maxLength: LIMITS.buttonTemplate,
      maxChoices: LIMITS.quickReplies,
      maxTitle: LIMITS.cardLine,
    },
    reaction: {},
  },
  replies: true,
  typing: true,
  marksRead: true,
  receipts: { delivered: true, read: true },
  segments: null,
  window: 'messenger',
}
