import { IconPlus, IconX } from '@tabler/icons-react'
import { type FormEvent, useState } from 'react'
import type { HandsetView } from '../../../server/sandbox/protocol.ts'
import { APPS } from '../apps.tsx'
import { phoneOf } from '../format.ts'
import { Avatar } from '../phone/Avatar.tsx'
import { activePhone, type State, unread } from '../state.ts'
import type { Doings } from '../useSandbox.ts'
import { nextName } from './names.ts'

interface Props {
  state: State
  doings: Doings
}

/** The phones of this browser: each is another customer. */
export function Visitors({ state, doings }: Props) {
  const [adding, setAdding] = useState(false)
  const active = activePhone(state)
  if (state.phones.length === 0) return <aside className="visitors" aria-label="Phones" />
  return (
    <aside className="visitors" aria-label="Phones">
      <h2>Phones</h2>
      <ul>
        {state.phones.map((phone) => (
          <li key={phone.id}>
            <button
              type="button"
              className="visitor"
              aria-current={phone.id === active?.id}
              onClick={() => doings.activate(phone.id)}
            >
              <Avatar name={phone.name} />
              <span className="visitor-text">
                <strong>{phone.name}</strong>
                <span className="sub">{phoneOf(phone.phone)}</span>
              </span>
              <Count of={APPS.reduce((sum, { channel }) => sum + unread(state, phone, channel), 0)} />
            </button>
            {state.phones.length > 1 && <Forget phone={phone} doings={doings} />}
          </li>
        ))}
      </ul>
      {adding ? (
        <NewPhone
          suggestion={nextName(state.phones.map(({ name }) => name))}
          onCancel={() => setAdding(false)}
          onName={async (name) => (await doings.addPhone(name)) && setAdding(false)}
        />
      ) : (
        <button type="button" className="add-phone" onClick={() => setAdding(true)}>
          <IconPlus size={17} aria-hidden="true" /> Another customer
        </button>
      )}
    </aside>
  )
}

function Count({ of }: { of: number }) {
  return of > 0 ? (
    <span className="count">
      {of}
      <span className="hidden"> unread</span>
    </span>
  ) : null
}

function Forget({ phone, doings }: { phone: HandsetView; doings: Doings }) {
  return (
    <button
      type="button"
      className="forget"
      aria-label={`Put ${phone.name}’s phone away`}
      title="Put this phone away"
      onClick={() => doings.forgetPhone(phone.id)}
    >
      <IconX size={14} />
    </button>
  )
}

interface NewPhoneProps {
  suggestion: string
  onName: (name: string) => void
  onCancel: () => void
}

function NewPhone({ suggestion, onName, onCancel }: NewPhoneProps) {
  const [name, setName] = useState(suggestion)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (name.trim()) onName(name.trim())
  }
  return (
    <form className="new-phone" onSubmit={submit}>
      <label>
        <span className="field-name">Their name</span>
        <input
          value={name}
          maxLength={60}
          // biome-ignore lint/a11y/noAutofocus: the visitor asked for this field just now
          autoFocus
          onFocus={(event) => event.currentTarget.select()}
          onChange={(event) => setName(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && onCancel()}
        />
      </label>
      <div>
        <button type="button" className="plain" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={!name.trim()}>
          Add
        </button>
      </div>
    </form>
  )
}
