import { useEffect, useState } from 'react'
import type { MediaFile } from '../../../models/content.ts'
import type { MediaId } from '../../../models/ids.ts'
import { apiUrl } from '../base.ts'
import { freshToken, renewToken } from '../session/session.ts'
import { Refused, send, unnamedProblem } from './transport.ts'

export type Stored = Extract<MediaFile, { state: 'stored' }>

/**
 * A file's bytes come with the agent's token, which an `<img>` cannot carry: they are fetched once, shown from memory,
 * and let go a while after the last place that shows them.
 */
interface Held {
  url: Promise<string>
  users: number
  leaving?: ReturnType<typeof setTimeout>
}

const LINGER_MS = 60_000
const FETCH_WITHIN_MS = 120_000
const held = new Map<MediaId, Held>()

function take(id: MediaId): Promise<string> {
  const entry = held.get(id) ?? { url: fetchUrl(id), users: 0 }
  clearTimeout(entry.leaving)
  entry.users++
  held.set(id, entry)
  return entry.url
}

function letGo(id: MediaId): void {
  const entry = held.get(id)
  if (!entry || --entry.users > 0) return
  entry.leaving = setTimeout(() => {
    held.delete(id)
    entry.url.then(URL.revokeObjectURL, () => undefined)
  }, LINGER_MS)
}

async function fetchUrl(id: MediaId): Promise<string> {
  const ask = (token: string) =>
    send(apiUrl(`media/${encodeURIComponent(id)}`), {
      headers: { authorization: `Bearer ${token}` },
      cache: 'default',
      signal: AbortSignal.timeout(FETCH_WITHIN_MS),
    })
  try {
    const token = await freshToken()
    let response = await ask(token)
    if (response.status === 401) response = await ask(await renewToken(token))
    if (!response.ok) throw new Refused(unnamedProblem(response.status))
    return URL.createObjectURL(await response.blob())
  } catch (error) {
    // The next place that wants it may have more luck.
    held.delete(id)
    throw error
  }
}

export type MediaUrl = { state: 'idle' | 'loading' | 'failed' } | { state: 'ready'; url: string }

/** An address for a file, fetched once it is wanted. */
export function useMediaUrl(id: MediaId | undefined, wanted = true): MediaUrl {
  const [answer, setAnswer] = useState<MediaUrl>({ state: wanted ? 'loading' : 'idle' })
  useEffect(() => {
    if (!id || !wanted) return
    let gone = false
    setAnswer({ state: 'loading' })
    take(id).then(
      (url) => gone || setAnswer({ state: 'ready', url }),
      () => gone || setAnswer({ state: 'failed' }),
    )
    return () => {
      gone = true
      letGo(id)
    }
  }, [id, wanted])
  return answer
}

/** Puts the file among the agent's downloads. It is never opened in a tab, where it could act as one of our pages. */
export async function download(id: MediaId, name: string): Promise<void> {
  try {
    const link = document.createElement('a')
    link.href = await take(id)
    link.download = name
    link.click()
  } finally {
    letGo(id)
  }
}
