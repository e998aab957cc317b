/** What the contact sees. */
export const CHANNELS = ['telegram', 'sms', 'whatsapp', 'messenger', 'web'] as const
export type Channel = (typeof CHANNELS)[number]

/** Who carries it. `meta` is Meta's own Graph API; `whatsapp-web` a linked phone; `web` our own widget. */
export const PROVIDERS = [
  'telegram',
  'twilio',
  'infobip',
  'africastalking',
  'vonage',
  'meta',
  'whatsapp-web',
  'web',
] as const
export type Provider = (typeof PROVIDERS)[number]
