import type { InboxView } from '../../server/realtime/protocol.ts'
import type { World } from '../support/world.ts'

/** Connects the sandbox's WhatsApp number or its page as an admin does: tried, and its webhooks set. */
export async function connectMeta(world: World, channel: 'whatsapp' | 'messenger'): Promise<InboxView> {
  const { whatsapp, messenger } = world.accounts.meta
  const { phoneNumberId, number: _, ...number } = whatsapp
  const { pageId, ...page } = messenger
  const account =
    channel === 'whatsapp'
      ? { sender: phoneNumberId, credentials: number }
      : { sender: pageId, credentials: page }
  const ines = await world.agent('ines')
  const { status, body } = await ines.post<InboxView>('/inboxes', {
    name: channel,
    channel,
    routes: [{ provider: 'meta', apiBase: `${world.sandboxUrl}/meta`, ...account }],
  })
  if (status !== 201) throw new Error(`the inbox was not connected: ${status} ${JSON.stringify(body)}`)
  return body
}
