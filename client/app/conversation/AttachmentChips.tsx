import { CloseButton } from '@mantine/core'
import { IconAlertTriangle, IconFile, IconMovie, IconMusic, IconPhoto } from '@tabler/icons-react'
import type { ConversationId } from '../../../models/ids.ts'
import { text } from '../text.ts'
import classes from './AttachmentChips.module.css'
import { type Attachment, detach } from './attachments.ts'

interface Props {
  conversation: ConversationId
  attachments: Attachment[]
}

export function AttachmentChips({ conversation, attachments }: Props) {
  if (!attachments.length) return null
  return (
    <ul className={classes.chips}>
      {attachments.map((attachment) => {
        const { key, name, reason, uploaded, progress, size } = attachment
        const percent = Math.round(progress * 100)
        return (
          <li
            key={key}
            data-failed={reason !== undefined || undefined}
            data-testid="attachment"
            data-ready={uploaded !== undefined || undefined}
          >
            <Picture attachment={attachment} />
            <span className={classes.about}>
              <bdi>{name}</bdi>
              <small role={reason ? 'alert' : undefined}>{reason ?? text.file.size(size)}</small>
            </span>
            {!uploaded && !reason && (
              <progress max={100} value={percent} aria-label={text.composer.uploading(name, percent)} />
            )}
            <CloseButton
              size="xs"
              aria-label={text.composer.remove(name)}
              onClick={() => detach(conversation, key)}
            />
          </li>
        )
      })}
    </ul>
  )
}

function Picture({ attachment: { type, reason } }: { attachment: Attachment }) {
  if (reason) return <IconAlertTriangle size={16} aria-hidden="true" />
  if (type === 'image') return <IconPhoto size={16} aria-hidden="true" />
  if (type === 'video') return <IconMovie size={16} aria-hidden="true" />
  return type === 'audio' ? (
    <IconMusic size={16} aria-hidden="true" />
  ) : (
    <IconFile size={16} aria-hidden="true" />
  )
}
