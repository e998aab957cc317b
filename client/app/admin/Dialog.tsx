import { Button, Modal } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { text } from '../text.ts'
import classes from './form.module.css'
import { problemsOf } from './problems.ts'

/** A form of the admin's in a window of its own; what it holds is forgotten when it closes. */
export function Dialog({
  title,
  opened,
  close,
  children,
}: {
  title: string
  opened: boolean
  close: () => void
  children: ReactNode
}) {
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ 'aria-label': text.close }}>
      {children}
    </Modal>
  )
}

/** One attempt of a form at a time, and what became of it: the server's words under the fields they are about. */
export function useSubmission(setErrors: (fields: Record<string, string>) => void) {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const submit = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true)
    setFailure(null)
    try {
      await work()
    } catch (error) {
      const { words, fields } = problemsOf(error)
      setErrors(fields)
      setFailure(words)
    }
    setBusy(false)
  }
  return { busy, failure, submit }
}

/** What went wrong, and the button to try. */
export const Submit = ({
  label,
  busy,
  failure,
  testId,
}: {
  label: string
  busy: boolean
  failure: string | null
  testId: string
}) => (
  <>
    {failure && (
      <p className={classes.failure} role="alert">
        {failure}
      </p>
    )}
    <Button type="submit" loading={busy} data-testid={testId}>
      {label}
    </Button>
  </>
)
