import type { Handset } from './handsets.ts'
import type { BubbleContent, BubbleView } from './protocol.ts'

/**
 * What a visitor can do in one app, through whoever carries it. Answers with the bubble as it then stands, undefined where
 * there is no such one; an app that cannot do something has no such method.
 */
export interface Line {
  write(handset: Handset, content: BubbleContent, replyTo?: string): BubbleView
  edit?(handset: Handset, id: string, text: string): BubbleView | undefined
  /** An empty emoji takes it back. */
  react?(handset: Handset, id: string, emoji: string): BubbleView | undefined
  /** Picks something that a bubble offers. */
  choose?(handset: Handset, id: string, choice: string): BubbleView | undefined
  /** Takes one's own message back. */
  remove?(handset: Handset, id: string): boolean
  /** The app is looked at: what arrived is read. */
  read?(handset: Handset): void
  /** Somebody of the business answers, in the provider's own app. */
  answerElsewhere?(handset: Handset, text: string): BubbleView
  /** Shuts the business out, or lets it in again. */
  block?(handset: Handset, shut: boolean): void
}
