import { IconExternalLink, IconId, IconMapPin, IconPuzzle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Content } from '../../../models/content.ts'
import { plain } from '../design/plain.ts'
import { text } from '../text.ts'
import classes from './ContentView.module.css'
import { FileView } from './FileView.tsx'
import { Words } from './Words.tsx'

/** What a message says, each kind in its own way. A new kind of content is a compiler's error here. */
export function ContentView({ content }: { content: Content }): ReactNode {
  switch (content.type) {
    case 'text':
      return <Words>{content.text}</Words>
    case 'image':
    case 'sticker':
    case 'video':
    case 'audio':
    case 'voice':
    case 'document':
      return (
        <>
          <FileView type={content.type} file={content.file} />
          {content.caption && <Words>{content.caption}</Words>}
        </>
      )
    case 'location':
      return (
        <Card icon={<IconMapPin size={18} />} title={content.name ?? text.message.location}>
          {content.address && <bdi>{plain(content.address)}</bdi>}
          <span>
            {content.latitude.toFixed(5)}, {content.longitude.toFixed(5)}
          </span>
          <a href={mapOf(content.latitude, content.longitude)} target="_blank" rel="noopener noreferrer">
            {text.message.openMap} <IconExternalLink size={12} aria-hidden="true" />
          </a>
        </Card>
      )
    case 'contact':
      return (
        <Card icon={<IconId size={18} />} title={content.name}>
          {content.phones.map((phone) => (
            <bdi key={phone}>{plain(phone)}</bdi>
          ))}
        </Card>
      )
    case 'reaction':
      return <span>{text.message.reacted(plain(content.emoji))}</span>
    case 'edit':
      return <Words>{text.message.editing(content.text)}</Words>
    case 'unsupported':
      return (
        <Card icon={<IconPuzzle size={18} />} title={content.kind}>
          <span>{text.message.unsupported(plain(content.kind))}</span>
        </Card>
      )
  }
}

const mapOf = (latitude: number, longitude: number): string =>
  `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`

const Card = ({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) => (
  <div className={classes.card}>
    <span className={classes.icon} aria-hidden="true">
      {icon}
    </span>
    <span className={classes.about}>
      <bdi className={classes.title}>{plain(title)}</bdi>
      {children}
    </span>
  </div>
)
