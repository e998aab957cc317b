import { notifications } from '@mantine/notifications'
import { text } from '../text.ts'

/** The clipboard's own interface exists only on https and localhost; the old way works on an office's plain http. */
export async function copyText(words: string): Promise<void> {
  if (navigator.clipboard) await navigator.clipboard.writeText(words)
  else copyBySelection(words)
  notifications.show({ message: text.copied, autoClose: 1500, withCloseButton: false })
}

function copyBySelection(words: string): void {
  const field = document.createElement('textarea')
  field.value = words
  field.setAttribute('readonly', '')
  document.body.append(field)
  field.select()
  document.execCommand('copy')
  field.remove()
}
