import { Popover, UnstyledButton } from '@mantine/core'
import { IconMoodSmile } from '@tabler/icons-react'
import { useState } from 'react'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { text } from '../text.ts'
import classes from './EmojiPicker.module.css'

/** The few that are said to customers; the rest are on every keyboard. */
const EMOJI = [
  ...['🙂', '😀', '😄', '😊', '😉', '😍', '🤗', '🤔', '😅', '😂', '😢', '😕', '😮', '😎', '🥳', '🙄'],
  ...['👍', '👎', '👌', '🙏', '👏', '🤝', '💪', '👋', '✅', '❌', '❗', '❓', '⭐', '🔥', '🎉', '💯'],
  ...['❤️', '💙', '💚', '💛', '📦', '🚚', '🧾', '💳', '📍', '📞', '📷', '📎', '⏰', '📅', '🎁', '☕'],
]

export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="top-start" trapFocus>
      <Popover.Target>
        <ActionIcon
          label={text.composer.emoji}
          icon={<IconMoodSmile size={18} stroke={1.7} />}
          onClick={() => setOpen(!open)}
          data-testid="emoji"
        />
      </Popover.Target>
      <Popover.Dropdown p={6}>
        <div className={classes.grid}>
          {EMOJI.map((emoji) => (
            <UnstyledButton
              key={emoji}
              className={classes.emoji}
              onClick={() => {
                setOpen(false)
                onPick(emoji)
              }}
            >
              {emoji}
            </UnstyledButton>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}
