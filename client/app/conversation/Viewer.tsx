import { Modal } from '@mantine/core'
import { IconDownload, IconX } from '@tabler/icons-react'
import { download, type Stored } from '../api/media.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { complain } from '../design/complain.ts'
import { text } from '../text.ts'
import classes from './Viewer.module.css'

interface Props {
  file: Stored
  url: string
  close: () => void
}

export function Viewer({ file, url, close }: Props) {
  return (
    <Modal
      opened
      onClose={close}
      fullScreen
      withCloseButton={false}
      transitionProps={{ transition: 'fade' }}
      classNames={{ content: classes.content, body: classes.body }}
      attributes={{ content: { 'aria-label': file.name } }}
    >
      <header className={classes.bar}>
        <bdi>{file.name}</bdi>
        <ActionIcon
          label={text.message.download(file.name)}
          icon={<IconDownload size={18} />}
          onClick={() => download(file.id, file.name).catch(complain)}
        />
        <ActionIcon label={text.close} icon={<IconX size={18} />} onClick={close} data-autofocus />
      </header>
      {/* biome-ignore lint/a11y: Escape and the button close it, too. */}
      <div className={classes.stage} role="presentation" onClick={close}>
        <img src={url} alt={file.name} />
      </div>
    </Modal>
  )
}
