import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ANSWER_WITHIN_MS } from '../../client/app/api/transport.ts'
import { alone } from '../../client/app/session/alone.ts'

const KEY = 'session:lease'
const kept = new Map<string, string>()

beforeEach(() => {
  vi.useFakeTimers()
  kept.clear()
  // A browser without Web Locks, as on plain http.
  vi.stubGlobal('navigator', {})
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  })
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe('alone, without Web Locks', () => {
  it('holds for as long as a request may take', async () => {
    const told: string[] = []
    const work = (name: string) => async () => {
      told.push(`${name} begins`)
      await wait(ANSWER_WITHIN_MS)
      told.push(`${name} ends`)
    }
    const both = Promise.all([alone('session', work('one')), alone('session', work('two'))])
    await vi.advanceTimersByTimeAsync(3 * ANSWER_WITHIN_MS)
    await both
    const [first] = told[0]?.split(' ') ?? []
    const second = first === 'one' ? 'two' : 'one'
    expect(told).toEqual([`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`])
    expect(kept.has(KEY)).toBe(false)
  })

  it('takes away no lease but its own', async () => {
    const done = alone('session', () => wait(1_000))
    await vi.advanceTimersByTimeAsync(500)
    kept.set(KEY, 'theirs 99')
    await vi.advanceTimersByTimeAsync(1_000)
    await done
    expect(kept.get(KEY)).toBe('theirs 99')
  })

  it('ends with the tab', async () => {
    const done = alone('session', () => wait(1_000))
    await vi.advanceTimersByTimeAsync(500)
    expect(kept.has(KEY)).toBe(true)
    window.dispatchEvent(new Event('pagehide'))
    expect(kept.has(KEY)).toBe(false)
    await vi.advanceTimersByTimeAsync(1_000)
    await done
  })
})
