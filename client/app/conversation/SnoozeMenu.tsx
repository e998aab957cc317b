import { Button, Menu, Modal, TextInput } from '@mantine/core'
import { IconMoon } from '@tabler/icons-react'
import { useState } from 'react'
import type { ConversationId } from '../../../models/ids.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { fullTime } from '../design/time.ts'
import { openMenu, useUi } from '../design/ui.ts'
import { text } from '../text.ts'
import { snooze } from './actions.ts'
import { snoozeChoices } from './snooze-choices.ts'

export function SnoozeMenu({ id }: { id: ConversationId }) {
  const opened = useUi((ui) => ui.menu === 'snooze')
  const [picking, setPicking] = useState(false)
  return (
    <>
      <Menu
        opened={opened}
        onChange={(open) => openMenu(open ? 'snooze' : null)}
        position="bottom-end"
        width={260}
      >
        <Menu.Target>
          <ActionIcon
            label={text.conversation.snooze}
            hotkey="S"
            icon={<IconMoon size={17} />}
            data-testid="snooze"
          />
        </Menu.Target>
        <Menu.Dropdown>
          {snoozeChoices(new Date()).map(({ name, until }) => (
            <Menu.Item
              key={name}
              rightSection={<small>{fullTime(until.toISOString())}</small>}
              onClick={() => void snooze(id, until)}
            >
              {name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setPicking(true)}>{text.conversation.pickTime}…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <PickTime id={id} opened={picking} close={() => setPicking(false)} />
    </>
  )
}

interface PickTimeProps {
  id: ConversationId
  opened: boolean
  close: () => void
}

function PickTime({ id, opened, close }: PickTimeProps) {
  const [moment, setMoment] = useState('')
  const until = new Date(moment)
  const ahead = until.getTime() > Date.now()
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={text.conversation.pickTime}
      size="xs"
      closeButtonProps={{ 'aria-label': text.close }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void snooze(id, until)
          close()
        }}
      >
        <TextInput
          type="datetime-local"
          aria-label={text.conversation.pickTime}
          value={moment}
          onChange={(event) => setMoment(event.currentTarget.value)}
          data-autofocus
        />
        <Button type="submit" fullWidth mt="md" disabled={!ahead}>
          {text.conversation.snooze}
        </Button>
      </form>
    </Modal>
  )
}
