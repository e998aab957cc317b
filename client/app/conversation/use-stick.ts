import { type RefObject, useEffect, useRef, useState } from 'react'
import type { VirtuosoHandle } from 'react-virtuoso'

export const BOTTOM_PX = 80

/**
 * Holds the timeline at its end while pictures load and marks change below. Only the reader lets go of it: the view moved
 * up although nothing in it grew or shrank.
 */
export function useStick(list: RefObject<VirtuosoHandle | null>, from: boolean) {
  const [scroller, setScroller] = useState<HTMLElement | null>(null)
  const stuck = useRef(from)
  useEffect(() => {
    if (!scroller) return
    let before = measure(scroller)
    const moved = () => {
      const now = measure(scroller)
      const still = now.height === before.height && now.view === before.view
      if (now.below <= 2) stuck.current = true
      else if (still && now.top < before.top && now.below > BOTTOM_PX) stuck.current = false
      before = now
    }
    const resized = new ResizeObserver(() => hold())
    const hold = () => {
      if (stuck.current) list.current?.scrollTo({ top: scroller.scrollHeight })
    }
    scroller.addEventListener('scroll', moved, { passive: true })
    resized.observe(scroller)
    return () => {
      scroller.removeEventListener('scroll', moved)
      resized.disconnect()
    }
  }, [scroller, list])
  return {
    scrollerRef: (element: HTMLElement | Window | null) =>
      setScroller(element instanceof HTMLElement ? element : null),
    /** The list became taller or shorter. */
    grew: () => {
      if (stuck.current && scroller) list.current?.scrollTo({ top: scroller.scrollHeight })
    },
    letGo: () => {
      stuck.current = false
    },
    stick: () => {
      stuck.current = true
    },
  }
}

const measure = ({ scrollTop, scrollHeight, clientHeight }: HTMLElement) => ({
  top: scrollTop,
  height: scrollHeight,
  view: clientHeight,
  below: scrollHeight - clientHeight - scrollTop,
})
