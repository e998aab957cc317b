import { type Adapter, registersWebhook } from '../adapters/adapter.ts'
import { NOTHING } from '../adapters/capabilities.ts'
import type { AgentDoc } from '../models/agent.ts'
import type { ApiKeyDoc } from '../models/api-key.ts'
import type { ContactDoc } from '../models/contact.ts'
import type { ConversationDoc } from '../models/conversation.ts'
import type { Delivery } from '../models/delivery.ts'
import type { IdentityDoc } from '../models/identity.ts'
import type { AgentId, ContactId } from '../models/ids.ts'
import type { MergeDoc } from '../models/merge.ts'
import type { MessageDoc } from '../models/message.ts'
import type { ParticipationDoc } from '../models/participation.ts'
import type { RouteHealthDoc } from '../models/route-health.ts'
import type { OpenInbox } from './directory.ts'
import type {
  AgentView,
  ApiKeyView,
  ContactView,
  ConversationRow,
  ConversationView,
  DeliveryView,
  InboxView,
  MessageView,
  ProviderView,
  ReadingView,
  RouteHealthView,
  SentView,
} from './realtime/protocol.ts'

/** What leaves the server: documents as clients see them. The only place where one becomes the other. */

const iso = (date: Date | undefined): string | null => date?.toISOString() ?? null

export const agentView = (agent: AgentDoc): AgentView => ({
  id: agent._id,
  name: agent.name,
  email: agent.email,
  role: agent.role,
})

export const conversationView = (doc: ConversationDoc): ConversationView => ({
  id: doc._id,
  inbox: doc.inbox,
  channel: doc.channel,
  contact: { ...doc.contact, optedOut: doc.contact.optedOut ?? false },
  status: doc.status,
  assignee: doc.assignee ?? null,
  labels: doc.labels,
  rev: doc.rev,
  inbound: doc.inbound,
  lastMessage: doc.lastTurn
    ? {
        author: doc.lastTurn.author,
        preview: doc.lastTurn.preview,
        direction: doc.lastTurn.direction,
        note: doc.lastTurn.note,
        at: doc.lastTurn.at.toISOString(),
      }
    : null,
  waitingSince: iso(doc.waitingSince),
  theyWroteAt: iso(doc.theyWroteAt),
  windowClosesAt: iso(doc.windowClosesAt),
  snoozedUntil: iso(doc.snoozedUntil),
  resolution: doc.resolution ? { by: doc.resolution.by, at: doc.resolution.at.toISOString() } : null,
  createdAt: doc.createdAt.toISOString(),
  lastActivityAt: doc.lastActivityAt.toISOString(),
})

export const readingView = (doc: ParticipationDoc): ReadingView => ({
  conversation: doc.conversation,
  agent: doc.agent,
  rev: doc.readRev,
  inbound: doc.readInbound,
})

/** A row of an agent's list; an agent who never opened a conversation has read nothing of it. */
export const conversationRow = (
  doc: ConversationDoc,
  agent: AgentId,
  reading: ParticipationDoc | undefined,
): ConversationRow => ({
  ...conversationView(doc),
  reading: reading ? readingView(reading) : { conversation: doc._id, agent, rev: 0, inbound: 0 },
})

export const messageView = (doc: MessageDoc): MessageView => ({
  id: doc._id,
  conversation: doc.conversation,
  rev: doc.rev,
  changedRev: doc.changedRev,
  direction: doc.direction,
  author: doc.author,
  content: doc.content,
  ...(doc.clientId ? { clientId: doc.clientId } : {}),
  note: doc.note,
  ...(doc.replyTo ? { replyTo: doc.replyTo } : {}),
  ...(doc.delivery ? { delivery: deliveryView(doc.delivery) } : {}),
  reactions: doc.reactions,
  ...(doc.deletedAt ? { deletedAt: doc.deletedAt.toISOString() } : {}),
  edits: doc.edits.map((edit) => ({ content: edit.content, at: edit.at.toISOString() })),
  createdAt: doc.createdAt.toISOString(),
})

export const contactView = (
  doc: ContactDoc,
  identities: IdentityDoc[],
  conversations: ConversationDoc[],
  merges: MergeDoc[],
  names: ReadonlyMap<ContactId, string>,
): ContactView => ({
  id: doc._id,
  name: doc.name,
  createdAt: doc.createdAt.toISOString(),
  identities: identities.map((identity) => ({
    id: identity._id,
    channel: identity.channel,
    address: identity.address,
    name: identity.name,
    optedOut: identity.optedOutAt !== undefined,
  })),
  conversations: conversations.map(conversationView),
  merges: merges.map((merge) => ({
    id: merge._id,
    from: names.get(merge.from) ?? '',
    at: merge.at.toISOString(),
  })),
})

/** What a system sees of a message it sent. */
export const sentView = (doc: MessageDoc): SentView => ({
  id: doc._id,
  conversation: doc.conversation,
  createdAt: doc.createdAt.toISOString(),
  ...(doc.delivery ? { delivery: deliveryView(doc.delivery) } : {}),
})

export const apiKeyView = (doc: ApiKeyDoc): ApiKeyView => ({
  id: doc._id,
  name: doc.name,
  createdBy: doc.createdBy,
  createdAt: doc.createdAt.toISOString(),
  revokedAt: iso(doc.revokedAt),
})

function deliveryView(delivery: Delivery): DeliveryView {
  const waits = delivery.state === 'queued' && delivery.tries > 0 ? delivery.dueAt : undefined
  return {
    state: delivery.state,
    ...(delivery.route ? { route: delivery.route } : {}),
    ...(delivery.reason ? { reason: delivery.reason } : {}),
    ...(delivery.problem ? { problem: delivery.problem } : {}),
    attempts: delivery.attempts.map((attempt) => ({
      key: attempt.key,
      provider: attempt.provider,
      startedAt: attempt.startedAt.toISOString(),
      outcome: attempt.outcome,
      ...(attempt.tookMs === undefined ? {} : { tookMs: attempt.tookMs }),
      ...(attempt.code === undefined ? {} : { code: attempt.code }),
      ...(attempt.reason === undefined ? {} : { reason: attempt.reason }),
    })),
    ...(delivery.sentAt ? { sentAt: delivery.sentAt.toISOString() } : {}),
    ...(delivery.deliveredAt ? { deliveredAt: delivery.deliveredAt.toISOString() } : {}),
    ...(delivery.readAt ? { readAt: delivery.readAt.toISOString() } : {}),
    ...(waits ? { retryAt: waits.toISOString() } : {}),
  }
}

/** A provider on a channel, as the form that connects it asks. */
export const providerView = ({ provider, channel, title, asks, asksSender }: Adapter): ProviderView => ({
  provider,
  channel,
  title,
  asks: [...asks],
  asksSender,
})

/** How a route is doing, from what was noted and what was asked just now. */
export function routeHealthView(
  { route, adapter }: OpenInbox['routes'][number],
  noted: RouteHealthDoc | undefined,
  { webhookUrl, reachable, today }: { webhookUrl: string; reachable: boolean; today: string },
  account: RouteHealthView['account'],
): RouteHealthView {
  const isToday = noted?.day === today
  const state = !reachable
    ? 'unreachable'
    : !registersWebhook(adapter)
      ? 'paste'
      : (noted?.webhook?.state ?? 'set')
  return {
    route: route._id,
    provider: route.provider,
    account,
    webhook: {
      url: webhookUrl,
      state,
      ...(state === 'failed' && noted?.webhook?.reason ? { reason: noted.webhook.reason } : {}),
    },
    lastReceiptAt: iso(noted?.lastReceiptAt),
    lastSentAt: iso(noted?.lastSentAt),
    sentToday: isToday ? (noted?.sent ?? 0) : 0,
    errorsToday: Object.entries((isToday && noted?.failures) || {})
      .map(([code, { reason, count, at }]) => ({ code, reason, count, lastAt: at.toISOString() }))
      .sort((a, b) => b.count - a.count),
  }
}

/** An inbox with what its routes can carry: the first route speaks for all of them. */
export function inboxView(
  { inbox, routes }: OpenInbox,
  webhookUrl: (open: OpenInbox['routes'][number]) => string,
): InboxView {
  const [first] = routes
  return {
    id: inbox._id,
    name: inbox.name,
    channel: inbox.channel,
    capabilities: first?.adapter.capabilities ?? NOTHING,
    routes: routes.map((open) => ({
      id: open.route._id,
      provider: open.route.provider,
      sender: open.route.sender,
      webhookUrl: webhookUrl(open),
    })),
  }
}
