import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import type { AgentId, InboxId } from '../../../models/ids.ts'
import type { AgentView, InboxView } from '../../../server/realtime/protocol.ts'
import { fetchAgents, fetchInboxes, fetchSandbox } from '../api/endpoints.ts'
import { goLive } from '../live/live.ts'
import { useSession } from './session.ts'

/** Follows the workspace while the agent is signed in. */
export function useWorkspace(): () => () => void {
  const queries = useQueryClient()
  return useCallback(() => {
    const stop = goLive(() => void queries.invalidateQueries({ queryKey: ['inboxes'] }))
    return () => {
      stop()
      queries.clear()
    }
  }, [queries])
}

const nobody: AgentView[] = []
const noInboxes: InboxView[] = []

export function useMe(): AgentView {
  const me = useSession(({ session }) => session?.agent)
  if (!me) throw new Error('Nobody is signed in.')
  return me
}

export function useAgents(): AgentView[] {
  const { data } = useQuery({ queryKey: ['agents'], queryFn: fetchAgents })
  return data?.data ?? nobody
}

export function useAgent(id: AgentId | null): AgentView | undefined {
  const agents = useAgents()
  return useMemo(() => agents.find((agent) => agent.id === id), [agents, id])
}

export function useInboxes(): { inboxes: InboxView[]; loaded: boolean } {
  const { data } = useQuery({ queryKey: ['inboxes'], queryFn: fetchInboxes })
  return { inboxes: data?.data ?? noInboxes, loaded: data !== undefined }
}

export function useInbox(id: InboxId | undefined): InboxView | undefined {
  const { inboxes } = useInboxes()
  return inboxes.find((inbox) => inbox.id === id)
}

/** Whether a visitor can play the customer here. */
export function useSandbox(): boolean {
  const { data } = useQuery({
    queryKey: ['sandbox'],
    queryFn: () => fetchSandbox().catch(() => ({ enabled: false })),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return data?.enabled ?? false
}
