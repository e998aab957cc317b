import type { Server } from 'socket.io'
import type { Change, ConversationDoc, MessageChange } from '../../models/conversation.ts'
import type { AgentId, ConversationId, InboxId, SessionId, WorkspaceId } from '../../models/ids.ts'
import type { ParticipationDoc } from '../../models/participation.ts'
import { conversationView, messageView, readingView } from '../views.ts'
import type { SocketData } from './gateway.ts'
import type { ClientToServerEvents, PresenceView, ServerToClientEvents, ViewersView } from './protocol.ts'
import { rooms } from './rooms.ts'

export type Io = Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>

/**
 * Every emit there is, by name. Each follows its write, never precedes it, and names its audience: those who may see the
 * inbox. A broadcast may be lost (Redis does not replay); the catch-up is what makes clients right.
 */
export class Broadcasts {
  readonly #io: Io

  constructor(io: Io) {
    this.#io = io
  }

  messageAdded(change: MessageChange): void {
    this.#audience(change.conversation).emit('message.added', {
      conversation: conversationView(change.conversation),
      message: messageView(change.message),
    })
  }

  messageChanged(change: MessageChange): void {
    this.#audience(change.conversation).emit('message.changed', {
      conversation: conversationView(change.conversation),
      message: messageView(change.message),
    })
  }

  conversationChanged(conversation: ConversationDoc): void {
    this.#audience(conversation).emit('conversation.changed', {
      conversation: conversationView(conversation),
    })
  }

  /** To the reader's own tabs alone: when somebody reads is nobody else's business. */
  readingChanged(participation: ParticipationDoc): void {
    this.#io
      .to(rooms.agent(participation.agent))
      .emit('reading.changed', { reading: readingView(participation) })
  }

  contactTyping({ conversation }: Change): void {
    const { contact } = conversation
    this.#audience(conversation).volatile.emit('typing', {
      conversation: conversation._id,
      by: { kind: 'contact', id: contact.id, name: contact.name },
    })
  }

  presence(workspace: WorkspaceId, agents: PresenceView[]): void {
    this.#io.to(rooms.workspace(workspace)).emit('presence', { agents })
  }

  viewers(conversation: ConversationId, viewers: ViewersView): void {
    this.#io.to(rooms.conversation(conversation)).emit('viewers', viewers)
  }

  inboxesChanged(workspace: WorkspaceId): void {
    this.#io.to(rooms.workspace(workspace)).emit('inboxes.changed')
  }

  /** Ends every socket of an agent, on every node: their rights changed, and they come back under the new ones. */
  disconnectAgent(agent: AgentId): void {
    this.#io.in(rooms.agent(agent)).disconnectSockets(true)
  }

  disconnectSession(session: SessionId): void {
    this.#io.in(rooms.session(session)).disconnectSockets(true)
  }

  #audience(conversation: { workspace: WorkspaceId; inbox: InboxId }) {
    return this.#io.to([rooms.everyInbox(conversation.workspace), rooms.inbox(conversation.inbox)])
  }
}
