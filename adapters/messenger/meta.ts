import { z } from 'zod'
import type { Address } from '../../models/ids.ts'
import {
  type Adapter,
  type AnswersChallenge,
  CallFailed,
  type FetchesMedia,
  type KnowsProfiles,
  type MarksRead,
  type NamesReceivers,
  type ProbesAccount,
  type RegistersWebhook,
  type ShowsTyping,
} from '../adapter.ts'
import type { Profile } from '../events.ts'
import { API_BASE, ask, META_ASKS, Success, VERSION_ASK } from '../meta/graph.ts'
import { type MessengerCall, MessengerCredentials, pageOf } from '../meta/messenger/account.ts'
import { capabilities } from '../meta/messenger/capabilities.ts'
import { MESSENGER_CODES } from '../meta/messenger/errors.ts'
import { fetchMedia } from '../meta/messenger/media.ts'
import { eventsOf, receiversOf } from '../meta/messenger/parse.ts'
import { send } from '../meta/messenger/send.ts'
import { challengeOf, verifySignature } from '../meta/signature.ts'
import { needsAttention, rejected } from '../outcomes.ts'

type MessengerAdapter = Adapter<MessengerCredentials> &
  AnswersChallenge<MessengerCredentials> &
  FetchesMedia<MessengerCredentials> &
  KnowsProfiles<MessengerCredentials> &
  MarksRead<MessengerCredentials> &
  NamesReceivers &
  ProbesAccount<MessengerCredentials> &
  RegistersWebhook<MessengerCredentials> &
  ShowsTyping<MessengerCredentials>

/** A Facebook page's Messenger. The sender is the page's id. */
export const messengerMeta: MessengerAdapter = {
  provider: 'meta',
  channel: 'messenger',
  title: 'Meta',
  apiBase: API_BASE,
  credentials: MessengerCredentials,
  asks: [
    ...META_ASKS,
    {
      name: 'appId',
      label: 'App ID',
      hint: 'With it we set the app’s webhook address ourselves. It is one address for all pages of the app.',
      optional: true,
    },
    VERSION_ASK,
  ],
  asksSender: { label: 'Page ID', hint: 'On the page itself under About, Page transparency.' },
  capabilities,
  verify: (request, { appSecret }) => verifySignature(request, appSecret),
  parse: eventsOf,
  send,
  challenge: (request, { verifyToken }) => challengeOf(request, verifyToken),
  receiversOf,
  fetchMedia,
  markRead: (to, _latest, call) => act(to, 'mark_seen', call),
  showTyping: (to, call) => act(to, 'typing_on', call),
  profileOf,
  registerWebhook,
  probe,
}

/** Typing shows for up to 20 seconds. */
async function act(to: Address, sender_action: string, call: MessengerCall): Promise<void> {
  const json = { recipient: { id: to }, sender_action }
  const done = z.object({ recipient_id: z.string() })
  await ask(call, MESSENGER_CODES, { path: `${pageOf(call)}/messages`, json }, done)
}

/** @see https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks */
const FIELDS = [
  'messages',
  'messaging_postbacks',
  'message_deliveries',
  'message_reads',
  'message_reactions',
  'message_echoes',
  'message_edits',
].join(',')

/**
 * Subscribes the app to the page. The address is one for all pages of an app: where we know the app's id we set it, else a
 * person does in its dashboard.
 * @see https://developers.facebook.com/docs/graph-api/reference/app/subscriptions/
 */
async function registerWebhook(url: string, call: MessengerCall, shared = url): Promise<void> {
  const { appId, appSecret, verifyToken } = call.credentials
  if (appId !== undefined) {
    const app = { ...call, credentials: { ...call.credentials, accessToken: `${appId}|${appSecret}` } }
    const json = { object: 'page', callback_url: shared, fields: FIELDS, verify_token: verifyToken }
    await ask(app, MESSENGER_CODES, { path: `${appId}/subscriptions`, json }, Success)
  }
  const subscription = {
    method: 'POST',
    path: `${pageOf(call)}/subscribed_apps`,
    query: { subscribed_fields: FIELDS },
  } as const
  await ask(call, MESSENGER_CODES, subscription, Success)
}

const PROFILE_TIMEOUT_MS = 3_000
const Person = z.object({ first_name: z.string().catch(''), last_name: z.string().catch('') })

/** @see https://developers.facebook.com/documentation/business-messaging/messenger-platform/identity/user-profile */
async function profileOf(who: Address, call: MessengerCall): Promise<Profile> {
  if (!/^\d{1,64}$/.test(who)) throw new CallFailed(rejected('address', 'This is not a person on Messenger.'))
  const asking = { path: who, query: { fields: 'first_name,last_name' }, timeoutMs: PROFILE_TIMEOUT_MS }
  const { first_name, last_name } = await ask(call, MESSENGER_CODES, asking, Person)
  const name = [first_name, last_name].filter(Boolean).join(' ')
  if (!name) throw new CallFailed(rejected('name', 'Messenger shows no name of this person.'))
  return { name }
}

/** A page's token says which page it is of; a person's own is none of a page. */
async function probe(call: MessengerCall): Promise<{ name: string }> {
  const page = pageOf(call)
  const query = { fields: 'id,name' }
  const found = z.object({ id: z.string(), name: z.string() })
  const { id, name } = await ask(call, MESSENGER_CODES, { path: 'me', query }, found)
  if (id !== page)
    throw new CallFailed(needsAttention('sender', 'The access token is not that of this page.'))
  return { name }
}
