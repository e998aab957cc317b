import { IconPlayerPauseFilled, IconPlayerPlayFilled } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { type Stored, useMediaUrl } from '../api/media.ts'
import { text } from '../text.ts'
import classes from './AudioPlayer.module.css'

/** Fetched when it is first played. */
export function AudioPlayer({ file }: { file: Stored }) {
  const [wanted, setWanted] = useState(false)
  const media = useMediaUrl(file.id, wanted)
  const audio = useRef<HTMLAudioElement>(null)
  const [playing, setPlaying] = useState(false)
  const [at, setAt] = useState(0)
  const [length, setLength] = useState(0)
  const url = media.state === 'ready' ? media.url : undefined
  useEffect(() => {
    if (url) audio.current?.play().catch(() => undefined)
  }, [url])

  const toggle = () => {
    if (!url) setWanted(true)
    else if (playing) audio.current?.pause()
    else audio.current?.play().catch(() => undefined)
  }

  return (
    <div className={classes.player} data-testid="audio">
      {/* biome-ignore lint/a11y/useMediaCaption: what customers say into their phones has no captions. */}
      <audio
        ref={audio}
        src={url}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onDurationChange={(event) => setLength(finite(event.currentTarget.duration))}
      />
      <button
        type="button"
        className={classes.button}
        aria-label={playing ? text.message.pause : `${text.message.play} ${file.name}`}
        aria-busy={media.state === 'loading' || undefined}
        onClick={toggle}
      >
        {playing ? <IconPlayerPauseFilled size={16} /> : <IconPlayerPlayFilled size={16} />}
      </button>
      {media.state === 'failed' ? (
        <span className={classes.failed}>{text.message.mediaUnavailable}</span>
      ) : (
        <>
          <input
            type="range"
            className={classes.track}
            aria-label={text.message.seek}
            min={0}
            max={length || 1}
            step="any"
            value={at}
            disabled={!url}
            onChange={(event) => {
              if (audio.current) audio.current.currentTime = Number(event.currentTarget.value)
            }}
          />
          <span className={classes.time}>
            {length ? minutes(playing || at ? at : length) : text.file.size(file.size)}
          </span>
        </>
      )}
    </div>
  )
}

const finite = (seconds: number): number => (Number.isFinite(seconds) ? seconds : 0)
const minutes = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
