import { create } from 'zustand'
import type { ConversationId } from '../../../models/ids.ts'
import { storageKey } from '../base.ts'

/** What the page shows of itself, so that a key, a menu and the palette can open the same thing. */
interface Ui {
  navOpen: boolean
  detailsOpen: boolean
  menu: 'assign' | 'snooze' | null
  helpOpen: boolean
  /** Keys without Ctrl can be turned off: who dictates, or types by switch, presses them unawares. */
  keysOn: boolean
  /** The list's rows as they are on screen, for J and K. */
  order: ConversationId[]
  /** Counts the wishes to write, so that the composer can take the focus at each. */
  focusComposer: number
  focusSearch: number
}

const KEYS = storageKey('keys')
const DETAILS = storageKey('details')
/** Below this the contact lies over the conversation, and is not to be there uncalled. */
const PANEL_FITS_PX = 1300

export const useUi = create<Ui>(() => ({
  navOpen: false,
  detailsOpen: innerWidth > PANEL_FITS_PX && localStorage.getItem(DETAILS) !== 'closed',
  menu: null,
  helpOpen: false,
  keysOn: localStorage.getItem(KEYS) !== 'off',
  order: [],
  focusComposer: 0,
  focusSearch: 0,
}))

export const setUi = useUi.setState

export const openMenu = (menu: Ui['menu']): void => setUi({ menu })
export const focusComposer = (): void => setUi((ui) => ({ focusComposer: ui.focusComposer + 1 }))
export const focusSearch = (): void => setUi((ui) => ({ focusSearch: ui.focusSearch + 1 }))

export function turnKeys(keysOn: boolean): void {
  localStorage.setItem(KEYS, keysOn ? 'on' : 'off')
  setUi({ keysOn })
}

export function toggleDetails(): void {
  const detailsOpen = !useUi.getState().detailsOpen
  localStorage.setItem(DETAILS, detailsOpen ? 'open' : 'closed')
  setUi({ detailsOpen })
}
