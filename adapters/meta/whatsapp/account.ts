import { z } from 'zod'
import type { Call } from '../../adapter.ts'
import { CallFailed } from '../../adapter.ts'
import { needsAttention } from '../../outcomes.ts'
import { credentialFields, GraphId, type MetaCredentials } from '../graph.ts'

/** What an admin gives to connect a number; the number itself, by its id, is the route's sender. */
export interface WhatsAppCredentials extends MetaCredentials {
  /** Templates and subscriptions are the account's, not the number's. */
  businessAccountId: string
}
export type WhatsAppCall = Call<WhatsAppCredentials>

export const WhatsAppCredentials: z.ZodType<WhatsAppCredentials> = z.object({
  ...credentialFields,
  businessAccountId: GraphId(
    'The WhatsApp Business Account ID is a long number, found beside the phone number ID.',
  ),
})

/** The id of the number we write from, fit for a path. @throws CallFailed */
export function numberOf({ sender }: WhatsAppCall): string {
  if (!/^\d{1,32}$/.test(sender))
    throw new CallFailed(
      needsAttention(
        'sender',
        'The sender is the phone number ID of WhatsApp, a long number, not the number itself.',
      ),
    )
  return sender
}
