import { HoverCard, UnstyledButton } from '@mantine/core'
import type { MessageView } from '../../../server/realtime/protocol.ts'
import { fullTime } from '../design/time.ts'
import { text } from '../text.ts'
import classes from './History.module.css'
import { previewOf } from './preview.ts'

export function History({ message }: { message: MessageView }) {
  return (
    <HoverCard width={280} shadow="md" openDelay={200}>
      <HoverCard.Target>
        <UnstyledButton className={classes.edited} data-testid="edited">
          {text.message.edited}
        </UnstyledButton>
      </HoverCard.Target>
      <HoverCard.Dropdown>
        <ol className={classes.history}>
          {message.edits.map(({ content, at }) => (
            <li key={at}>
              <time dateTime={at}>{fullTime(at)}</time>
              <span dir="auto">{previewOf(content)}</span>
            </li>
          ))}
        </ol>
      </HoverCard.Dropdown>
    </HoverCard>
  )
}
