import { describe, expect, it } from 'vitest'
import { createCatchUp } from '../../client/app/live/catch-up.ts'
import type { Changes } from '../../server/realtime/protocol.ts'

const changes = (cursor: string, more = false): Changes => ({
  snapshot: false,
  conversations: [],
  messages: [],
  readings: [],
  cursor,
  more,
})

function road(answers: Changes[]) {
  const asked: (string | null)[] = []
  let cursor: string | null = null
  const catchUp = createCatchUp({
    cursor: () => cursor,
    ask: async (from) => {
      asked.push(from)
      const answer = answers.shift()
      if (!answer) throw new Error('nobody there')
      return answer
    },
    apply: (answer) => {
      cursor = answer.cursor
    },
  })
  return { catchUp, asked }
}

describe('catching up', () => {
  it('goes on from each cursor while there is more', async () => {
    const { catchUp, asked } = road([changes('1', true), changes('2', true), changes('3')])
    await catchUp()
    expect(asked).toEqual([null, '1', '2'])
  })

  it('runs once for all who ask at once, and once more for those who asked meanwhile', async () => {
    const { catchUp, asked } = road([changes('1'), changes('2'), changes('3')])
    await Promise.all([catchUp(), catchUp(), catchUp()])
    expect(asked).toEqual([null, '1'])
  })

  it('starts from where it was after a failure', async () => {
    const answers = [changes('1', true)]
    const { catchUp, asked } = road(answers)
    await expect(catchUp()).rejects.toThrow('nobody there')
    answers.push(changes('2'))
    await catchUp()
    expect(asked).toEqual([null, '1', '1'])
  })

  it('goes on after a failure for those who asked meanwhile', async () => {
    let breakLine = (_: Error): void => undefined
    const broken = new Promise<Changes>((_, reject) => {
      breakLine = reject
    })
    const answers = [broken, Promise.resolve(changes('1'))]
    const asked: (string | null)[] = []
    let cursor: string | null = null
    const catchUp = createCatchUp({
      cursor: () => cursor,
      ask: (from) => {
        asked.push(from)
        return answers.shift() ?? Promise.reject(new Error('nobody there'))
      },
      apply: (answer) => {
        cursor = answer.cursor
      },
    })
    const first = catchUp()
    const afterReconnect = catchUp()
    breakLine(new Error('line broke'))
    await Promise.all([first, afterReconnect])
    expect(asked).toEqual([null, null])
    expect(cursor).toBe('1')
  })
})
