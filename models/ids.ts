import { v5, v7 } from 'uuid'

declare const meaning: unique symbol
/** A string with one meaning: an id of one kind cannot be given where another is asked for. */
type Id<Name extends string> = string & { readonly [meaning]: Name }

export type WorkspaceId = Id<'workspace'>
export type AgentId = Id<'agent'>
export type SessionId = Id<'session'>
export type InboxId = Id<'inbox'>
export type RouteId = Id<'route'>
export type ContactId = Id<'contact'>
export type IdentityId = Id<'identity'>
export type ConversationId = Id<'conversation'>
export type MessageId = Id<'message'>
export type ReceiptId = Id<'receipt'>
export type MediaId = Id<'media'>
export type ApiKeyId = Id<'api key'>
export type MergeId = Id<'merge'>
export type RequestId = Id<'request'>

/** The name a client gave its message; unique in the conversation. */
export type ClientMessageId = Id<'client message'>
/** The name a provider gave a message; unique in the inbox, made and understood by the adapter alone. */
export type ProviderMessageId = Id<'provider message'>
/** Where a contact is reached on a channel (E.164, a chat id); made and understood by the adapter alone. */
export type Address = Id<'address'>
/** The name of one attempt to send, stored before the provider is called. */
export type AttemptKey = Id<'attempt'>

/** A new id, later ones of one process sorting after earlier ones. */
export const newId = <T extends Id<string>>(): T => v7() as T

let taken = 0
/**
 * A new id that sorts by a moment of the cluster's clock, and within a millisecond by when this process asked: what many
 * nodes make then sorts by what they agree on, and not by their machines' own clocks.
 */
export const newIdAt = <T extends Id<string>>(at: Date): T => {
  taken = (taken + 1) % 0x7fff_ffff
  return v7({ msecs: at.getTime(), seq: taken }) as T
}

/**
 * The id of an inbound message, made of what makes it unique. The primary key alone then forbids a second one,
 * on every store and shard, whoever ingests it and however often.
 */
export const inboundMessageId = (inbox: InboxId, providerId: ProviderMessageId): MessageId =>
  v5(`in:${providerId}`, inbox) as MessageId

/** The id of an outbound message, made of what makes it unique: its conversation and the client's name for it. */
export const outboundMessageId = (conversation: ConversationId, clientId: ClientMessageId): MessageId =>
  v5(`out:${clientId}`, conversation) as MessageId

/** The id of another system's request, made of what makes it unique: its key and its own name for the request. */
export const requestId = (key: ApiKeyId, name: string): RequestId => v5(`request:${name}`, key) as RequestId

/** The contact behind a phone number, the same on every channel that knows people by their numbers. */
export const contactOfPhone = (workspace: WorkspaceId, phone: string): ContactId =>
  v5(`phone:${phone}`, workspace) as ContactId
