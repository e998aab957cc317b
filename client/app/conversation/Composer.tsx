import { Button } from '@mantine/core'
import { IconLock, IconPaperclip, IconSend2 } from '@tabler/icons-react'
import { type ClipboardEvent, type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { fit } from '../../../adapters/fit.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { nameOf } from '../design/plain.ts'
import { useUi } from '../design/ui.ts'
import { useInbox } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { AttachmentChips } from './AttachmentChips.tsx'
import { attach, useAttachments } from './attachments.ts'
import { Closed, Closing } from './Closed.tsx'
import classes from './Composer.module.css'
import { DraftContext } from './DraftContext.tsx'
import { changeDraft, type Draft, useDraft, writeIn } from './drafts.ts'
import { EmojiPicker } from './EmojiPicker.tsx'
import { Segments } from './Segments.tsx'
import { Stale } from './Stale.tsx'
import { useDoor } from './use-door.ts'
import { useSubmit } from './use-submit.ts'
import { useWriting } from './use-writing.ts'

const TALLEST_PX = 220

export function Composer({ conversation }: { conversation: ConversationView }) {
  const { id, contact } = conversation
  const draft = useDraft(id)
  const can = useInbox(conversation.inbox)?.capabilities
  const attachments = useAttachments(id)
  const { wrote, stopped } = useWriting(id)
  const field = useComposerField(words(draft))
  const picker = useRef<HTMLInputElement>(null)
  const [dragging, setDragging] = useState(false)

  const noting = draft.mode === 'note' && !draft.editing
  const written = words(draft)
  const door = useDoor(conversation, can)
  const closed = door.state !== 'open' && !noting
  const fitting = can && !noting && written.trim() ? fit({ type: 'text', text: written.trim() }, can) : null
  const reason = fitting?.as === 'refused' ? fitting.reason : null
  const ability = draft.editing ? can?.content.edit : can?.content.text
  const { submit, ready } = useSubmit({ conversation, draft, attachments, reason, closed, done: stopped })

  const write = (value: string) => {
    changeDraft(id, withWords(draft, value))
    if (noting || draft.editing) return
    if (value) wrote()
    else stopped()
  }
  const take = (files: Iterable<File>) => can && !noting && !closed && attach(id, files, can)
  const onPaste = (event: ClipboardEvent) => {
    if (!event.clipboardData.files.length) return
    event.preventDefault()
    take(event.clipboardData.files)
  }
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setDragging(false)
    take(event.dataTransfer.files)
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === 'Escape') event.currentTarget.blur()
    // While an input method composes a word, Enter means the word.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    submit()
  }

  const carriesFiles =
    can && (can.content.image || can.content.document || can.content.video || can.content.audio)
  return (
    <>
      <Stale conversation={id} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a place to drop files; the button does the same. */}
      <div
        className={classes.composer}
        data-note={noting || undefined}
        data-dragging={dragging || undefined}
        onDragOver={(event) => {
          event.preventDefault()
          setDragging(true)
        }}
        onDragLeave={() => setDragging(false)}
        onDrop={onDrop}
        data-testid="composer"
        data-mode={draft.mode}
      >
        <ModeTabs draft={draft} conversation={conversation} />
        <DraftContext conversation={conversation} draft={draft} />
        {!noting && <AttachmentChips conversation={id} attachments={attachments} />}
        {closed ? (
          <Closed conversation={conversation} door={door} />
        ) : (
          <textarea
            ref={field}
            className={classes.field}
            rows={1}
            dir="auto"
            value={written}
            placeholder={noting ? text.composer.noteHint : text.composer.replyHint(nameOf(contact))}
            aria-label={noting ? text.composer.note : text.composer.reply}
            aria-invalid={reason !== null}
            onChange={(event) => write(event.currentTarget.value)}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
            onBlur={stopped}
            data-testid="composer-input"
          />
        )}
        {dragging && <div className={classes.drop}>{text.composer.drop}</div>}
        {!closed && (
          <div className={classes.bar}>
            {carriesFiles && !noting && !draft.editing && (
              <>
                <ActionIcon
                  label={text.composer.attach}
                  icon={<IconPaperclip size={18} stroke={1.7} />}
                  onClick={() => picker.current?.click()}
                  data-testid="attach"
                />
                <input
                  ref={picker}
                  type="file"
                  multiple
                  hidden
                  aria-label={text.composer.attach}
                  onChange={(event) => {
                    take(event.currentTarget.files ?? [])
                    event.currentTarget.value = ''
                  }}
                  data-testid="attach-input"
                />
              </>
            )}
            <EmojiPicker onPick={(emoji) => write(insertAt(field.current, written, emoji))} />
            <span className={classes.space} />
            {reason && (
              <span className={classes.reason} role="alert" data-testid="composer-reason">
                {reason}
              </span>
            )}
            {!noting && <Closing door={door} />}
            {!noting && !reason && can?.segments === 'sms' && <Segments words={written} />}
            {!noting && can?.segments !== 'sms' && <Length now={written.length} most={ability?.maxLength} />}
            <Button
              size="compact-sm"
              h={30}
              px={12}
              color={noting ? 'yellow.8' : undefined}
              autoContrast={noting}
              rightSection={noting ? <IconLock size={14} /> : <IconSend2 size={15} />}
              disabled={!ready}
              onClick={submit}
              title={text.composer.enterHint}
              data-testid="send"
            >
              {draft.editing ? text.composer.save : noting ? text.composer.addNote : text.composer.send}
            </Button>
          </div>
        )}
      </div>
    </>
  )
}

function ModeTabs({ draft, conversation: { id } }: { draft: Draft; conversation: ConversationView }) {
  if (draft.editing) return null
  return (
    <fieldset className={classes.modes} aria-label={text.composer.label}>
      {(['reply', 'note'] as const).map((mode) => (
        <button
          key={mode}
          type="button"
          aria-pressed={draft.mode === mode}
          onClick={() => writeIn(id, mode)}
          data-testid={`mode-${mode}`}
        >
          {mode === 'note' && <IconLock size={12} aria-hidden="true" />}
          {text.composer[mode]}
        </button>
      ))}
    </fieldset>
  )
}

const NEAR_THE_END = 0.8

/** Shown when it begins to matter. */
function Length({ now, most }: { now: number; most: number | undefined }) {
  if (!most || now < most * NEAR_THE_END) return null
  return <span className={classes.count}>{text.composer.length(now, most)}</span>
}

/** A field as tall as what is in it, which takes the focus when a key, a menu or the palette asks for it. */
function useComposerField(value: string) {
  const field = useRef<HTMLTextAreaElement>(null)
  const wished = useUi((ui) => ui.focusComposer)
  const [before] = useState(wished)
  useEffect(() => {
    if (wished === before) return
    const at = field.current
    at?.focus()
    at?.setSelectionRange(at.value.length, at.value.length)
  }, [wished, before])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the value.
  useEffect(() => {
    const at = field.current
    if (!at) return
    at.style.blockSize = 'auto'
    at.style.blockSize = `${Math.min(at.scrollHeight, TALLEST_PX)}px`
  }, [value])
  return field
}

const words = (draft: Draft): string => draft.editing?.text ?? draft[draft.mode]

const withWords = (draft: Draft, value: string): Partial<Draft> =>
  draft.editing ? { editing: { ...draft.editing, text: value } } : { [draft.mode]: value }

function insertAt(field: HTMLTextAreaElement | null, value: string, piece: string): string {
  const at = field?.selectionStart ?? value.length
  requestAnimationFrame(() => {
    field?.focus()
    field?.setSelectionRange(at + piece.length, at + piece.length)
  })
  return value.slice(0, at) + piece + value.slice(field?.selectionEnd ?? at)
}
