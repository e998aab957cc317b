import type { ContentType } from '../../models/content.ts'

/** Every kind of content; the compiler keeps it whole. */
const ALL: Record<ContentType, true> = {
  text: true,
  image: true,
  audio: true,
  voice: true,
  video: true,
  document: true,
  sticker: true,
  location: true,
  contact: true,
  buttons: true,
  'quick-replies': true,
  list: true,
  template: true,
  choice: true,
  deletion: true,
  reaction: true,
  edit: true,
  unsupported: true,
}
export const CONTENT_TYPES = Object.keys(ALL)
