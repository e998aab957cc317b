import { type FormEvent, useState } from 'react'
import { nextName } from '../desk/names.ts'

/** The first screen of a new phone. */
export function Welcome({ onName }: { onName: (name: string) => Promise<boolean> }) {
  const [name, setName] = useState(nextName([]))
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (!name.trim()) return
    setBusy(true)
    if (!(await onName(name.trim()))) setBusy(false)
  }
  return (
    <form className="welcome" onSubmit={submit}>
      <span className="welcome-wave" aria-hidden="true">
        👋
      </span>
      <h2>Hello</h2>
      <p>
        This phone is yours. It has Telegram, WhatsApp, Messenger and text messages, and a business to write
        to. Who are you?
      </p>
      <label>
        <span className="hidden">Your name</span>
        <input
          value={name}
          maxLength={60}
          placeholder="Your name"
          onFocus={(event) => event.currentTarget.select()}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <button type="submit" className="primary" disabled={busy || !name.trim()}>
        Switch it on
      </button>
    </form>
  )
}
