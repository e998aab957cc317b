import { Conversation, type ConversationDoc } from './conversation.ts'
import { Identity } from './identity.ts'
import type { Address } from './ids.ts'
import type { InboxDoc } from './inbox.ts'

/**
 * The conversation that a message of ours to somebody joins. Begun where there is none, and then resolved: nobody waits in
 * it until they write.
 */
export async function reachOut(inbox: InboxDoc, to: Address, at: Date): Promise<ConversationDoc> {
  const { workspace, channel } = inbox
  const identity = await Identity.recognise({
    workspace,
    channel,
    address: to,
    name: undefined,
    username: undefined,
    at,
  })
  return Conversation.begin({
    workspace,
    inbox: inbox._id,
    channel,
    identity: identity._id,
    contact: {
      id: identity.contact,
      name: identity.name,
      address: identity.address,
      reachable: true,
      ...(identity.optedOutAt ? { optedOut: true } : {}),
    },
    at,
  })
}
