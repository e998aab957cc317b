import { useHotkeys } from '@mantine/hooks'
import { lazy, Suspense, useEffect, useRef } from 'react'
import { useNavigate } from 'react-router'
import type { ConversationId } from '../../../models/ids.ts'
import { toggleResolution } from '../conversation/actions.ts'
import { writeIn } from '../conversation/drafts.ts'
import { focusComposer, focusSearch, openMenu, setUi, useUi } from '../design/ui.ts'
import { openPalette, usePalette } from './open-palette.ts'
import { type View, viewKey } from './views.ts'

const Palette = lazy(() => import('./Palette.tsx'))
const Help = lazy(() => import('./Help.tsx'))

interface Props {
  view: View
  chosen: ConversationId | undefined
}

export function Shortcuts({ view, chosen }: Props) {
  const navigate = useNavigate()
  const wanted = usePalette((state) => state.wanted)
  const helpOpen = useUi((ui) => ui.helpOpen)
  const place = useRef(-1)
  useEffect(() => {
    const index = chosen ? useUi.getState().order.indexOf(chosen) : -1
    if (index >= 0) place.current = index
  }, [chosen])

  /** A conversation that just left the list is not lost as a place: the one that moved up into it comes next. */
  const move = (step: 1 | -1) => {
    const { order } = useUi.getState()
    if (!order.length) return
    const at = chosen ? order.indexOf(chosen) : -1
    const target = at >= 0 ? at + step : chosen && step === 1 ? place.current : place.current + step
    const next = order[Math.min(Math.max(target, 0), order.length - 1)]
    if (next) navigate(`/${viewKey(view)}/c/${next}`)
  }

  const write = (mode: 'reply' | 'note') => {
    if (!chosen) return
    writeIn(chosen, mode)
    focusComposer()
  }

  // Asked before anybody hears the key: the dialog that Escape closes is gone by the time it gets here.
  const taken = useRef(false)
  useEffect(() => {
    const look = () => {
      taken.current = isTaken()
    }
    window.addEventListener('keydown', look, { capture: true })
    return () => window.removeEventListener('keydown', look, { capture: true })
  }, [])

  const free = (act: () => void) => (event: KeyboardEvent) => {
    if (taken.current || !useUi.getState().keysOn) return
    // Else the key that opens a field would also be typed into it.
    event.preventDefault()
    act()
  }
  const keys: [string, (event: KeyboardEvent) => void][] = [
    ['j', free(() => move(1))],
    ['k', free(() => move(-1))],
    ['r', free(() => write('reply'))],
    ['n', free(() => write('note'))],
    ['e', free(() => chosen && toggleResolution(chosen))],
    ['a', free(() => chosen && openMenu('assign'))],
    ['s', free(() => chosen && openMenu('snooze'))],
    // Some keyboards have these with Shift, others without.
    ['/', free(focusSearch)],
    ['shift+/', free(focusSearch)],
    ['?', free(() => setUi({ helpOpen: true }))],
    ['shift+?', free(() => setUi({ helpOpen: true }))],
    ['Enter', (event) => isOnControl(event) || free(() => write('reply'))(event)],
    ['Escape', free(() => chosen && navigate(`/${viewKey(view)}`))],
  ]
  useHotkeys(keys.map(([key, act]) => [key, act, { preventDefault: false }]))
  useHotkeys([['mod+k', openPalette]], [])
  return (
    <Suspense>
      {wanted && <Palette view={view} chosen={chosen} />}
      {helpOpen && <Help />}
    </Suspense>
  )
}

/** An open menu or dialog has the keyboard to itself. */
const isTaken = (): boolean => document.querySelector('[role="menu"], [role="dialog"]') !== null

/** Enter on a button or link means that button or link. */
const isOnControl = (event: KeyboardEvent): boolean =>
  event.target instanceof Element && event.target.closest('a, button, [role="button"], audio, video') !== null
