import { useEffect, useState } from 'react'
import { text } from '../text.ts'
import classes from './Composer.module.css'

type Count = { segments: number; left: number; odd: string }
type Counter = (words: string) => Count

const GSM_BITS = 7

async function loadCounter(): Promise<Counter> {
  const { SegmentedMessage } = await import('sms-segments-calculator')
  return (words) => {
    const message = new SegmentedMessage(words, 'auto', true)
    const unicode = message.getEncodingName() !== 'GSM-7'
    const last = message.segments.at(-1)
    const left = last ? Math.floor(last.freeSizeInBits() / (unicode ? 16 : GSM_BITS)) : 0
    return {
      segments: message.segmentsCount,
      left,
      odd: unicode ? [...new Set(message.getNonGsmCharacters())].slice(0, 5).join(' ') : '',
    }
  }
}

/** How many SMS a text makes, counted as the carrier counts. The counter is fetched when it is first needed. */
export function Segments({ words }: { words: string }) {
  const [counter, setCounter] = useState<Counter | null>(null)
  useEffect(() => {
    loadCounter().then(
      (count) => setCounter(() => count),
      () => undefined,
    )
  }, [])
  if (!counter || !words) return null
  const { segments, left, odd } = counter(words)
  return (
    <span
      className={classes.count}
      data-many={segments > 1 || undefined}
      title={text.composer.segmentsTitle(odd)}
      data-testid="sms-segments"
    >
      {text.composer.segments(segments, left)}
    </span>
  )
}
