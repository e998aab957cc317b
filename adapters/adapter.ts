import type { z } from 'zod'
import type { Channel, Provider } from '../models/channels.ts'
import type { Content } from '../models/content.ts'
import type { Address, AttemptKey, MediaId, ProviderMessageId } from '../models/ids.ts'
import type { Capabilities } from './capabilities.ts'
import type { Profile, ProviderEvent } from './events.ts'
import type { Accepted, Outcome } from './outcomes.ts'

/**
 * Our code for one provider on one channel: a translator and nothing else. It holds no state, knows no database, socket,
 * clock or environment; what it needs is given with each call. Every word of the provider stops in its folder.
 */
export interface Adapter<Credentials = unknown> {
  readonly provider: Provider
  readonly channel: Channel
  /** The provider's name as people write it. */
  readonly title: string
  /** Where the provider's API is, unless a route says otherwise. */
  readonly apiBase: string
  /** What an admin must give to connect it; secrets, sealed at rest. */
  readonly credentials: z.ZodType<Credentials>
  /** How they are asked for it, field by field of `credentials`, in this order. */
  readonly asks: readonly CredentialField[]
  /** How they are asked for the address we send as; null where the credentials say it. */
  readonly asksSender: Pick<CredentialField, 'label' | 'hint' | 'optional'> | null
  readonly capabilities: Capabilities

  /** Returns if the request is the provider's own, over the bytes as they came; throws {@link Forged} if not. */
  verify(request: WebhookRequest, credentials: Credentials): void
  /**
   * Everything the request tells, in its order. A provider may put several numbers' news into one request: with `sender`,
   * only what concerns that one of ours. Throws {@link Unreadable} for what the provider would not send.
   */
  parse(request: WebhookRequest, sender?: string): ProviderEvent[]
  /** One attempt. Never throws for what a provider or a network can do: that is an outcome. */
  send(message: OutboundMessage, call: Call<Credentials>): Promise<Outcome>
}

/** One field of a form for a person: `secret` is not shown again, `generated` is made up for them. */
export interface CredentialField {
  name: string
  label: string
  /** Where to find it, in a sentence. */
  hint?: string
  kind?: 'text' | 'secret' | 'generated' | 'multiline'
  optional?: boolean
}

/** A webhook as it came. */
export interface WebhookRequest {
  method: string
  /** The public address the provider called, query included: some sign it. */
  url: string
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>
  body: Uint8Array
}

/** A message ready for one provider: `misfit` has let it pass. */
export interface OutboundMessage {
  to: Address
  content:
    | Exclude<Content, { type: 'reaction' | 'edit' | 'deletion' | 'choice' | 'unsupported' }>
    | { type: 'reaction'; providerId: ProviderMessageId; emoji: string }
    | { type: 'edit'; providerId: ProviderMessageId; text: string }
    | { type: 'deletion'; providerId: ProviderMessageId }
  replyTo?: ProviderMessageId
  /** Milliseconds since the contact last wrote, where they ever did: some providers want to know why we write. */
  sinceTheyWroteMs?: number
}

/** What a call to the provider is made with. */
export interface Call<Credentials> {
  credentials: Credentials
  /** The address we send as (a number, a sender id); empty where the credentials say it. */
  sender: string
  apiBase: string
  http: Http
  /** This attempt's own name, already stored. Calls that are no attempt have none. */
  attemptKey?: AttemptKey
  /** Where this attempt's receipts should be posted; absent where nobody outside can reach us. */
  statusUrl?: string
  media: MediaAccess
}

/** Stored files, for adapters that must hand them to a provider. */
export interface MediaAccess {
  bytes(id: MediaId): Promise<Uint8Array>
  /** An address the provider can fetch without signing in, for a limited time. */
  url(id: MediaId): string
}

/** The one HTTP client; `adapters/http.ts` makes it. */
export interface Http {
  request(request: HttpRequest): Promise<HttpAnswer>
}
export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Milliseconds for the whole exchange; 10,000 unless told. */
  timeoutMs?: number
  /** Largest answer read, in bytes; 1 MB unless told. */
  maxBytes?: number
  /** Ends the exchange early. */
  signal?: AbortSignal
}
export interface HttpAnswer {
  status: number
  headers: Record<string, string | undefined>
  body: Uint8Array
}

/* The abilities below are asked for by their guards. What fails in them is thrown as {@link CallFailed}. */

/** The contact can be shown that an answer is being written. */
export interface ShowsTyping<Credentials> {
  /** @param latest the contact's latest message, where the provider ties the sign to it */
  showTyping(to: Address, call: Call<Credentials>, latest?: ProviderMessageId): Promise<void>
}
/** The contact's phone waits for a sign that what they picked has arrived. */
export interface Acknowledges<Credentials> {
  acknowledge(providerId: ProviderMessageId, call: Call<Credentials>): Promise<void>
}
/** We can leave where no conversation of ours is, and say why. */
export interface Declines<Credentials> {
  decline(where: Address, call: Call<Credentials>): Promise<void>
}
/** The contact can be shown that we have read what they wrote, up to and with this message. */
export interface MarksRead<Credentials> {
  markRead(to: Address, latest: ProviderMessageId, call: Call<Credentials>): Promise<void>
}
/** The provider asks our address whether it is ours, before it posts there. */
export interface AnswersChallenge<Credentials> {
  /** The body to answer with. @throws Forged */
  challenge(request: WebhookRequest, credentials: Credentials): string
}
/**
 * One address takes the webhooks of many inboxes: these are the senders (`route.sender`: a number, a page) that a request
 * tells of. Read before anything is verified, so it throws nothing and promises nothing.
 */
export interface NamesReceivers {
  receiversOf(request: WebhookRequest): string[]
}
/** The account's templates, as the provider approved them. */
export interface ListsTemplates<Credentials> {
  templates(call: Call<Credentials>): Promise<Template[]>
}
/** @property text the body with `{{1}}`, `{{2}}` or `{{first_name}}` for its blanks */
export interface Template {
  name: string
  language: string
  text: string
  category: string
  status: 'approved' | 'pending' | 'rejected' | 'paused'
}
/** Files stay at the provider until asked for. `reference` is what the adapter put in the pending file. */
export interface FetchesMedia<Credentials> {
  fetchMedia(
    reference: string,
    call: Call<Credentials>,
  ): Promise<{ bytes: Uint8Array; mime?: string; name?: string }>
}
/** The provider can be asked who somebody is, where its messages do not say. */
export interface KnowsProfiles<Credentials> {
  profileOf(who: Address, call: Call<Credentials>): Promise<Profile>
}
/** The provider lets us say where its webhooks go. */
export interface RegistersWebhook<Credentials> {
  /** @param shared the address that serves every inbox, for providers that take one address for all */
  registerWebhook(url: string, call: Call<Credentials>, shared?: string): Promise<void>
}
/** The provider can be asked for what is new, for hosts nobody outside can reach. `after` is the last position kept. */
export interface Polls<Credentials> {
  poll(
    after: string | undefined,
    call: Call<Credentials>,
    signal: AbortSignal,
  ): Promise<{ updates: Uint8Array[]; position?: string }>
}
/** The credentials can be tried without sending anything. Resolves to the account's own name; throws a reason. */
export interface ProbesAccount<Credentials> {
  probe(call: Call<Credentials>): Promise<{ name: string }>
}

type Ability<T> = (adapter: Adapter<never> | Adapter) => adapter is Adapter & T
const able =
  <T>(method: string): Ability<T> =>
  (adapter): adapter is Adapter & T =>
    typeof (adapter as unknown as Record<string, unknown>)[method] === 'function'

export const acknowledges = able<Acknowledges<unknown>>('acknowledge')
export const declines = able<Declines<unknown>>('decline')
export const knowsProfiles = able<KnowsProfiles<unknown>>('profileOf')
export const marksRead = able<MarksRead<unknown>>('markRead')
export const answersChallenge = able<AnswersChallenge<unknown>>('challenge')
export const namesReceivers = able<NamesReceivers>('receiversOf')
export const listsTemplates = able<ListsTemplates<unknown>>('templates')
export const showsTyping = able<ShowsTyping<unknown>>('showTyping')
export const fetchesMedia = able<FetchesMedia<unknown>>('fetchMedia')
export const registersWebhook = able<RegistersWebhook<unknown>>('registerWebhook')
export const polls = able<Polls<unknown>>('poll')
export const probesAccount = able<ProbesAccount<unknown>>('probe')

/** The request does not prove that the provider made it: nothing of it is kept. */
export class Forged extends Error {
  override name = 'Forged'
}
/** The request is the provider's, and not in a form it documents: kept as unreadable. */
export class Unreadable extends Error {
  override name = 'Unreadable'
}
/** A call that is no attempt to send (a file, a webhook's address, typing) ended in one of the other four words. */
export class CallFailed extends Error {
  override name = 'CallFailed'
  readonly outcome: Exclude<Outcome, Accepted>
  constructor(outcome: Exclude<Outcome, Accepted>) {
    super(outcome.reason)
    this.outcome = outcome
  }
}
