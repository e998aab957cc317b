import type { ContentType } from '../models/content.ts'
import type { WindowRule } from '../models/windows.ts'

/** A kind of content a channel takes, with its limits. What a sheet does not name is refused. */
export interface Ability {
  /** Longest text or caption, in UTF-16 units; 0 where a file takes no words with it. */
  maxLength?: number
  /** Largest file, in bytes. */
  maxBytes?: number
  /** File types, as exact MIME types or `image/*`. */
  mime?: string[]
  /** Of buttons, quick replies and list rows: how many there may be, and how long their words. */
  maxChoices?: number
  maxTitle?: number
}

/** What one provider can do on one channel: starts from nothing, and travels to the composer as it is. */
export interface Capabilities {
  content: Partial<Record<ContentType, Ability>>
  replies: boolean
  typing: boolean
  /** The contact is shown that we have read. */
  marksRead: boolean
  /** Receipts that come back after `sent`. */
  receipts: { delivered: boolean; read: boolean }
  /** How text is counted and priced; null where a message is a message. */
  segments: 'sms' | null
  /** When we may write; null where always. The rules are in `models/windows.ts`. */
  window: WindowRule | null
}

/** A sheet on which nothing is possible: what every other one starts from. */
export const NOTHING: Capabilities = {
  content: {},
  replies: false,
  typing: false,
  marksRead: false,
  receipts: { delivered: false, read: false },
  segments: null,
  window: null,
}
