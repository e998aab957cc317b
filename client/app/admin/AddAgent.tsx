import { Button, Modal, NativeSelect, PasswordInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Role } from '../../../server/realtime/protocol.ts'
import { addAgent } from '../api/endpoints.ts'
import { text } from '../text.ts'
import classes from './form.module.css'
import { problemsOf } from './problems.ts'

const ROLES: Role[] = ['agent', 'supervisor', 'admin']

interface Props {
  opened: boolean
  close: () => void
}

export function AddAgent({ opened, close }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={text.admin.addAgent}
      closeButtonProps={{ 'aria-label': text.close }}
    >
      <Form close={close} />
    </Modal>
  )
}

function Form({ close }: { close: () => void }) {
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const form = useForm({ initialValues: { name: '', email: '', password: '', role: 'agent' as Role } })

  const submit = form.onSubmit(async ({ name, email, password, role }) => {
    setBusy(true)
    setFailure(null)
    try {
      const agent = await addAgent({ name: name.trim(), email: email.trim(), password, role })
      await queries.invalidateQueries({ queryKey: ['agents'] })
      notifications.show({ message: text.admin.createdAgent(agent.name), color: 'green' })
      close()
    } catch (error) {
      const { words, fields } = problemsOf(error)
      form.setErrors(fields)
      setFailure(words)
      setBusy(false)
    }
  })

  return (
    <form className={classes.form} onSubmit={submit} data-testid="agent-form">
      <TextInput
        {...form.getInputProps('name')}
        label={text.admin.agentName}
        required
        autoComplete="off"
        data-autofocus
        data-testid="agent-name"
      />
      <TextInput
        {...form.getInputProps('email')}
        label={text.admin.agentEmail}
        type="email"
        required
        autoComplete="off"
        data-testid="agent-email"
      />
      <PasswordInput
        {...form.getInputProps('password')}
        label={text.admin.agentPassword}
        description={text.admin.passwordLength}
        minLength={10}
        required
        autoComplete="new-password"
        visibilityToggleButtonProps={{ 'aria-label': text.signIn.showPassword }}
        data-testid="agent-password"
      />
      <NativeSelect
        {...form.getInputProps('role')}
        label={text.admin.role}
        data={ROLES.map((value) => ({ value, label: text.admin.roles[value] ?? value }))}
        data-testid="agent-role"
      />
      {failure && (
        <p className={classes.failure} role="alert">
          {failure}
        </p>
      )}
      <Button type="submit" loading={busy} data-testid="agent-submit">
        {text.admin.createAgent}
      </Button>
    </form>
  )
}
