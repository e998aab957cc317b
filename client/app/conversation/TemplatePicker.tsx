import { Button, Loader, Modal, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Template } from '../../../adapters/adapter.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { fetchTemplates } from '../api/endpoints.ts'
import { problemOf } from '../api/http.ts'
import { Blank } from '../design/Blank.tsx'
import { text } from '../text.ts'
import classes from './TemplatePicker.module.css'
import { useSend } from './use-send.ts'

/** Chooses one of the texts the provider approved, and fills its blanks. */
export function TemplatePicker({
  conversation,
  opened,
  close,
}: {
  conversation: ConversationView
  opened: boolean
  close: () => void
}) {
  const { inbox } = conversation
  const { data, error } = useQuery({
    queryKey: ['templates', inbox],
    queryFn: () => fetchTemplates(inbox),
    enabled: opened,
  })
  const [chosen, setChosen] = useState<Template>()
  const send = useSend(conversation)
  const done = () => {
    setChosen(undefined)
    close()
  }
  const approved = data?.data.filter(({ status }) => status === 'approved') ?? []
  return (
    <Modal
      opened={opened}
      onClose={done}
      title={chosen ? chosen.name : text.composer.chooseTemplate}
      closeButtonProps={{ 'aria-label': text.close }}
    >
      {error && <p role="alert">{problemOf(error)?.detail ?? text.unreachable}</p>}
      {!data && !error && <Loader />}
      {data && approved.length === 0 && (
        <Blank title={text.composer.noTemplates} lead={text.composer.noTemplatesLead} />
      )}
      {chosen ? (
        <Fill
          template={chosen}
          back={() => setChosen(undefined)}
          send={(parameters, words) => {
            const { name, language } = chosen
            send({ content: { type: 'template', name, language, parameters, text: words } })
            done()
          }}
        />
      ) : (
        <ul className={classes.templates}>
          {approved.map((template) => (
            <li key={`${template.name} ${template.language}`}>
              <button type="button" onClick={() => setChosen(template)} data-testid="template">
                <b>{template.name}</b> <small>{template.language}</small>
                <span dir="auto">{template.text}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Modal>
  )
}

function Fill({
  template,
  back,
  send,
}: {
  template: Template
  back: () => void
  send: (parameters: string[], words: string) => void
}) {
  const blanks = [...new Set(template.text.match(/\{\{\d+\}\}/g) ?? [])]
  const [values, setValues] = useState(blanks.map(() => ''))
  const words = blanks.reduce((sofar, blank, i) => sofar.replaceAll(blank, values[i] || blank), template.text)
  const whole = values.every((value) => value.trim() !== '')
  return (
    <form
      className={classes.fill}
      onSubmit={(event) => {
        event.preventDefault()
        if (whole) send(values, words)
      }}
    >
      {blanks.map((blank, i) => (
        <TextInput
          key={blank}
          label={text.composer.blank(i + 1)}
          value={values[i]}
          required
          dir="auto"
          data-autofocus={i === 0 || undefined}
          onChange={(event) => setValues(values.with(i, event.currentTarget.value))}
          data-testid="template-blank"
        />
      ))}
      <blockquote dir="auto" data-testid="template-preview">
        {words}
      </blockquote>
      <div className={classes.actions}>
        <Button variant="default" onClick={back}>
          {text.back}
        </Button>
        <Button type="submit" disabled={!whole} data-testid="send-template">
          {text.composer.send}
        </Button>
      </div>
    </form>
  )
}
