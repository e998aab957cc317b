import type { Mark } from '../../models/content.ts'

/** What the sandbox and its page say to each other. Types only: the page imports this file. Moments are ISO 8601, UTC. */

export type SandboxChannel = 'telegram' | 'sms' | 'whatsapp' | 'messenger'
export type SandboxProvider = 'telegram' | 'twilio' | 'meta'

/** A visitor's phone. */
export interface HandsetView {
  id: string
  name: string
  /** E.164. */
  phone: string
  /** The id of the phone's owner on Telegram, and of their chat with the bot; their ids elsewhere are made of it. */
  chatId: number
  /** Shut to us: the bot is blocked; STOP was texted. */
  blocked: Record<SandboxChannel, boolean>
  chats: Record<SandboxChannel, BubbleView[]>
}

export interface BubbleView {
  /** Telegram's message id or Twilio's SID. */
  id: string
  /** Written on this phone. */
  mine: boolean
  at: string
  content: BubbleContent
  replyTo?: string
  edited: boolean
  reactions: { mine?: string; theirs?: string }
  /** Of one's own: on its way, taken by the product, read by its people, or lost. */
  mark?: 'sent' | 'received' | 'read' | 'lost'
}

export type BubbleContent =
  | { type: 'text'; text: string; marks?: Mark[] }
  | {
      type: 'file'
      kind: 'image' | 'video' | 'audio' | 'voice' | 'document'
      file: FileView
      caption?: string
    }
  | { type: 'location'; latitude: number; longitude: number; name?: string }
  | { type: 'contact'; name: string; phone: string }
  /** Something to pick from: as buttons below, as bubbles above the keyboard, in a menu, or on cards to swipe through. */
  | {
      type: 'offer'
      as: 'buttons' | 'replies' | 'list' | 'cards'
      text: string
      /** What opens the menu. */
      button?: string
      choices: OfferedChoice[]
    }
  /** The carrier's own word, such as the answer to STOP. */
  | { type: 'notice'; text: string }

export interface OfferedChoice {
  id: string
  title: string
  description?: string
}

export interface FileView {
  id: string
  name: string
  mime: string
  size: number
}

/** Sent as `data:` lines on an event stream. */
export type SandboxEvent =
  | { type: 'bubble'; handset: string; channel: SandboxChannel; bubble: BubbleView }
  | { type: 'removed'; handset: string; channel: SandboxChannel; id: string }
  | { type: 'typing'; handset: string; channel: SandboxChannel; ms: number }
  | { type: 'blocked'; handset: string; channel: SandboxChannel; blocked: boolean }
  | { type: 'webhook'; webhook: WebhookView }
  | { type: 'faults'; faults: FaultView[] }

/** One request of a provider to the product. */
export interface WebhookView {
  id: number
  provider: SandboxProvider
  /** `message`, `status: delivered`, … */
  what: string
  at: string
  /** The address without its origin. */
  path: string
  /** 1 for the first try. */
  attempt: number
  /** The HTTP status it was answered with, or why there was none. */
  answer: number | string
  tookMs: number
}

/** What can go wrong with a call to the provider. */
export type CallFault = 'latency' | 'status' | 'hang' | 'reset' | 'accept-then-drop' | 'garbage'
/** What can go wrong with what the provider tells us. */
export type ReceiptFault = 'duplicate' | 'reorder' | 'before-answer' | 'drop'

export interface FaultView {
  id: number
  provider: SandboxProvider
  kind: CallFault | ReceiptFault
  /** For `latency`. */
  ms?: number
  /** For `status`. */
  status?: number
  /** Seconds, for `status` 429. */
  retryAfter?: number
  /** Which calls: those that send (default), or every one. */
  on: 'sends' | 'all'
  /** How many more times; absent: until taken away. */
  left?: number
  /** How many times it has struck. */
  struck: number
}

/** Something a provider took to send. */
export interface LedgerEntry {
  provider: SandboxProvider
  id: string
  to: string
  /** `text`, `image`, `location`, `edit`, … */
  what: string
  text: string
  at: string
}
export interface LedgerView {
  /** How many each provider took since the start or the last clearing, kept or not. */
  accepted: Record<SandboxProvider, number>
  /** The last ones, oldest first. */
  entries: LedgerEntry[]
}

export interface AccountsView {
  telegram: { botName: string; title: string; webhook: boolean }
  sms: { number: string; title: string; webhook: boolean }
  whatsapp: { number: string; title: string; webhook: boolean }
  messenger: { pageId: string; title: string; webhook: boolean }
}
