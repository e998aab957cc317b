import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const line = Object.assign(new EventEmitter(), {
  connected: true,
  active: false,
  connect: vi.fn(),
  close: vi.fn(),
})
const renewToken = vi.fn()

vi.mock('socket.io-client', () => ({ io: () => line }))
vi.mock('../../client/app/base.ts', () => ({
  pageUrl: () => 'https://inbox.example/',
  socketPath: '/socket.io',
}))
vi.mock('../../client/app/session/session.ts', () => ({
  currentSession: () => ({ accessToken: 'spent', expiresAt: Date.now() + 3_600_000 }),
  freshToken: async () => 'fresh',
  renewToken,
}))

const { askChanges, connect, hangUp } = await import('../../client/app/live/socket.ts')

beforeEach(() => {
  vi.useFakeTimers()
  connect({ onConnect: () => undefined, onInboxesChanged: () => undefined })
})

afterEach(() => {
  hangUp()
  line.removeAllListeners()
  vi.clearAllMocks()
  vi.useRealTimers()
})

describe('the line', () => {
  it('leaves nobody waiting for an answer when it breaks', async () => {
    const waiting = line.listenerCount('disconnect')
    const asked = askChanges(null)
    line.emit('disconnect', 'transport close')
    await expect(asked).rejects.toThrow('No answer.')
    expect(line.listenerCount('disconnect')).toBe(waiting)
  })

  it.each(['unauthenticated', 'rate_limited'])('pauses longer after each refusal (%s)', async (code) => {
    renewToken.mockRejectedValue(new Error('429'))
    const pauses: number[] = []
    for (let refusal = 0; refusal < 8; refusal++) {
      const since = Date.now()
      line.connect.mockImplementationOnce(() => pauses.push(Date.now() - since))
      line.emit('connect_error', Object.assign(new Error('refused'), { data: { problem: { code } } }))
      await vi.advanceTimersByTimeAsync(60_000)
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 5_000, 10_000, 30_000, 30_000, 30_000])
  })

  it('that was hung up is not taken up again', async () => {
    line.emit('disconnect', 'io server disconnect')
    hangUp()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(line.connect).not.toHaveBeenCalled()
  })
})
