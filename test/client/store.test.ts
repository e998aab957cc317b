import { beforeEach, describe, expect, it } from 'vitest'
import { emptyState } from '../../client/app/live/state.ts'
import { dispatch, forgetEverything, live } from '../../client/app/live/store.ts'
import { conversationId, World } from './world.ts'

const A = conversationId('a')

beforeEach(forgetEverything)

describe('forgetting everything', () => {
  it('leaves nothing of what was held', () => {
    const world = new World()
    dispatch(world.inbound(A))
    forgetEverything()
    expect(live.getState()).toEqual({ ...emptyState(), epoch: live.getState().epoch })
  })

  it('lets in no page that the agent before had asked for', () => {
    const world = new World()
    world.inbound(A)
    const signIn = (): void => dispatch({ type: 'changes', changes: new World().snapshot() })
    signIn()
    const { epoch } = live.getState()
    forgetEverything()
    signIn()
    dispatch({ type: 'list.loaded', key: 'mine', rows: [world.row(A)], next: null, epoch })
    expect(live.getState().conversations).toEqual({})
    expect(live.getState().lists).toEqual({})
  })
})
