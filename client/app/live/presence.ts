import { create } from 'zustand'
import type { AgentId, ConversationId } from '../../../models/ids.ts'
import {
  type PresenceView,
  type ServerToClientEvents,
  TYPING_EXPIRES_MS,
  type ViewersView,
} from '../../../server/realtime/protocol.ts'

export type Typing = Parameters<ServerToClientEvents['typing']>[0]

/** Who is here, who looks, who writes: true only now, so that it is kept apart from what must be caught up with. */
interface PresenceState {
  online: AgentId[]
  viewers: Record<ConversationId, ViewersView['viewers']>
  typing: (Typing & { until: number })[]
}

const empty: PresenceState = { online: [], viewers: {}, typing: [] }

export const usePresence = create<PresenceState>(() => empty)

export const nobodyHere = (): void => usePresence.setState(empty)

export const online = (agents: PresenceView[]): void =>
  usePresence.setState({ online: agents.map(({ agent }) => agent) })

export const viewing = ({ conversation, viewers }: ViewersView): void =>
  usePresence.setState((state) => ({ viewers: { ...state.viewers, [conversation]: viewers } }))

export function typing(event: Typing): void {
  const others = (all: PresenceState['typing']) =>
    all.filter(({ conversation, by }) => conversation !== event.conversation || by.id !== event.by.id)
  usePresence.setState((state) => ({
    typing: [...others(state.typing), { ...event, until: Date.now() + TYPING_EXPIRES_MS }],
  }))
  setTimeout(expire, TYPING_EXPIRES_MS + 50)
}

/** A turn of theirs arrived: they are not writing it any more. */
export const stoppedTyping = (conversation: ConversationId, author: string): void =>
  usePresence.setState((state) =>
    state.typing.some((mark) => mark.conversation === conversation && mark.by.id === author)
      ? {
          typing: state.typing.filter((mark) => mark.conversation !== conversation || mark.by.id !== author),
        }
      : state,
  )

function expire(): void {
  const now = Date.now()
  usePresence.setState((state) => ({ typing: state.typing.filter(({ until }) => until > now) }))
}
