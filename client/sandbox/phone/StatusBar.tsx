import { useEffect, useState } from 'react'
import { timeOf } from '../format.ts'

const MINUTE_MS = 60_000

/** Time, signal, battery: decoration, and silent to a screen reader. */
export function StatusBar() {
  const [now, setNow] = useState(() => new Date())
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), MINUTE_MS / 4)
    return () => clearInterval(timer)
  }, [])
  return (
    <div className="status-bar" aria-hidden="true">
      <span className="status-time">{timeOf(now)}</span>
      <span className="island" />
      <svg className="status-icons" viewBox="0 0 66 14" aria-hidden="true">
        <g fill="currentColor">
          <rect x="0" y="8" width="3" height="5" rx="1" />
          <rect x="5" y="6" width="3" height="7" rx="1" />
          <rect x="10" y="3.5" width="3" height="9.5" rx="1" />
          <rect x="15" y="1" width="3" height="12" rx="1" />
          <path d="M30.5 3.2c2.4 0 4.6.9 6.2 2.5l1-1.1A10.3 10.3 0 0 0 30.500 1.600 10.300 10.300 0 0 0 23.300 4.600l1 1.100a8.800 8.800 0 0 1 6.200-2.500Zm0 3.500c1.400 0 2.700.5 3.700 1.500l1.100-1.100a6.800 6.800 0 0 0-9.600 0l1.100 1.100c1-1 2.300-1.500 3.700-1.500Zm2.200 3.100a3.200 3.200 0 0 0-4.400 0l2.200 2.300 2.200-2.300Z" />
          <rect x="44.500" y="3" width="15" height="8" rx="2" />
          <rect x="64" y="5" width="1.500" height="4" rx=".75" opacity=".5" />
        </g>
        <rect
          x="43"
          y="1.500"
          width="20"
          height="11"
          rx="3.300"
          fill="none"
          stroke="currentColor"
          opacity=".5"
        />
      </svg>
    </div>
  )
}
