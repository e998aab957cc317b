import { useCallback, useEffect, useMemo, useReducer } from 'react'
import type { HandsetView, SandboxChannel, SandboxEvent } from '../../server/sandbox/protocol.ts'
import { address, api, type Draft, Refused } from './api.ts'
import { remember, remembered } from './remembered.ts'
import { activePhone, initialState, reduce, type State } from './state.ts'

/** Everything the page can do. What fails shows as a sentence, and resolves to whether it worked. */
export interface Doings {
  addPhone(name: string): Promise<boolean>
  forgetPhone(id: string): void
  activate(id: string): void
  show(screen: State['screen'], channel?: SandboxChannel): void
  start(): Promise<boolean>
  write(draft: Omit<Draft, 'channel'>): Promise<boolean>
  edit(bubble: string, text: string): Promise<boolean>
  react(bubble: string, emoji: string): Promise<boolean>
  choose(bubble: string, choice: string): Promise<boolean>
  remove(bubble: string): Promise<boolean>
  block(shut: boolean): Promise<boolean>
  addFault(fault: object): Promise<boolean>
  removeFaults(ids: number[]): Promise<boolean>
  dismiss(): void
}

export function useSandbox(): { state: State; doings: Doings } {
  const [state, dispatch] = useReducer(reduce, { ...initialState, active: remembered().active })
  const phone = activePhone(state)
  const phoneIds = state.phones.map(({ id }) => id).join(' ')

  const load = useCallback(async () => {
    const [accounts, faults, webhooks, phones] = await Promise.all([
      api.accounts(),
      api.faults(),
      api.webhooks(),
      Promise.all(remembered().phones.map(recovered)),
    ])
    dispatch({ type: 'loaded', accounts, faults, webhooks, phones })
  }, [])

  useEffect(() => {
    load().catch((error: unknown) => dispatch({ type: 'trouble', sentence: sentenceOf(error) }))
  }, [load])

  useEffect(() => {
    if (!state.ready) return
    remember({ phones: state.phones.map(({ id, name, phone, chatId }) => ({ id, name, phone, chatId })) })
  }, [state.ready, state.phones])

  useEffect(() => {
    if (phone) remember({ active: phone.id })
  }, [phone])

  // One stream for all of the visitor's phones; after a break everything is asked for afresh.
  useEffect(() => {
    if (!state.ready) return
    const query = phoneIds
      .split(' ')
      .filter(Boolean)
      .map((id) => `handset=${encodeURIComponent(id)}`)
      .join('&')
    const source = new EventSource(address(`events?${query}`))
    let broken = false
    source.onopen = () => {
      dispatch({ type: 'connection', connected: true })
      if (broken) load().catch(() => {})
      broken = false
    }
    source.onerror = () => {
      broken = true
      dispatch({ type: 'connection', connected: false })
    }
    source.onmessage = ({ data }) =>
      dispatch({ type: 'event', event: JSON.parse(data) as SandboxEvent, now: Date.now() })
    return () => source.close()
  }, [state.ready, phoneIds, load])

  useReading(state, phone, () => dispatch({ type: 'seen' }))

  const id = phone?.id ?? ''
  const { channel } = state
  const doings = useMemo((): Doings => {
    const attempt = async (deed: () => Promise<unknown>): Promise<boolean> => {
      try {
        await deed()
        dispatch({ type: 'trouble', sentence: undefined })
        return true
      } catch (error) {
        dispatch({ type: 'trouble', sentence: sentenceOf(error) })
        return false
      }
    }
    return {
      addPhone: (name) =>
        attempt(async () => dispatch({ type: 'phone', phone: await api.newPhone({ name }), activate: true })),
      forgetPhone: (forgotten) => dispatch({ type: 'forgotten', id: forgotten }),
      activate: (chosen) => dispatch({ type: 'activated', id: chosen }),
      show: (screen, chosen) => dispatch({ type: 'shown', screen, ...(chosen && { channel: chosen }) }),
      start: () =>
        attempt(async () => {
          await api.start(id)
          await api.write(id, { channel: 'telegram', text: '/start' })
        }),
      write: (draft) =>
        attempt(async () => {
          const bubble = await api.write(id, { ...draft, channel })
          dispatch({ type: 'written', phone: id, channel, bubble })
        }),
      edit: (bubble, text) => attempt(() => api.edit(id, bubble, text)),
      react: (bubble, emoji) => attempt(() => api.react(id, bubble, emoji)),
      choose: (bubble, choice) =>
        attempt(async () => {
          const written = await api.choose(id, bubble, choice)
          dispatch({ type: 'written', phone: id, channel, bubble: written })
        }),
      remove: (bubble) => attempt(() => api.remove(id, bubble)),
      block: (shut) => attempt(() => api.block(id, channel, shut)),
      addFault: (fault) => attempt(() => api.addFault(fault)),
      removeFaults: (ids) => attempt(() => Promise.all(ids.map((one) => api.removeFault(one)))),
      dismiss: () => dispatch({ type: 'trouble', sentence: undefined }),
    }
  }, [id, channel])

  return { state, doings }
}

/** What is on the screen of a page that is looked at, is read. */
function useReading(state: State, phone: HandsetView | undefined, onSeen: () => void): void {
  const { channel, screen } = state
  const id = phone?.id
  const last = phone?.chats[channel].findLast(({ mine }) => !mine)?.id
  // biome-ignore lint/correctness/useExhaustiveDependencies: reading happens when a message comes, not when a callback changes
  useEffect(() => {
    if (!id || !last || screen !== 'chat') return
    const read = (): void => {
      if (document.visibilityState !== 'visible') return
      onSeen()
      api.read(id, channel).catch(() => {})
    }
    read()
    document.addEventListener('visibilitychange', read)
    return () => document.removeEventListener('visibilitychange', read)
  }, [id, last, channel, screen])
}

/** A phone the sandbox forgot, as after a restart, is the same phone again with nothing on it. */
async function recovered({ id, ...known }: { id: string; name: string; phone: string; chatId: number }) {
  try {
    return await api.phone(id)
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return api.newPhone(known)
    throw error
  }
}

const sentenceOf = (error: unknown): string =>
  error instanceof Refused ? error.message : 'That did not work.'
