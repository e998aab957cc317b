import { IconFileText, IconMapPinFilled, IconUser } from '@tabler/icons-react'
import type { BubbleContent } from '../../../server/sandbox/protocol.ts'
import { Marked } from '../../app/conversation/Marked.tsx'
import { fileAddress } from '../api.ts'
import { phoneOf, sizeOf } from '../format.ts'

/** What a bubble says. Text is text: React escapes it, and only our own links are links. */
export function Content({ content }: { content: BubbleContent }) {
  switch (content.type) {
    case 'text':
      return (
        <p className={isEmojiOnly(content.text) ? 'text big' : 'text'}>
          <Marked text={content.text} marks={content.marks} words={(words) => words} />
        </p>
      )
    case 'offer':
    case 'notice':
      return <p className="text">{content.text}</p>
    case 'location':
      return <Place content={content} />
    case 'contact':
      return (
        <div className="contact-card">
          <span className="contact-icon" aria-hidden="true">
            <IconUser size={20} />
          </span>
          <span className="file-text">
            <strong>{content.name}</strong>
            <span className="sub">{phoneOf(content.phone)}</span>
          </span>
        </div>
      )
    case 'file':
      return (
        <>
          <Attachment content={content} />
          {content.caption && <p className="text">{content.caption}</p>}
        </>
      )
  }
}

function Attachment({ content: { kind, file } }: { content: Extract<BubbleContent, { type: 'file' }> }) {
  const address = fileAddress(file.id)
  switch (kind) {
    case 'image':
      return (
        <a className="picture" href={address} target="_blank" rel="noopener noreferrer">
          <img src={address} alt={file.name} loading="lazy" />
        </a>
      )
    case 'video':
      // biome-ignore lint/a11y/useMediaCaption: a stranger's clip has none
      return <video className="clip" src={address} controls preload="metadata" />
    case 'audio':
    case 'voice':
      // biome-ignore lint/a11y/useMediaCaption: a stranger's recording has none
      return <audio className="sound" src={address} controls preload="none" />
    case 'document':
      return (
        <a className="document" href={address} download={file.name}>
          <span className="document-icon" aria-hidden="true">
            <IconFileText size={22} stroke={1.6} />
          </span>
          <span className="file-text">
            <strong>{file.name}</strong>
            <span className="sub">{sizeOf(file.size)}</span>
          </span>
        </a>
      )
  }
}

function Place({
  content: { latitude, longitude, name },
}: {
  content: Extract<BubbleContent, { type: 'location' }>
}) {
  const spot = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`
  return (
    <a
      className="place"
      href={`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${latitude}/${longitude}`}
      target="_blank"
      rel="noopener noreferrer"
    >
      <span className="place-map" aria-hidden="true">
        <IconMapPinFilled size={30} />
      </span>
      <span className="place-name">
        <strong>{name ?? 'Location'}</strong>
        <span className="sub">{spot}</span>
      </span>
    </a>
  )
}

const isEmojiOnly = (text: string): boolean =>
  /^(?:\p{Extended_Pictographic}(?:\u{FE0F}|\u{200D}|\p{Emoji_Modifier})*\s*){1,3}$/u.test(text)
