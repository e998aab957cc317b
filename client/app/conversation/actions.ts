import type { AgentId, ConversationId, MessageId } from '../../../models/ids.ts'
import type { ConversationRow } from '../../../server/realtime/protocol.ts'
import {
  deleteResolution,
  deleteSnooze,
  postAttempt,
  putAssignment,
  putLabels,
  putResolution,
  putSnooze,
} from '../api/endpoints.ts'
import { complain } from '../design/complain.ts'
import { dispatch, live } from '../live/store.ts'

/** What an agent does to a conversation. The screen follows the server's answer, so that it never shows what is not so. */
async function act(ask: Promise<ConversationRow>): Promise<void> {
  const { epoch } = live.getState()
  try {
    dispatch({ type: 'rows.loaded', rows: [await ask], epoch })
  } catch (error) {
    complain(error)
  }
}

export const assign = (id: ConversationId, agent: AgentId | null): Promise<void> =>
  act(putAssignment(id, agent))
export const snooze = (id: ConversationId, until: Date): Promise<void> =>
  act(putSnooze(id, until.toISOString()))
export const wake = (id: ConversationId): Promise<void> => act(deleteSnooze(id))
export const label = (id: ConversationId, labels: string[]): Promise<void> => act(putLabels(id, labels))

export const toggleResolution = (id: ConversationId): Promise<void> =>
  act(live.getState().conversations[id]?.status === 'resolved' ? deleteResolution(id) : putResolution(id))

/** A new attempt, which really sends. */
export async function attemptAgain(conversation: ConversationId, message: MessageId): Promise<void> {
  try {
    dispatch({ type: 'message.answered', message: await postAttempt(conversation, message) })
  } catch (error) {
    complain(error)
  }
}
