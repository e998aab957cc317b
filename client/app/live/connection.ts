import { create } from 'zustand'

/** Whether the server can be heard. A blip is nobody's business: the banner waits for `lostSince` to grow old. */
export const useConnection = create<{ connected: boolean; lostSince: number | null }>(() => ({
  connected: false,
  lostSince: null,
}))

export const connected = (): void => useConnection.setState({ connected: true, lostSince: null })
export const disconnected = (): void =>
  useConnection.setState(({ lostSince }) => ({ connected: false, lostSince: lostSince ?? Date.now() }))
