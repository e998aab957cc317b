import type { ClientMessageId } from '../../../models/ids.ts'
import { postMessage, toWire } from '../api/endpoints.ts'
import { problemOf } from '../api/http.ts'
import { storageKey } from '../base.ts'
import { currentSession } from '../session/session.ts'
import { sendable } from './pending.ts'
import type { PendingMessage } from './state.ts'
import { dispatch, live } from './store.ts'

/**
 * Unsent messages, kept until the server has answered for them: over a reload, a crash, a night without a network. Each
 * has its own key, so that two tabs never overwrite one another; both may send the same one, since its name is the same.
 */
const prefix = (): string => storageKey(`outbox:${currentSession()?.agent.id ?? ''}:`)

const RETRY_AFTER_MS = [1_000, 2_000, 5_000, 10_000, 30_000]
let failures = 0
let retry: ReturnType<typeof setTimeout> | undefined

export function openOutbox(): () => void {
  const kept = readKept()
  dispatch({ type: 'pending.added', messages: kept })
  const stop = live.subscribe((state, before) => {
    if (state.pending !== before.pending) keep(before.pending, state.pending)
  })
  const told = (event: StorageEvent): void => {
    const id =
      event.key?.startsWith(prefix()) && event.newValue === null ? event.key.slice(prefix().length) : ''
    const mine = live.getState().pending.find(({ clientId }) => clientId === id)
    // Another tab had its answer, or its author took it back there.
    if (mine && mine.state !== 'sending') dispatch({ type: 'pending.dropped', clientId: mine.clientId })
  }
  window.addEventListener('storage', told)
  return () => {
    stop()
    window.removeEventListener('storage', told)
    clearTimeout(retry)
  }
}

export function post(message: PendingMessage): void {
  dispatch({ type: 'pending.added', messages: [message] })
  sendWaiting()
}

/** The agent's own wish: not before its turn, but without waiting for the clock. */
export function sendAgain(clientId: ClientMessageId): void {
  failures = 0
  dispatch({ type: 'pending.marked', clientId, state: 'unsent' })
  sendWaiting()
}

export function sendAnyway(clientId: ClientMessageId): void {
  dispatch({ type: 'pending.freed', clientId })
  sendWaiting()
}

export function discard(clientId: ClientMessageId): void {
  dispatch({ type: 'pending.dropped', clientId })
  sendWaiting()
}

export function sendWaiting(): void {
  clearTimeout(retry)
  for (const message of sendable(live.getState().pending)) void send(message)
}

async function send(message: PendingMessage): Promise<void> {
  const { clientId, conversation, content, note, replyTo, seenRev, expectedAssignee } = message
  dispatch({ type: 'pending.marked', clientId, state: 'sending' })
  try {
    const answer = await postMessage(conversation, {
      clientId,
      content: toWire(content),
      ...(note ? { note } : {}),
      ...(replyTo ? { replyTo } : {}),
      ...(seenRev !== undefined ? { seenRev } : {}),
      ...(expectedAssignee ? { expectedAssignee } : {}),
    })
    failures = 0
    dispatch({ type: 'message.answered', message: answer })
    // The answer stands even where its own name was not on it.
    dispatch({ type: 'pending.dropped', clientId })
    sendWaiting()
  } catch (error) {
    const problem = problemOf(error)
    if (problem && !problem.retryable) {
      dispatch({ type: 'pending.marked', clientId, state: 'refused', problem })
      return
    }
    dispatch({ type: 'pending.marked', clientId, state: 'unsent', ...(problem ? { problem } : {}) })
    const wait = RETRY_AFTER_MS[Math.min(failures++, RETRY_AFTER_MS.length - 1)]
    clearTimeout(retry)
    retry = setTimeout(sendWaiting, wait)
  }
}

function keep(before: PendingMessage[], now: PendingMessage[]): void {
  const held = new Set(now.map(({ clientId }) => clientId))
  for (const { clientId } of before) {
    if (!held.has(clientId)) localStorage.removeItem(prefix() + clientId)
  }
  for (const message of now) {
    if (!before.includes(message)) keepOne(message)
  }
}

function keepOne(message: PendingMessage): void {
  try {
    localStorage.setItem(prefix() + message.clientId, JSON.stringify(message))
  } catch {
    // The browser gives no room: it is still sent, but does not outlive a reload.
  }
}

function readKept(): PendingMessage[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix()))
    .flatMap((key) => {
      try {
        return [JSON.parse(localStorage.getItem(key) ?? '') as PendingMessage]
      } catch {
        return []
      }
    })
    .map((message) => (message.state === 'sending' ? { ...message, state: 'unsent' as const } : message))
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt))
}
