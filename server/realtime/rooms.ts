import { type AgentDoc, confinedTo } from '../../models/agent.ts'
import type { AgentId, ConversationId, InboxId, SessionId, WorkspaceId } from '../../models/ids.ts'

/**
 * Every room's name, and who enters. A client never names a room: it names a conversation, and the server, after the same
 * check as over REST, lets it in.
 */
export const rooms = {
  workspace: (id: WorkspaceId): string => `workspace:${id}`,
  /** Those who see every inbox of the workspace, also ones connected later. */
  everyInbox: (id: WorkspaceId): string => `every-inbox:${id}`,
  inbox: (id: InboxId): string => `inbox:${id}`,
  conversation: (id: ConversationId): string => `conversation:${id}`,
  agent: (id: AgentId): string => `agent:${id}`,
  session: (id: SessionId): string => `session:${id}`,
  supervisors: (id: WorkspaceId): string => `supervisors:${id}`,
}

/** The rooms a socket is put in when it connects. Conversations are entered one by one, when opened. */
export function roomsOf(agent: AgentDoc, session: SessionId): string[] {
  const confined = confinedTo(agent)
  return [
    rooms.workspace(agent.workspace),
    rooms.agent(agent._id),
    rooms.session(session),
    ...(confined === null ? [rooms.everyInbox(agent.workspace)] : confined.map(rooms.inbox)),
    ...(agent.role === 'agent' ? [] : [rooms.supervisors(agent.workspace)]),
  ]
}
