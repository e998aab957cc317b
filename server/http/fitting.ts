import { fit } from '../../adapters/fit.ts'
import type { Content } from '../../models/content.ts'
import type { ConversationDoc } from '../../models/conversation.ts'
import { outsideWindow } from '../../models/windows.ts'
import { Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'

/**
 * The contents of the messages that will say something to a contact, nearly always one; or a refusal before anything is
 * written: the person wants no messages, the provider's window is closed, the channel cannot carry it.
 */
export async function contentsFor(
  { clock, directory }: Pick<Parts, 'clock' | 'directory'>,
  conversation: Pick<ConversationDoc, 'inbox' | 'contact' | 'theyWroteAt'>,
  content: Content,
  byPerson: boolean,
): Promise<Content[]> {
  const open = await directory.inbox(conversation.inbox)
  const [route] = open?.routes ?? []
  if (!open || !route)
    throw new Refusal('cannot_carry', 'This inbox has no route that could carry a message.')
  mustBeLet(conversation)
  const outside = outsideWindow(open.inbox.window, conversation.theyWroteAt, clock.now(), content, byPerson)
  if (outside) throw new Refusal('window_closed', outside)
  const fitting = fit(content, route.adapter.capabilities)
  switch (fitting.as) {
    case 'refused':
      throw new Refusal('cannot_carry', fitting.reason)
    case 'parts':
      return fitting.contents
    case 'is':
    case 'fallback':
      return [content] // what becomes of it is decided again by the route that carries it
  }
}

/** Nobody is written to who has shut the door. */
function mustBeLet({ contact }: Pick<ConversationDoc, 'contact'>): void {
  if (contact.optedOut)
    throw new Refusal(
      'opted_out',
      'This person asked to hear nothing more from us. Only they can take that back, by writing START.',
    )
  if (!contact.reachable)
    throw new Refusal(
      'cannot_carry',
      'The contact has blocked this inbox. Only they can open it again, by writing.',
    )
}
