import { Button, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { modals } from '@mantine/modals'
import { IconCopy, IconKey, IconPlus, IconTrash } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ApiKeyView } from '../../../server/realtime/protocol.ts'
import { addApiKey, deleteApiKey, fetchApiKeys } from '../api/endpoints.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { Blank } from '../design/Blank.tsx'
import { complain } from '../design/complain.ts'
import { copyText } from '../design/copy.ts'
import { fullTime } from '../design/time.ts'
import { text } from '../text.ts'
import classes from './Admin.module.css'
import { Dialog, Submit, useSubmission } from './Dialog.tsx'
import formClasses from './form.module.css'

/** The keys by which other systems send. */
export function ApiKeys() {
  const queries = useQueryClient()
  const { data } = useQuery({ queryKey: ['api-keys'], queryFn: fetchApiKeys })
  const [adding, setAdding] = useState(false)
  const keys = data?.data.filter(({ revokedAt }) => revokedAt === null) ?? []
  const revoke = ({ id, name }: ApiKeyView) =>
    modals.openConfirmModal({
      title: text.admin.revokeKey(name),
      children: text.admin.revokeKeyLead,
      labels: { confirm: text.admin.revoke, cancel: text.cancel },
      confirmProps: { color: 'red' },
      onConfirm: () =>
        void deleteApiKey(id)
          .then(() => queries.invalidateQueries({ queryKey: ['api-keys'] }))
          .catch(complain),
    })
  return (
    <section className={classes.section} aria-labelledby="api-keys">
      <div className={classes.sectionHead}>
        <h2 id="api-keys">{text.admin.apiKeys}</h2>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => setAdding(true)}
          data-testid="add-api-key"
        >
          {text.admin.addApiKey}
        </Button>
      </div>
      {data && keys.length === 0 && (
        <Blank title={text.admin.noApiKeys} lead={text.admin.noApiKeysLead} icon={<IconKey size={24} />} />
      )}
      <ul className={classes.cards}>
        {keys.map((key) => (
          <li key={key.id} className={classes.person} data-testid="api-key-row">
            <IconKey size={20} stroke={1.6} aria-hidden="true" />
            <div className={classes.about}>
              <bdi className={classes.name}>{key.name}</bdi>
              <span className={classes.faint}>{text.admin.keySince(fullTime(key.createdAt))}</span>
            </div>
            <ActionIcon
              label={text.admin.revokeKey(key.name)}
              icon={<IconTrash size={16} />}
              onClick={() => revoke(key)}
              data-testid="revoke-api-key"
            />
          </li>
        ))}
      </ul>
      <Dialog title={text.admin.addApiKey} opened={adding} close={() => setAdding(false)}>
        <Form close={() => setAdding(false)} />
      </Dialog>
    </section>
  )
}

function Form({ close }: { close: () => void }) {
  const queries = useQueryClient()
  const form = useForm({ initialValues: { name: '' } })
  const [secret, setSecret] = useState<string>()
  const { busy, failure, submit } = useSubmission(form.setErrors)
  if (secret)
    return (
      <div className={formClasses.form}>
        <p className={formClasses.lead}>{text.admin.keyOnce}</p>
        <code className={formClasses.key} data-testid="api-key-secret">
          {secret}
        </code>
        <Button leftSection={<IconCopy size={14} />} variant="default" onClick={() => copyText(secret)}>
          {text.admin.copyKey}
        </Button>
        <Button onClick={close}>{text.admin.keyKept}</Button>
      </div>
    )
  return (
    <form
      className={formClasses.form}
      onSubmit={form.onSubmit(({ name }) =>
        submit(async () => {
          const made = await addApiKey(name.trim())
          await queries.invalidateQueries({ queryKey: ['api-keys'] })
          setSecret(made.secret)
        }),
      )}
      data-testid="api-key-form"
    >
      <TextInput
        {...form.getInputProps('name')}
        label={text.admin.keyName}
        description={text.admin.keyNameHint}
        required
        autoComplete="off"
        data-autofocus
        data-testid="api-key-name"
      />
      <Submit label={text.admin.makeKey} busy={busy} failure={failure} testId="api-key-submit" />
    </form>
  )
}
