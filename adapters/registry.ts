import type { Channel, Provider } from '../models/channels.ts'
import type { Adapter } from './adapter.ts'
import { messengerMeta } from './messenger/meta.ts'
import { twilioSms } from './sms/twilio.ts'
import { telegramBot } from './telegram/bot.ts'
import { whatsappMeta } from './whatsapp/meta.ts'
import { whatsappTwilio } from './whatsapp/twilio.ts'

/** Every provider we speak, on every channel. To add one, add a line. */
const ADAPTERS: readonly Adapter[] = [telegramBot, twilioSms, whatsappMeta, messengerMeta, whatsappTwilio]

/** No adapter carries this channel through this provider. */
export class UnknownAdapter extends Error {
  override name = 'UnknownAdapter'
  constructor(provider: string, channel: string) {
    const known = ADAPTERS.map((adapter) => `${adapter.provider} (${adapter.channel})`).join(', ')
    super(`No adapter for ${channel} through ${provider}. There are: ${known}.`)
  }
}

/**
 * The adapter's own credentials are opaque to its callers: validated by `adapter.credentials`, stored sealed, handed back.
 * @throws UnknownAdapter
 */
export function adapterFor(provider: Provider, channel: Channel): Adapter {
  const found = adapters().find((adapter) => adapter.provider === provider && adapter.channel === channel)
  if (!found) throw new UnknownAdapter(provider, channel)
  return found
}

export const adapters = (): readonly Adapter[] => ADAPTERS
