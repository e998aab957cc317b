import { NativeSelect, PasswordInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import type { Role } from '../../../server/realtime/protocol.ts'
import { addAgent } from '../api/endpoints.ts'
import { text } from '../text.ts'
import { Dialog, Submit, useSubmission } from './Dialog.tsx'
import classes from './form.module.css'

const ROLES: Role[] = ['agent', 'supervisor', 'admin']

interface Props {
  opened: boolean
  close: () => void
}

export function AddAgent({ opened, close }: Props) {
  return (
    <Dialog title={text.admin.addAgent} opened={opened} close={close}>
      <Form close={close} />
    </Dialog>
  )
}

function Form({ close }: { close: () => void }) {
  const queries = useQueryClient()
  const form = useForm({ initialValues: { name: '', email: '', password: '', role: 'agent' as Role } })
  const { busy, failure, submit } = useSubmission(form.setErrors)

  return (
    <form
      className={classes.form}
      onSubmit={form.onSubmit(({ name, email, password, role }) =>
        submit(async () => {
          const agent = await addAgent({ name: name.trim(), email: email.trim(), password, role })
          await queries.invalidateQueries({ queryKey: ['agents'] })
          notifications.show({ message: text.admin.createdAgent(agent.name), color: 'green' })
          close()
        }),
      )}
      data-testid="agent-form"
    >
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
      <Submit label={text.admin.createAgent} busy={busy} failure={failure} testId="agent-submit" />
    </form>
  )
}
