import { IconAlertTriangle, IconDownload, IconFile, IconPlayerPlayFilled } from '@tabler/icons-react'
import { useState } from 'react'
import type { MediaFile, MediaType } from '../../../models/content.ts'
import { download, type Stored, useMediaUrl } from '../api/media.ts'
import { complain } from '../design/complain.ts'
import { plain } from '../design/plain.ts'
import { text } from '../text.ts'
import { AudioPlayer } from './AudioPlayer.tsx'
import classes from './FileView.module.css'
import { Viewer } from './Viewer.tsx'

export function FileView({ type, file: given }: { type: MediaType; file: MediaFile }) {
  if (given.state === 'pending') return <Notice>{text.message.mediaPending}</Notice>
  if (given.state === 'failed') return <Notice failed>{text.message.mediaFailed(given.reason)}</Notice>
  const file = { ...given, name: plain(given.name) }
  switch (type) {
    case 'image':
    case 'sticker':
      return <Picture file={file} sticker={type === 'sticker'} />
    case 'video':
      return <Video file={file} />
    case 'audio':
    case 'voice':
      return <AudioPlayer file={file} />
    case 'document':
      return <DocumentRow file={file} />
  }
}

const Notice = ({ failed, children }: { failed?: boolean; children: string }) => (
  <div className={classes.notice} data-failed={failed || undefined}>
    {failed ? <IconAlertTriangle size={16} aria-hidden="true" /> : <IconFile size={16} aria-hidden="true" />}
    <span>{children}</span>
  </div>
)

function Picture({ file, sticker }: { file: Stored; sticker: boolean }) {
  const media = useMediaUrl(file.id)
  const [viewing, setViewing] = useState(false)
  const [broken, setBroken] = useState(false)
  if (broken) return <DocumentRow file={file} />
  if (media.state === 'failed') return <Notice failed>{text.message.mediaUnavailable}</Notice>
  if (media.state !== 'ready') return <div className={sticker ? classes.stickerWait : classes.pictureWait} />
  return (
    <>
      <button
        type="button"
        className={sticker ? classes.sticker : classes.picture}
        aria-label={text.message.viewImage(file.name)}
        onClick={() => setViewing(true)}
        data-testid="picture"
      >
        <img src={media.url} alt={file.name} onError={() => setBroken(true)} />
      </button>
      {viewing && <Viewer file={file} url={media.url} close={() => setViewing(false)} />}
    </>
  )
}

/** Fetched only when somebody wants to see it. */
function Video({ file }: { file: Stored }) {
  const [wanted, setWanted] = useState(false)
  const media = useMediaUrl(file.id, wanted)
  if (media.state === 'failed') return <Notice failed>{text.message.mediaUnavailable}</Notice>
  if (media.state === 'ready')
    return (
      // biome-ignore lint/a11y/useMediaCaption: what customers film has no captions.
      <video className={classes.video} src={media.url} controls autoPlay aria-label={file.name} />
    )
  return (
    <button
      type="button"
      className={classes.poster}
      aria-label={text.message.playVideo(file.name)}
      aria-busy={media.state === 'loading' || undefined}
      onClick={() => setWanted(true)}
    >
      <IconPlayerPlayFilled size={22} />
      <small>{text.file.size(file.size)}</small>
    </button>
  )
}

function DocumentRow({ file }: { file: Stored }) {
  return (
    <button
      type="button"
      className={classes.document}
      title={text.message.download(file.name)}
      onClick={() => download(file.id, file.name).catch(complain)}
      data-testid="document"
    >
      <span className={classes.kind} aria-hidden="true">
        {extensionOf(file.name)}
      </span>
      <span className={classes.about}>
        <bdi>{file.name}</bdi>
        <small>{text.file.size(file.size)}</small>
      </span>
      <IconDownload size={16} aria-hidden="true" />
    </button>
  )
}

const extensionOf = (name: string): string => (/\.([a-z0-9]{1,4})$/i.exec(name)?.[1] ?? 'file').toUpperCase()
