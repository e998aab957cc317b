import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useState } from 'react'
import { problemOf } from '../api/http.ts'
import { Logo } from '../design/Logo.tsx'
import { text } from '../text.ts'
import classes from './SignIn.module.css'
import { signIn } from './session.ts'

export function SignIn() {
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const form = useForm({ mode: 'uncontrolled', initialValues: { email: '', password: '' } })

  const submit = form.onSubmit(async ({ email, password }) => {
    setBusy(true)
    setFailure(null)
    try {
      await signIn(email.trim(), password)
    } catch (error) {
      setFailure(reasonOf(error))
      setBusy(false)
    }
  })

  return (
    <main className={classes.page}>
      <form className={classes.card} onSubmit={submit} data-testid="sign-in">
        <Logo size={40} />
        <h1 className={classes.heading}>{text.signIn.heading}</h1>
        <p className={classes.lead}>{text.signIn.lead}</p>
        <TextInput
          {...form.getInputProps('email')}
          label={text.signIn.email}
          type="email"
          name="email"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
          size="md"
          data-testid="sign-in-email"
        />
        <PasswordInput
          {...form.getInputProps('password')}
          label={text.signIn.password}
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          size="md"
          visibilityToggleButtonProps={{ 'aria-label': text.signIn.showPassword }}
          data-testid="sign-in-password"
        />
        {failure && (
          <p className={classes.failure} role="alert" data-testid="sign-in-error">
            {failure}
          </p>
        )}
        <Button type="submit" size="md" fullWidth loading={busy} data-testid="sign-in-submit">
          {text.signIn.button}
        </Button>
      </form>
    </main>
  )
}

function reasonOf(error: unknown): string {
  const problem = problemOf(error)
  if (!problem) return text.unreachable
  if (problem.status === 401) return text.signIn.wrong
  if (problem.status === 429) return text.signIn.tooMany
  return problem.detail
}
