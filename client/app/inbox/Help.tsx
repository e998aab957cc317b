import { Kbd, Modal, Switch } from '@mantine/core'
import { setUi, turnKeys, useUi } from '../design/ui.ts'
import { text } from '../text.ts'
import classes from './Help.module.css'

const KEYS: [string[], string][] = [
  [['J'], text.keys.next],
  [['K'], text.keys.previous],
  [['R', 'Enter'], text.keys.reply],
  [['N'], text.keys.note],
  [['E'], text.keys.resolve],
  [['A'], text.keys.assign],
  [['S'], text.keys.snooze],
  [['/'], text.keys.search],
  [['Ctrl K', '⌘ K'], text.keys.palette],
  [['Esc'], text.keys.escape],
  [['Enter'], text.keys.send],
  [['Shift Enter'], text.keys.newline],
  [['?'], text.keys.help],
]

export default function Help() {
  const keysOn = useUi((ui) => ui.keysOn)
  return (
    <Modal
      opened
      onClose={() => setUi({ helpOpen: false })}
      title={text.keys.heading}
      closeButtonProps={{ 'aria-label': text.close }}
      size="md"
    >
      <dl className={classes.keys}>
        {KEYS.map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>{meaning}</dt>
            <dd>
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <Switch
        className={classes.turn}
        checked={keysOn}
        onChange={(event) => turnKeys(event.currentTarget.checked)}
        label={text.keys.turn}
        data-testid="keys-switch"
      />
    </Modal>
  )
}
