import type {
  AccountsView,
  BubbleView,
  FaultView,
  HandsetView,
  SandboxChannel,
  WebhookView,
} from '../../server/sandbox/protocol.ts'

/** Relative to the page's base, so that it works behind a path prefix. */
export const address = (path: string): string => new URL(`sandbox/api/${path}`, document.baseURI).href

export const fileAddress = (id: string): string => address(`files/${encodeURIComponent(id)}`)

/** What the sandbox refused, in its own sentence. */
export class Refused extends Error {
  readonly status: number
  constructor(status: number, sentence: string) {
    super(sentence)
    this.status = status
  }
}

async function ask<T>(method: string, path: string, body?: object | FormData): Promise<T> {
  const response = await fetch(address(path), {
    method,
    ...(body instanceof FormData
      ? { body }
      : body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Refused(0, 'The server cannot be reached.')
  })
  const text = await response.text()
  if (!response.ok)
    throw new Refused(response.status, detailOf(text) ?? `That did not work (${response.status}).`)
  return (text ? JSON.parse(text) : undefined) as T
}

function detailOf(text: string): string | undefined {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown }
    return typeof detail === 'string' ? detail : undefined
  } catch {
    return undefined
  }
}

export interface Draft {
  channel: SandboxChannel
  text?: string
  file?: File
  location?: { latitude: number; longitude: number; name?: string }
  contact?: 'own'
  replyTo?: string
}

const phone = (id: string): string => `handsets/${encodeURIComponent(id)}`
const message = (id: string, bubble: string): string => `${phone(id)}/messages/${encodeURIComponent(bubble)}`

export const api = {
  accounts: () => ask<AccountsView>('GET', 'accounts'),
  newPhone: (known: { name: string; phone?: string; chatId?: number }) =>
    ask<HandsetView>('POST', 'handsets', known),
  phone: (id: string) => ask<HandsetView>('GET', phone(id)),
  rename: (id: string, name: string) => ask<HandsetView>('PATCH', phone(id), { name }),
  start: (id: string) => ask<void>('PUT', `${phone(id)}/start`),
  read: (id: string, channel: SandboxChannel) => ask<void>('POST', `${phone(id)}/read`, { channel }),
  block: (id: string, channel: SandboxChannel, shut: boolean) =>
    ask<void>(shut ? 'PUT' : 'DELETE', `${phone(id)}/block?channel=${channel}`),
  write: (id: string, draft: Draft) => ask<BubbleView>('POST', `${phone(id)}/messages`, bodyOf(draft)),
  edit: (id: string, bubble: string, text: string) => ask<BubbleView>('PATCH', message(id, bubble), { text }),
  react: (id: string, bubble: string, emoji: string) =>
    ask<BubbleView>('PUT', `${message(id, bubble)}/reaction`, { emoji }),
  choose: (id: string, bubble: string, choice: string) =>
    ask<BubbleView>('POST', `${message(id, bubble)}/choice`, { choice }),
  remove: (id: string, bubble: string) => ask<void>('DELETE', message(id, bubble)),
  faults: () => ask<FaultView[]>('GET', 'faults'),
  addFault: (fault: object) => ask<FaultView>('POST', 'faults', fault),
  removeFault: (id: number) => ask<void>('DELETE', `faults/${id}`),
  removeFaults: () => ask<void>('DELETE', 'faults'),
  webhooks: () => ask<WebhookView[]>('GET', 'webhooks'),
}

function bodyOf({ file, ...draft }: Draft): object | FormData {
  if (!file) return draft
  const form = new FormData()
  form.set('channel', draft.channel)
  if (draft.text) form.set('text', draft.text)
  if (draft.replyTo) form.set('replyTo', draft.replyTo)
  form.set('media', file)
  return form
}
