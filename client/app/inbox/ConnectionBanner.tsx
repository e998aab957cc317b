import { UnstyledButton } from '@mantine/core'
import { IconCloudOff } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useConnection } from '../live/connection.ts'
import { knock } from '../live/socket.ts'
import { text } from '../text.ts'
import classes from './ConnectionBanner.module.css'

/** A blip mends itself before anybody needs to know. */
const SILENT_MS = 5_000

export function ConnectionBanner() {
  const lostSince = useConnection((state) => state.lostSince)
  const [shown, setShown] = useState(false)
  useEffect(() => {
    setShown(false)
    if (lostSince === null) return
    const timer = setTimeout(() => setShown(true), Math.max(0, lostSince + SILENT_MS - Date.now()))
    return () => clearTimeout(timer)
  }, [lostSince])
  if (!shown) return null
  return (
    <div className={classes.banner} role="status" data-testid="connection-banner">
      <IconCloudOff size={15} aria-hidden="true" />
      <span>{text.connection.lost}</span>
      <UnstyledButton className={classes.retry} onClick={knock}>
        {text.connection.retry}
      </UnstyledButton>
    </div>
  )
}
