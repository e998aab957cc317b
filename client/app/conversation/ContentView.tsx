import { IconCheck, IconExternalLink, IconId, IconMapPin, IconPuzzle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Choice, Content } from '../../../models/content.ts'
import { plain } from '../design/plain.ts'
import { text } from '../text.ts'
import classes from './ContentView.module.css'
import { FileView } from './FileView.tsx'
import { Words } from './Words.tsx'

/** What a message says, each kind in its own way. A new kind of content is a compiler's error here. */
export function ContentView({ content }: { content: Content }): ReactNode {
  switch (content.type) {
    case 'text':
      return <Words marks={content.marks}>{content.text}</Words>
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
    case 'buttons':
      return <Offer words={content.text} rows={content.buttons} />
    case 'quick-replies':
      return <Offer words={content.text} rows={content.replies} />
    case 'list':
      return (
        <>
          <Words>{content.text}</Words>
          {content.sections.map((section, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: sections have no names of their own and never move.
            <Offer key={index} words={section.title ?? ''} rows={section.rows} />
          ))}
        </>
      )
    case 'template':
      return (
        <>
          <Words>{content.text}</Words>
          <span className={classes.aside}>{text.message.template(plain(content.name))}</span>
        </>
      )
    case 'choice':
      return (
        <span className={classes.chosen} data-testid="choice">
          <IconCheck size={14} aria-hidden="true" />
          <bdi>{plain(content.title)}</bdi>
        </span>
      )
    case 'deletion':
      return <span>{text.message.tookBack}</span>
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

const Offer = ({ words, rows }: { words: string; rows: (Choice & { description?: string })[] }) => (
  <>
    {words && <Words>{words}</Words>}
    <ul className={classes.offer} data-testid="offer">
      {rows.map(({ id, title, description }) => (
        <li key={id}>
          <bdi>{plain(title)}</bdi>
          {description && <small>{plain(description)}</small>}
        </li>
      ))}
    </ul>
  </>
)

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
