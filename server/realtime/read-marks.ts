import { LRUCache } from 'lru-cache'
import { marksRead } from '../../adapters/adapter.ts'
import type { ConversationDoc } from '../../models/conversation.ts'
import type { AgentId, ConversationId, ProviderMessageId } from '../../models/ids.ts'
import { Message } from '../../models/message.ts'
import type { Directory } from '../directory.ts'
import type { Log } from '../log.ts'
import type { Providers } from '../providers.ts'

/**
 * Shows the contact that what they wrote was read, on channels that can. Only whoever has the conversation, or anybody
 * while nobody has it, leaves that trace: a colleague or a supervisor who looks in does not. A courtesy: failing is silent.
 */
export class ReadMarks {
  readonly #parts: { directory: Directory; providers: Providers; log: Log }
  /** The last message marked here: reading on does not ask the provider again. */
  readonly #marked = new LRUCache<ConversationId, ProviderMessageId>({ max: 10_000 })

  constructor(parts: { directory: Directory; providers: Providers; log: Log }) {
    this.#parts = parts
  }

  async show(conversation: ConversationDoc, by: AgentId, rev: number): Promise<void> {
    const { workspace, _id, assignee, contact, inbox } = conversation
    if (assignee !== null && assignee !== by) return
    try {
      const open = await this.#parts.directory.inbox(inbox)
      const route = open?.routes.find(({ adapter }) => marksRead(adapter))
      if (!route || !marksRead(route.adapter)) return
      const latest = await Message.latestInbound(workspace, _id, rev)
      if (latest === undefined || this.#marked.get(_id) === latest) return
      this.#marked.set(_id, latest)
      await route.adapter.markRead(contact.address, latest, this.#parts.providers.call(route))
    } catch (error) {
      this.#parts.log.debug({ event: 'read_mark.not_shown', error })
    }
  }
}
