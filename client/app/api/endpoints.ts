import type { Template } from '../../../adapters/adapter.ts'
import type { Content } from '../../../models/content.ts'
import type {
  AgentId,
  ApiKeyId,
  ClientMessageId,
  ContactId,
  ConversationId,
  InboxId,
  MergeId,
  MessageId,
} from '../../../models/ids.ts'
import type {
  AgentView,
  ApiKeyView,
  Changes,
  ContactView,
  ConversationRow,
  InboxView,
  MessageView,
  ProviderView,
  ReadingView,
  Role,
  RouteHealthView,
} from '../../../server/realtime/protocol.ts'
import { call } from './http.ts'

export interface Page<T> {
  data: T[]
  next: string | null
}
export interface ListQuery {
  status?: string
  assignee?: string
  inbox?: string
  label?: string
  q?: string
  limit?: number
  after?: string
}
export interface NewMessage {
  clientId: ClientMessageId
  content: unknown
  replyTo?: MessageId
  note?: boolean
  seenRev?: number
  expectedAssignee?: AgentId | null
}
export interface NewInbox {
  name: string
  channel: string
  routes: { provider: string; credentials: Record<string, string>; sender: string; apiBase?: string }[]
}
export interface NewAgent {
  name: string
  email: string
  role: Role
  password: string
}

const at = (conversation: ConversationId, rest = ''): string =>
  `conversations/${encodeURIComponent(conversation)}${rest}`

const query = (values: object): string => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  return given.length ? `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}` : ''
}

export const fetchAgents = () => call<{ data: AgentView[] }>('GET', 'agents')
export const fetchInboxes = () => call<{ data: InboxView[] }>('GET', 'inboxes')
export const fetchProviders = () => call<{ data: ProviderView[] }>('GET', 'providers')
export const fetchApiKeys = () => call<{ data: ApiKeyView[] }>('GET', 'api-keys')
export const addApiKey = (name: string) => call<ApiKeyView & { secret: string }>('POST', 'api-keys', { name })
export const deleteApiKey = (id: ApiKeyId) => call<void>('DELETE', `api-keys/${encodeURIComponent(id)}`)
export const fetchHealth = (inbox: InboxId) =>
  call<{ routes: RouteHealthView[] }>('GET', `inboxes/${encodeURIComponent(inbox)}/health`)
export const fetchTemplates = (inbox: InboxId) =>
  call<{ data: Template[] }>('GET', `inboxes/${encodeURIComponent(inbox)}/templates`)
export const fetchContact = (id: ContactId) => call<ContactView>('GET', `contacts/${encodeURIComponent(id)}`)
export const fetchContacts = (q: string) =>
  call<{ data: { id: ContactId; name: string; channels: string[] }[] }>('GET', `contacts${query({ q })}`)
export const addMerge = (id: ContactId, from: ContactId) =>
  call<ContactView>('POST', `contacts/${encodeURIComponent(id)}/merges`, { from })
export const deleteMerge = (id: ContactId, merge: MergeId) =>
  call<ContactView>('DELETE', `contacts/${encodeURIComponent(id)}/merges/${encodeURIComponent(merge)}`)
export const addInbox = (inbox: NewInbox) => call<InboxView>('POST', 'inboxes', inbox)
export const addAgent = (agent: NewAgent) => call<AgentView>('POST', 'agents', agent)
export const fetchSandbox = () => call<{ enabled: boolean }>('GET', 'sandbox')

export const fetchConversations = (of: ListQuery) =>
  call<Page<ConversationRow>>('GET', `conversations${query(of)}`)
export const fetchConversation = (id: ConversationId) => call<ConversationRow>('GET', at(id))
export const fetchMessages = (id: ConversationId, of: { before?: number; after?: number; limit?: number }) =>
  call<Page<MessageView>>('GET', at(id, `/messages${query(of)}`))
export const fetchChanges = (cursor: string | null) =>
  call<Changes>('GET', `changes${query({ cursor: cursor ?? undefined })}`)

export const postMessage = (id: ConversationId, message: NewMessage) =>
  call<MessageView>('POST', at(id, '/messages'), message)
export const postAttempt = (id: ConversationId, message: MessageId) =>
  call<MessageView>('POST', at(id, `/messages/${encodeURIComponent(message)}/attempts`), {})

export const putAssignment = (id: ConversationId, agent: AgentId | null) =>
  call<ConversationRow>('PUT', at(id, '/assignment'), { agent })
export const putResolution = (id: ConversationId) => call<ConversationRow>('PUT', at(id, '/resolution'), {})
export const deleteResolution = (id: ConversationId) => call<ConversationRow>('DELETE', at(id, '/resolution'))
export const putSnooze = (id: ConversationId, until: string) =>
  call<ConversationRow>('PUT', at(id, '/snooze'), { until })
export const deleteSnooze = (id: ConversationId) => call<ConversationRow>('DELETE', at(id, '/snooze'))
export const putLabels = (id: ConversationId, labels: string[]) =>
  call<ConversationRow>('PUT', at(id, '/labels'), { labels })
export const putReading = (id: ConversationId, rev: number) =>
  call<ReadingView>('PUT', at(id, '/reading'), { rev })

/** What is kept of a file on our side stays here; the server knows it by its id. */
export function toWire(content: Content): unknown {
  if (!('file' in content)) return content
  const { file, ...rest } = content
  return { ...rest, file: file.state === 'stored' ? { id: file.id } : file }
}
