import { Loader, NativeSelect, PasswordInput, SegmentedControl, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { CredentialField } from '../../../adapters/adapter.ts'
import type { ProviderView } from '../../../server/realtime/protocol.ts'
import { addInbox, fetchProviders, type NewInbox } from '../api/endpoints.ts'
import { channelName } from '../design/ChannelIcon.tsx'
import { text } from '../text.ts'
import { Dialog, Submit, useSubmission } from './Dialog.tsx'
import classes from './form.module.css'

interface Props {
  opened: boolean
  close: () => void
}

export function AddInbox({ opened, close }: Props) {
  const { data } = useQuery({
    queryKey: ['providers'],
    queryFn: fetchProviders,
    enabled: opened,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return (
    <Dialog title={text.admin.addInbox} opened={opened} close={close}>
      {data ? <Choose providers={data.data} close={close} /> : <Loader />}
    </Dialog>
  )
}

/** First the channel, then who carries it; each asks for what it needs itself. */
function Choose({ providers, close }: { providers: ProviderView[]; close: () => void }) {
  const channels = [...new Set(providers.map(({ channel }) => channel))]
  const [channel, setChannel] = useState(channels[0])
  const carriers = providers.filter((each) => each.channel === channel)
  const [wanted, setWanted] = useState<string>()
  const provider = carriers.find((each) => each.provider === wanted) ?? carriers[0]
  if (!provider) return null
  return (
    <div className={classes.form}>
      <NativeSelect
        label={text.admin.channel}
        value={channel}
        onChange={(event) =>
          setChannel(channels.find((each) => each === event.currentTarget.value) ?? channels[0])
        }
        data={channels.map((value) => ({ value, label: channelName(value) }))}
        data-testid="inbox-channel"
      />
      {carriers.length > 1 && (
        <SegmentedControl
          fullWidth
          size="xs"
          aria-label={text.admin.provider}
          value={provider.provider}
          onChange={setWanted}
          data={carriers.map((each) => ({ value: each.provider, label: each.title }))}
        />
      )}
      <Form key={`${provider.provider} ${provider.channel}`} provider={provider} close={close} />
    </div>
  )
}

interface Values {
  name: string
  sender: string
  apiBase: string
  credentials: Record<string, string>
}

function Form({ provider, close }: { provider: ProviderView; close: () => void }) {
  const { asks, asksSender } = provider
  const queries = useQueryClient()
  const form = useForm<Values>({
    initialValues: {
      name: '',
      sender: '',
      apiBase: '',
      credentials: Object.fromEntries(
        asks.map(({ name, kind }) => [name, kind === 'generated' ? randomSecret() : '']),
      ),
    },
  })
  const isCredential = (field: string) => asks.some(({ name }) => name === field)
  const { busy, failure, submit } = useSubmission((fields) =>
    form.setErrors(
      Object.fromEntries(
        Object.entries(fields).map(([field, words]) => [
          isCredential(field) ? `credentials.${field}` : field,
          words,
        ]),
      ),
    ),
  )
  const input = (field: Pick<CredentialField, 'label' | 'hint' | 'optional'>, path: string) => ({
    ...form.getInputProps(path),
    label: field.label,
    description: field.hint,
    required: !field.optional,
    autoComplete: 'off',
    'data-testid': `inbox-${path.split('.').at(-1)}`,
  })
  return (
    <form
      className={classes.form}
      onSubmit={form.onSubmit((values) =>
        submit(async () => {
          const inbox = await addInbox(inboxOf(provider, values))
          await queries.invalidateQueries({ queryKey: ['inboxes'] })
          notifications.show({ message: text.admin.created(inbox.name), color: 'green' })
          close()
        }),
      )}
      data-testid="inbox-form"
    >
      <TextInput {...input({ label: text.admin.name, hint: text.admin.nameHint }, 'name')} data-autofocus />
      {asks.map((field) => (
        <Ask key={field.name} field={field} input={input(field, `credentials.${field.name}`)} />
      ))}
      {asksSender && <TextInput {...input(asksSender, 'sender')} />}
      <TextInput
        {...input({ label: text.admin.apiBase, hint: text.admin.apiBaseHint, optional: true }, 'apiBase')}
      />
      <Submit label={text.admin.create} busy={busy} failure={failure} testId="inbox-submit" />
    </form>
  )
}

function Ask({ field, input }: { field: CredentialField; input: object }) {
  switch (field.kind) {
    case 'secret':
    case 'generated':
      return (
        <PasswordInput {...input} visibilityToggleButtonProps={{ 'aria-label': text.signIn.showPassword }} />
      )
    case 'multiline':
      return <Textarea {...input} autosize minRows={3} maxRows={8} />
    case 'text':
    case undefined:
      return <TextInput {...input} />
  }
}

/** Nobody needs to think of one: it is shared by us and the provider alone. */
const randomSecret = (): string =>
  [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

function inboxOf({ channel, provider }: ProviderView, values: Values): NewInbox {
  const credentials = Object.fromEntries(
    Object.entries(values.credentials)
      .map(([name, value]) => [name, value.trim()] as const)
      .filter(([, value]) => value !== ''),
  )
  const apiBase = values.apiBase.trim()
  return {
    name: values.name.trim(),
    channel,
    routes: [{ provider, credentials, sender: values.sender.trim(), ...(apiBase ? { apiBase } : {}) }],
  }
}
