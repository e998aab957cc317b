import { create } from 'zustand'
import type { ConversationId, MessageId } from '../../../models/ids.ts'
import { storageKey } from '../base.ts'
import { currentSession } from '../session/session.ts'

/** What was written and not sent. A note and a reply are apart, so that changing the mode never makes one the other. */
export interface Draft {
  mode: 'reply' | 'note'
  reply: string
  note: string
  replyTo?: MessageId
  /** The sent message whose words are being changed, and the new ones. */
  editing?: { message: MessageId; text: string }
}

const EMPTY: Draft = { mode: 'reply', reply: '', note: '' }
const prefix = (): string => storageKey(`draft:${currentSession()?.agent.id ?? ''}:`)

const useDrafts = create<Record<string, Draft>>(() => ({}))

export const useDraft = (conversation: ConversationId): Draft =>
  useDrafts((drafts) => drafts[keyOf(conversation)]) ?? stored(conversation)

export const draftOf = (conversation: ConversationId): Draft =>
  useDrafts.getState()[keyOf(conversation)] ?? stored(conversation)

export function changeDraft(conversation: ConversationId, change: Partial<Draft>): void {
  const { replyTo, editing, ...draft } = { ...draftOf(conversation), ...change }
  const next: Draft = { ...draft, ...(replyTo ? { replyTo } : {}), ...(editing ? { editing } : {}) }
  const key = keyOf(conversation)
  if (next.reply || next.note || next.replyTo) localStorage.setItem(key, JSON.stringify(next))
  else localStorage.removeItem(key)
  useDrafts.setState({ [key]: next })
}

export const writeIn = (conversation: ConversationId, mode: Draft['mode']): void =>
  changeDraft(conversation, { mode, editing: undefined })

const keyOf = (conversation: ConversationId): string => prefix() + conversation

/** Read once each: a list of rows asks again with every frame. */
const read = new Map<string, Draft>()

function stored(conversation: ConversationId): Draft {
  const key = keyOf(conversation)
  let draft = read.get(key)
  if (!draft) {
    try {
      draft = { ...EMPTY, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Draft>) }
    } catch {
      draft = EMPTY
    }
    read.set(key, draft)
  }
  return draft
}
