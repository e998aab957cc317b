/** JSON Schemas of what the API answers with: the documented form of the types in `realtime/protocol.ts`. */

const string = { type: 'string' }
const number = { type: 'integer' }
const boolean = { type: 'boolean' }
const moment = { type: 'string', format: 'date-time' }
const nullable = (schema: object) => ({ anyOf: [schema, { type: 'null' }] })
const list = (items: object) => ({ type: 'array', items })
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const object = (properties: Record<string, object>, optional: string[] = []) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
})
const page = (name: string) => object({ data: list(ref(name)), next: nullable(string) })

const API_KEY = {
  id: string,
  name: string,
  createdBy: string,
  createdAt: moment,
  revokedAt: nullable(moment),
}

export const VIEWS: Record<string, object> = {
  Agent: object({
    id: string,
    name: string,
    email: string,
    role: { enum: ['admin', 'supervisor', 'agent'] },
  }),
  AgentList: object({ data: list(ref('Agent')) }),
  Session: object({ accessToken: string, refreshToken: string, expiresIn: number, agent: ref('Agent') }),
  Inbox: object({
    id: string,
    name: string,
    channel: string,
    capabilities: { type: 'object' },
    routes: list(object({ id: string, provider: string, sender: string, webhookUrl: string })),
  }),
  Contact: object({
    id: string,
    name: string,
    createdAt: moment,
    identities: list(
      object({ id: string, channel: string, address: string, name: string, optedOut: boolean }),
    ),
    conversations: list(ref('Conversation')),
    merges: list(object({ id: string, from: string, at: moment })),
  }),
  ContactList: object({ data: list(object({ id: string, name: string, channels: list(string) })) }),
  InboxHealth: object({
    routes: list(
      object({
        route: string,
        provider: string,
        account: nullable(object({ ok: boolean, name: string, reason: string }, ['name', 'reason'])),
        webhook: object({ url: string, state: string, reason: string }, ['reason']),
        lastReceiptAt: nullable(moment),
        lastSentAt: nullable(moment),
        sentToday: number,
        errorsToday: list(object({ code: string, reason: string, count: number, lastAt: moment })),
      }),
    ),
  }),
  TemplateList: object({
    data: list(object({ name: string, language: string, text: string, category: string, status: string })),
  }),
  ProviderList: object({
    data: list(
      object({
        provider: string,
        channel: string,
        title: string,
        asks: list(
          object({ name: string, label: string, hint: string, kind: string, optional: boolean }, [
            'hint',
            'kind',
            'optional',
          ]),
        ),
        asksSender: nullable(
          object({ label: string, hint: string, optional: boolean }, ['hint', 'optional']),
        ),
      }),
    ),
  }),
  InboxList: object({ data: list(ref('Inbox')) }),
  Reading: object({ conversation: string, agent: string, rev: number, inbound: number }),
  Conversation: object({
    id: string,
    inbox: string,
    channel: string,
    contact: object({ id: string, name: string, address: string, reachable: boolean, optedOut: boolean }),
    theyWroteAt: nullable(moment),
    windowClosesAt: nullable(moment),
    status: { enum: ['open', 'snoozed', 'resolved'] },
    assignee: nullable(string),
    labels: list(string),
    rev: number,
    inbound: number,
    lastMessage: nullable(
      object({
        author: object({ id: string, name: string }),
        preview: string,
        direction: string,
        note: boolean,
        at: moment,
      }),
    ),
    waitingSince: nullable(moment),
    snoozedUntil: nullable(moment),
    resolution: nullable(object({ by: string, at: moment })),
    createdAt: moment,
    lastActivityAt: moment,
    reading: ref('Reading'),
  }),
  ConversationList: page('Conversation'),
  Message: object(
    {
      id: string,
      conversation: string,
      rev: number,
      changedRev: number,
      direction: { enum: ['inbound', 'outbound'] },
      author: object({ kind: { enum: ['contact', 'agent', 'api', 'system'] }, id: string, name: string }),
      content: { type: 'object', properties: { type: string }, required: ['type'] },
      clientId: string,
      note: boolean,
      replyTo: string,
      delivery: ref('Delivery'),
      reactions: list(object({ by: string, emoji: string })),
      deletedAt: moment,
      edits: list(object({ content: { type: 'object' }, at: moment })),
      createdAt: moment,
    },
    ['clientId', 'replyTo', 'delivery', 'deletedAt'],
  ),
  MessageList: page('Message'),
  Sent: object({ id: string, conversation: string, createdAt: moment, delivery: ref('Delivery') }, [
    'delivery',
  ]),
  ApiKey: object(API_KEY),
  ApiKeyList: object({ data: list(ref('ApiKey')) }),
  NewApiKey: object({ ...API_KEY, secret: string }),
  Delivery: object(
    {
      state: { enum: ['queued', 'sending', 'uncertain', 'sent', 'failed', 'delivered', 'read'] },
      route: string,
      reason: string,
      problem: object({ code: string, reason: string }),
      attempts: list(
        object(
          {
            key: string,
            provider: string,
            startedAt: moment,
            tookMs: number,
            outcome: string,
            code: string,
            reason: string,
          },
          ['tookMs', 'code', 'reason'],
        ),
      ),
      sentAt: moment,
      deliveredAt: moment,
      readAt: moment,
      retryAt: moment,
    },
    ['route', 'reason', 'problem', 'sentAt', 'deliveredAt', 'readAt', 'retryAt'],
  ),
  File: object({ id: string, name: string, mime: string, size: number }),
  Changes: object({
    snapshot: boolean,
    conversations: list(ref('Conversation')),
    messages: list(ref('Message')),
    readings: list(ref('Reading')),
    cursor: string,
    more: boolean,
  }),
  Problem: object(
    {
      type: string,
      title: string,
      status: number,
      code: string,
      detail: string,
      retryable: boolean,
      errors: list(object({ field: string, message: string })),
      unseen: list(ref('Message')),
    },
    ['errors', 'unseen'],
  ),
}
