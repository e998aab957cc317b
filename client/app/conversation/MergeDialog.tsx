import { Modal, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ContactView } from '../../../server/realtime/protocol.ts'
import { addMerge, fetchContacts } from '../api/endpoints.ts'
import { problemOf } from '../api/http.ts'
import { complain } from '../design/complain.ts'
import { plain } from '../design/plain.ts'
import { text } from '../text.ts'
import classes from './TemplatePicker.module.css'

/** Finds the other one who is the same person. */
export function MergeDialog({
  person,
  opened,
  close,
  done,
}: {
  person: ContactView
  opened: boolean
  close: () => void
  done: (person: ContactView) => void
}) {
  const [typed, setTyped] = useState('')
  const [q] = useDebouncedValue(typed.trim(), 200)
  const { data, error } = useQuery({
    queryKey: ['contacts', q],
    queryFn: () => fetchContacts(q),
    enabled: opened && q !== '',
  })
  const found = data?.data.filter(({ id }) => id !== person.id) ?? []
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={text.person.mergeTitle(plain(person.name))}
      closeButtonProps={{ 'aria-label': text.close }}
    >
      <div className={classes.fill}>
        <TextInput
          label={text.person.mergeFind}
          description={text.person.mergeLead}
          value={typed}
          autoComplete="off"
          data-autofocus
          onChange={(event) => setTyped(event.currentTarget.value)}
          data-testid="merge-find"
        />
        {error && <p role="alert">{problemOf(error)?.detail ?? text.unreachable}</p>}
        {data && found.length === 0 && <p>{text.person.mergeNobody}</p>}
        <ul className={classes.templates}>
          {found.map((other) => (
            <li key={other.id}>
              <button
                type="button"
                onClick={() =>
                  void addMerge(person.id, other.id)
                    .then((united) => {
                      done(united)
                      close()
                    })
                    .catch(complain)
                }
                data-testid="merge-with"
              >
                <b>{plain(other.name)}</b>
                <span>{other.channels.map(plain).join(' · ')}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </Modal>
  )
}
