import { showsTyping } from '../../adapters/adapter.ts'
import { Conversation, type ConversationDoc } from '../../models/conversation.ts'
import type { ConversationId, WorkspaceId } from '../../models/ids.ts'
import { Message } from '../../models/message.ts'
import type { Directory } from '../directory.ts'
import type { Log } from '../log.ts'
import type { Providers } from '../providers.ts'

/** Providers show typing for about five seconds, and count calls: one in this time is enough. */
const EVERY_MS = 4_000

/** Shows the contact that somebody is writing to them, on channels that can. A courtesy: failing is silent. */
export class ContactTyping {
  readonly #parts: { directory: Directory; providers: Providers; log: Log; monotonic: () => number }
  readonly #shown = new Map<ConversationId, number>()

  constructor(parts: { directory: Directory; providers: Providers; log: Log; monotonic: () => number }) {
    this.#parts = parts
  }

  async show(workspace: WorkspaceId, id: ConversationId): Promise<void> {
    const now = this.#parts.monotonic()
    if (now - (this.#shown.get(id) ?? -EVERY_MS) < EVERY_MS) return
    for (const [each, at] of this.#shown) if (now - at > EVERY_MS) this.#shown.delete(each)
    this.#shown.set(id, now)
    try {
      const conversation = await Conversation.findOne(
        { workspace, _id: id },
        { inbox: 1, contact: 1 },
      ).lean<ConversationDoc>()
      const open = conversation && (await this.#parts.directory.inbox(conversation.inbox))
      const route = open?.routes.find(({ adapter }) => showsTyping(adapter))
      if (conversation && route && showsTyping(route.adapter))
        await route.adapter.showTyping(
          conversation.contact.address,
          this.#parts.providers.call(route),
          await Message.latestInbound(workspace, id),
        )
    } catch (error) {
      this.#parts.log.debug({ event: 'typing.not_shown', error })
    }
  }
}
