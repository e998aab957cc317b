import { Menu, Popover, UnstyledButton } from '@mantine/core'
import { IconArrowBackUp, IconCopy, IconDots, IconMoodSmile, IconPencil } from '@tabler/icons-react'
import { useState } from 'react'
import type { ConversationView, MessageView } from '../../../server/realtime/protocol.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { copyText } from '../design/copy.ts'
import { plain } from '../design/plain.ts'
import { focusComposer } from '../design/ui.ts'
import { useInbox } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { changeDraft } from './drafts.ts'
import classes from './MessageActions.module.css'
import { useSend } from './use-send.ts'

const QUICK = ['👍', '❤️', '😂', '😮', '🙏', '🎉']

interface Props {
  message: MessageView
  conversation: ConversationView
  mine: boolean
}

/** What can be done with one message, as far as its channel can carry it. */
export function MessageActions({ message, conversation, mine }: Props) {
  const { id, content, note, delivery } = message
  const inbox = useInbox(conversation.inbox)
  const can = inbox?.capabilities
  const words = content.type === 'text' ? content.text : 'caption' in content ? content.caption : undefined
  const travelled = delivery && ['sent', 'delivered', 'read'].includes(delivery.state)
  const canReact = can?.content.reaction && !note && (message.direction === 'inbound' || travelled)
  const canEdit = can?.content.edit && mine && !note && content.type === 'text' && travelled
  const canReply = can?.replies && !note
  if (!words && !canReact && !canReply) return null
  return (
    <div className={classes.actions}>
      {canReact && <React message={message} conversation={conversation} />}
      {canReply && (
        <ActionIcon
          size={26}
          label={text.message.reply}
          icon={<IconArrowBackUp size={15} />}
          onClick={() => {
            changeDraft(conversation.id, { mode: 'reply', replyTo: id, editing: undefined })
            focusComposer()
          }}
          data-testid="reply-to"
        />
      )}
      {words && (
        <Menu position="bottom" withinPortal>
          <Menu.Target>
            <ActionIcon size={26} label={text.message.actions} icon={<IconDots size={15} />} />
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconCopy size={14} />} onClick={() => copyText(plain(words))}>
              {text.message.copyText}
            </Menu.Item>
            {canEdit && (
              <Menu.Item
                leftSection={<IconPencil size={14} />}
                onClick={() => {
                  changeDraft(conversation.id, { mode: 'reply', editing: { message: id, text: words } })
                  setTimeout(focusComposer, 50)
                }}
                data-testid="edit-message"
              >
                {text.message.edit}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
    </div>
  )
}

function React({ message, conversation }: Omit<Props, 'mine'>) {
  const [open, setOpen] = useState(false)
  const send = useSend(conversation)
  const given = message.reactions.find(({ by }) => by === 'agent')?.emoji
  const pick = (emoji: string) => {
    setOpen(false)
    send({ content: { type: 'reaction', message: message.id, emoji: emoji === given ? '' : emoji } })
  }
  return (
    <Popover opened={open} onChange={setOpen} position="top" trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon
          size={26}
          label={text.message.react}
          icon={<IconMoodSmile size={15} />}
          onClick={() => setOpen(!open)}
          data-testid="react"
        />
      </Popover.Target>
      <Popover.Dropdown p={6}>
        <div className={classes.quick}>
          {QUICK.map((emoji) => (
            <UnstyledButton
              key={emoji}
              className={classes.emoji}
              aria-pressed={emoji === given}
              onClick={() => pick(emoji)}
            >
              {emoji}
            </UnstyledButton>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}
