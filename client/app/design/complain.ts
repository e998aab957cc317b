import { notifications } from '@mantine/notifications'
import { problemOf } from '../api/http.ts'
import { text } from '../text.ts'

/** An action's failure, said once in a corner: the state on screen was never changed by it. */
export function complain(error: unknown): void {
  notifications.show({
    color: 'red',
    title: text.conversation.actionFailed,
    message: problemOf(error)?.detail ?? text.unreachable,
    withBorder: true,
  })
}
