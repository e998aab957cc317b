import { Button, Modal, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { addInbox, type NewInbox } from '../api/endpoints.ts'
import { text } from '../text.ts'
import classes from './form.module.css'
import { problemsOf } from './problems.ts'

interface Field {
  name: string
  label: string
  hint?: string
  secret?: boolean
}
interface Kind {
  channel: string
  provider: string
  label: string
  credentials: Field[]
  sender: string
}

/** What each provider needs to be reached; a new one is a row here. */
const KINDS: Kind[] = [
  {
    channel: 'telegram',
    provider: 'telegram',
    label: 'Telegram',
    sender: text.admin.telegramSender,
    credentials: [
      { name: 'token', label: text.admin.telegramToken, hint: text.admin.telegramTokenHint, secret: true },
      {
        name: 'webhookSecret',
        label: text.admin.telegramSecret,
        hint: text.admin.telegramSecretHint,
        secret: true,
      },
    ],
  },
  {
    channel: 'sms',
    provider: 'twilio',
    label: 'SMS · Twilio',
    sender: text.admin.twilioSender,
    credentials: [
      { name: 'accountSid', label: text.admin.twilioSid },
      { name: 'authToken', label: text.admin.twilioToken, secret: true },
    ],
  },
]

const EMPTY = {
  name: '',
  sender: '',
  apiBase: '',
  token: '',
  webhookSecret: '',
  accountSid: '',
  authToken: '',
}
type Values = typeof EMPTY

interface Props {
  opened: boolean
  close: () => void
}

export function AddInbox({ opened, close }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={text.admin.addInbox}
      closeButtonProps={{ 'aria-label': text.close }}
    >
      <Form close={close} />
    </Modal>
  )
}

function Form({ close }: { close: () => void }) {
  const queries = useQueryClient()
  const [provider, setProvider] = useState('telegram')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const form = useForm<Values>({ initialValues: { ...EMPTY, webhookSecret: randomSecret() } })
  const kind = KINDS.find((candidate) => candidate.provider === provider) ?? KINDS[0]
  if (!kind) return null

  const submit = form.onSubmit(async (values) => {
    setBusy(true)
    setFailure(null)
    try {
      const inbox = await addInbox(inboxOf(kind, values))
      await queries.invalidateQueries({ queryKey: ['inboxes'] })
      notifications.show({ message: text.admin.created(inbox.name), color: 'green' })
      close()
    } catch (error) {
      const { words, fields } = problemsOf(error)
      form.setErrors(fields)
      setFailure(words)
      setBusy(false)
    }
  })

  const input = (field: Field) => ({
    ...form.getInputProps(field.name),
    label: field.label,
    description: field.hint,
    required: true,
    autoComplete: 'off',
    'data-testid': `inbox-${field.name}`,
  })

  return (
    <form className={classes.form} onSubmit={submit} data-testid="inbox-form">
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label={text.admin.channel}
        value={provider}
        onChange={setProvider}
        data={KINDS.map(({ provider: value, label }) => ({ value, label }))}
      />
      <TextInput
        {...input({ name: 'name', label: text.admin.name, hint: text.admin.nameHint })}
        data-autofocus
      />
      {kind.credentials.map((field) =>
        field.secret ? (
          <PasswordInput
            key={field.name}
            {...input(field)}
            visibilityToggleButtonProps={{ 'aria-label': text.signIn.showPassword }}
          />
        ) : (
          <TextInput key={field.name} {...input(field)} />
        ),
      )}
      <TextInput {...input({ name: 'sender', label: kind.sender })} />
      <TextInput
        {...input({ name: 'apiBase', label: text.admin.apiBase, hint: text.admin.apiBaseHint })}
        required={false}
      />
      {failure && (
        <p className={classes.failure} role="alert">
          {failure}
        </p>
      )}
      <Button type="submit" loading={busy} data-testid="inbox-submit">
        {text.admin.create}
      </Button>
    </form>
  )
}

/** Nobody needs to think of one: it is shared by us and the provider alone. */
const randomSecret = (): string =>
  [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

function inboxOf(kind: Kind, values: Values): NewInbox {
  const secrets = new Map(Object.entries(values))
  const credentials = Object.fromEntries(
    kind.credentials.map(({ name }) => [name, (secrets.get(name) ?? '').trim()]),
  )
  const apiBase = values.apiBase.trim()
  return {
    name: values.name.trim(),
    channel: kind.channel,
    routes: [
      { provider: kind.provider, credentials, sender: values.sender.trim(), ...(apiBase ? { apiBase } : {}) },
    ],
  }
}
