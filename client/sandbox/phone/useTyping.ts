import { useEffect, useState } from 'react'

/** Whether somebody is typing, given when that is over; milliseconds since 1970. */
export function useTyping(until: number | undefined): boolean {
  const [typing, setTyping] = useState(false)
  useEffect(() => {
    const left = (until ?? 0) - Date.now()
    setTyping(left > 0)
    if (left <= 0) return
    const timer = setTimeout(() => setTyping(false), left)
    return () => clearTimeout(timer)
  }, [until])
  return typing
}
