import { v7 } from 'uuid'
import { create } from 'zustand'
import type { Capabilities } from '../../../adapters/capabilities.ts'
import { misfit } from '../../../adapters/fit.ts'
import type { MediaContent, MediaType } from '../../../models/content.ts'
import type { ConversationId, MediaId } from '../../../models/ids.ts'
import { problemOf } from '../api/http.ts'
import { type Uploaded, upload } from '../api/upload.ts'
import { text } from '../text.ts'

/** A file on its way into a message. It goes on uploading while the agent looks at another conversation. */
export interface Attachment {
  key: string
  name: string
  type: MediaType
  mime: string
  size: number
  progress: number
  uploaded?: Uploaded
  /** Why it cannot be sent. */
  reason?: string
}

const NONE: Attachment[] = []
const useStore = create<Record<ConversationId, Attachment[]>>(() => ({}))
const aborts = new Map<string, AbortController>()

export const useAttachments = (conversation: ConversationId): Attachment[] =>
  useStore((all) => all[conversation] ?? NONE)

export function attach(conversation: ConversationId, files: Iterable<File>, can: Capabilities): void {
  for (const file of files) {
    const attachment = attachmentOf(file, can)
    change(conversation, (held) => [...held, attachment])
    if (!attachment.reason) void send(conversation, attachment, file)
  }
}

export function detach(conversation: ConversationId, key: string): void {
  aborts.get(key)?.abort()
  aborts.delete(key)
  change(conversation, (held) => held.filter((attachment) => attachment.key !== key))
}

export const detachAll = (conversation: ConversationId): void => change(conversation, () => [])

export const contentOf = ({ type, uploaded }: Attachment, caption: string): MediaContent | null =>
  uploaded ? { type, file: { state: 'stored', ...uploaded }, ...(caption ? { caption } : {}) } : null

function attachmentOf(file: File, can: Capabilities): Attachment {
  const mime = file.type || 'application/octet-stream'
  const { name, size } = file
  const type = typeFor(mime, name, size, can)
  const reason = misfit({ type, file: { state: 'stored', id: '' as MediaId, name, mime, size } }, can)
  return { key: v7(), name, type, mime, size, progress: 0, ...(reason ? { reason } : {}) }
}

/** What the file is to the one who sees it; what a channel cannot show, it may still carry as a document. */
function typeFor(mime: string, name: string, size: number, can: Capabilities): MediaType {
  const kind = mime.split('/')[0]
  const natural = kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'document'
  const fits = (type: MediaType) =>
    misfit({ type, file: { state: 'stored', id: '' as MediaId, name, mime, size } }, can) === null
  return !fits(natural) && fits('document') ? 'document' : natural
}

async function send(conversation: ConversationId, { key }: Attachment, file: File): Promise<void> {
  const abort = new AbortController()
  aborts.set(key, abort)
  try {
    const uploaded = await upload(file, abort.signal, (progress) => set(conversation, key, { progress }))
    set(conversation, key, { uploaded, progress: 1 })
  } catch (error) {
    if (!abort.signal.aborted)
      set(conversation, key, { reason: problemOf(error)?.detail ?? text.composer.uploadFailed })
  } finally {
    aborts.delete(key)
  }
}

const set = (conversation: ConversationId, key: string, news: Partial<Attachment>): void =>
  change(conversation, (held) =>
    held.map((attachment) => (attachment.key === key ? { ...attachment, ...news } : attachment)),
  )

const change = (conversation: ConversationId, to: (held: Attachment[]) => Attachment[]): void =>
  useStore.setState((all) => ({ [conversation]: to(all[conversation] ?? NONE) }))
