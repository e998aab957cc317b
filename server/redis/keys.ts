import type { ConversationId, WorkspaceId } from '../../models/ids.ts'

/** Every key we keep in Redis. Spelled nowhere else; a test looks. */
export const keys = {
  online: (workspace: WorkspaceId): string => `nexus:online:${workspace}`,
  viewers: (conversation: ConversationId): string => `nexus:viewers:${conversation}`,
  replying: (conversation: ConversationId): string => `nexus:replying:${conversation}`,
  /** Prefix of the rate limits' counters. */
  limits: 'nexus:limit',
  /** Prefix of the channels that carry broadcasts between nodes. */
  sockets: 'nexus:io',
}
