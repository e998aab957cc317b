import { z } from 'zod'
import { type Call, CallFailed } from '../../adapter.ts'
import { needsAttention } from '../../outcomes.ts'
import { credentialFields, GraphId, type MetaCredentials } from '../graph.ts'

/** What an admin gives to connect a page; the page itself, by its id, is the route's sender. */
export interface MessengerCredentials extends MetaCredentials {
  /** Where it is given, we set the app's webhook address ourselves; else it is set by hand in the app's dashboard. */
  appId?: string | undefined
}
export type MessengerCall = Call<MessengerCredentials>

export const MessengerCredentials: z.ZodType<MessengerCredentials> = z.object({
  ...credentialFields,
  appId: GraphId('The app ID is a long number, at the top of the app’s dashboard.').optional(),
})

/** The id of the page we write from, fit for a path. @throws CallFailed */
export function pageOf({ sender }: MessengerCall): string {
  if (!/^\d{1,32}$/.test(sender))
    throw new CallFailed(
      needsAttention('sender', 'The sender is the ID of the Facebook page, a long number.'),
    )
  return sender
}
