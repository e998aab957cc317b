import { create } from 'zustand'

/** The palette's code is fetched when it is first asked for. */
export const usePalette = create<{ wanted: boolean; asked: number }>(() => ({ wanted: false, asked: 0 }))

export const openPalette = (): void =>
  usePalette.setState(({ asked }) => ({ wanted: true, asked: asked + 1 }))
