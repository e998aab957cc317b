/** What the contact sees. */
export const CHANNELS = ['telegram', 'sms'] as const
export type Channel = (typeof CHANNELS)[number]

/** Who carries it. */
export const PROVIDERS = ['telegram', 'twilio'] as const
export type Provider = (typeof PROVIDERS)[number]
